//! Messages to be written: real texts of all languages, each to a number of its own.

use std::time::Duration;

use anyhow::Result;
use journey::{Mask, Order, OrderNumber, Terms};
use service::Dice;
use sms::{AccountId, CarrierName, Content, Message, RecordKey, UnixMs};

use crate::world::{Letter, Traffic};

/// Different messages; they are taken over and over.
const MESSAGES: usize = 1_024;
/// 2026-01-01T00:00:00Z.
const AT: UnixMs = UnixMs(1_767_225_600_000);

/// Orders for messages of one part.
///
/// # Errors
/// The texts in the repository were edited and no longer hold together.
pub(super) fn orders() -> Result<Vec<Order>> {
    let dice = Dice::seeded(1);
    let size = |letter: &Letter| sms::count(&Content::Text(letter.text.clone()));
    let traffic = Traffic::new(1)?.filter(|letter| size(letter).segments == 1);
    Ok(traffic.take(MESSAGES).map(|letter| order(&dice, letter)).collect())
}

fn order(dice: &Dice, letter: Letter) -> Order {
    let message = Message {
        id: dice.message_id(AT),
        account: AccountId::new("probe").expect("it is short"),
        key: RecordKey(dice.next_u64()),
        from: letter.from,
        to: letter.to,
        encoding: sms::encoding_of(&letter.text),
        content: Content::Text(letter.text),
        segments: 1,
        class: letter.class,
        accepted_at: AT,
        ttl: Some(Duration::from_secs(3_600)),
        receipt: true,
        reference: String::new(),
        copy_of: None,
        trace: None,
    };
    Order {
        terms: Terms::of_class(&message),
        number: OrderNumber(1),
        carrier: CarrierName::new("probe").expect("it is short"),
        network: String::new(),
        looked_up: None,
        price: None,
        mask: Mask::default(),
        receipt: true,
        table: String::new(),
        policy: String::new(),
        issued_at: AT,
        attempts: Vec::new(),
        message,
    }
}

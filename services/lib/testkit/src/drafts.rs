//! What customers write: every class, encoding and length that the pipeline tells apart.

use std::time::Duration;

use bytes::Bytes;
use ingest::Draft;
use service::Dice;
use sms::{Class, Content, Msisdn, Sender};

use crate::faults::millis;

/// Customers begin within this span.
const WRITING_SPAN_MS: u64 = 26_000;
/// Numbers of the plan, a country whose campaigns the table refuses, and one it knows no way to.
const HEADS: [&str; 8] = ["33612", "33620", "33639", "4477009", "49151", "49172", "1416", "8190"];
const SENDERS: [&str; 4] = ["ACME", "Parcel", "+33600000000", "38123"];

/// Messages that one customer sends in one call.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// When, from the beginning of the run.
    pub(crate) at: Duration,
    pub(crate) drafts: Vec<Draft>,
}

/// The calls of one run, in order of time.
pub(crate) fn draw(dice: &Dice, messages: u64) -> Vec<Call> {
    let mut calls = Vec::new();
    let mut left = messages;
    while left > 0 {
        let size = (1 + dice.below(5)).min(left);
        let at = Duration::from_millis(dice.below(WRITING_SPAN_MS));
        let drafts = (0..size).map(|index| draft(dice, left - index)).collect();
        calls.push(Call { at, drafts });
        left -= size;
    }
    calls.sort_by_key(|call| call.at);
    calls
}

/// One message of each class, to a number that nobody else writes to, for the end of the run.
pub(crate) fn fresh() -> Vec<Draft> {
    let to = Msisdn::new("33620999001").expect("it is a number");
    Class::ALL.map(|class| one(class, to.clone(), "fresh")).to_vec()
}

/// Short messages a second apart, of one class after the other, to numbers of their own.
pub(crate) fn one_by_one(messages: u64) -> Vec<Call> {
    let call = |serial: u64| {
        let class = Class::ALL[serial as usize % Class::ALL.len()];
        let to = Msisdn::new(&format!("33612{serial:06}")).expect("it is a number");
        let draft = one(class, to, &format!("one {serial}"));
        Call {
            at: Duration::from_secs(5 + serial),
            drafts: vec![draft],
        }
    };
    (0..messages).map(call).collect()
}

/// A short message that wants a receipt.
fn one(class: Class, to: Msisdn, reference: &str) -> Draft {
    let content = Content::Text(format!("all is well, {class}"));
    let size = sms::count(&content);
    Draft {
        from: Sender::new("Parcel").expect("it is a name"),
        to,
        content,
        encoding: size.encoding,
        segments: size.segments,
        class,
        ttl: Some(Duration::from_secs(60)),
        receipt: true,
        reference: reference.to_owned(),
        idempotency_key: String::new(),
    }
}

fn draft(dice: &Dice, serial: u64) -> Draft {
    let content = content(dice, serial);
    let size = sms::count(&content);
    let head = HEADS[dice.below(HEADS.len() as u64) as usize];
    let to = format!("{head}{:06}", dice.below(6));
    let is_keyed = dice.below(3) == 0;
    Draft {
        from: Sender::new(SENDERS[dice.below(SENDERS.len() as u64) as usize]).expect("the list holds senders"),
        to: Msisdn::new(&to).expect("the list holds heads of numbers"),
        content,
        encoding: size.encoding,
        segments: size.segments,
        class: Class::ALL[dice.below(3) as usize],
        ttl: Some(Duration::from_secs(20 + dice.below(41))),
        receipt: dice.below(10) > 0,
        reference: format!("m{serial}"),
        idempotency_key: if is_keyed {
            format!("key-{serial}")
        } else {
            String::new()
        },
    }
}

fn content(dice: &Dice, serial: u64) -> Content {
    let text = match dice.below(10) {
        0..=3 => format!("Your code is {:06}", dice.below(1_000_000)),
        4 => format!("Посылка {serial} ждёт вас"),
        5 => format!("See you at {} 👋🏽 {serial}", dice.below(24)),
        // The extension table counts double, so parts end where a naive cut would tear a character.
        6 | 7 => format!("{serial}: {}", "Offer [{€}] ~ ".repeat(10 + dice.below(30) as usize)),
        8 => format!("{serial}: {}", "重要なお知らせ 🚆 ".repeat(8 + dice.below(14) as usize)),
        _ => return binary(dice),
    };
    Content::Text(text)
}

fn binary(dice: &Dice) -> Content {
    let octets = 1 + dice.below(300) as usize;
    let data: Vec<u8> = (0..octets).map(|_| dice.below(256) as u8).collect();
    // An application port header stands in one segment only.
    let header = (octets <= 100).then(|| Bytes::from_static(&[5, 4, 0x0B, 0x84, 0x23, 0xF0]));
    Content::Binary {
        data: data.into(),
        header,
    }
}

/// How long a customer waits before it asks again.
pub(crate) fn patience(dice: &Dice) -> Duration {
    millis(dice, 300, 2_000)
}

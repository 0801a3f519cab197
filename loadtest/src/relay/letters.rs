//! What the relay moves: messages of one segment as customers write them, and everything that the router would write about them,
//! made by its own rules and encoded before any clock runs.

use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use journey::{
    Correlation, Input, Known, Mask, Order, OrderAnswer, OrderNumber, Outcome, Price, ReceiptRecord, State, Terms, fold,
};
use signalbox_proto::{keys, record};
use sms::{
    AccountId, CarrierName, Content, Message, MessageId, Receipt, ReceiptFault, ReceiptState, RecordKey, UnixMs,
};
use store::{Due, Key, Op};

use crate::world::{Letter, Traffic};

/// Different messages; after them the first comes again.
const LETTERS: usize = 1_000;
/// Odd, so that no two places have one key; and its product spreads over all partitions.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
/// How long what is written is kept.
const KEPT: Duration = Duration::from_secs(24 * 3_600);
/// Who claims, as long as the name of a connector's run is.
const OWNER: &[u8] = b"atlas/0123456789abcdef/1";
const CARRIER: &str = "atlas";
/// As long as the version of a table, a policy of the example and the name of a network.
const TABLE: &str = "0123456789abcdef";
const POLICY: &str = "passwords";
const NETWORK: &str = "20801";

/// All of them.
pub(super) struct Letters {
    written: Vec<Written>,
    carrier: CarrierName,
    /// When they were made, and all were accepted.
    at: UnixMs,
}

/// One message in all its forms.
pub(super) struct Written {
    pub(super) accepted: Bytes,
    pub(super) order: Bytes,
    pub(super) outcome: Bytes,
    pub(super) receipt: Bytes,
    pub(super) event: Bytes,
    correlation: Bytes,
    waiting: Bytes,
    ended: Bytes,
}

impl Letters {
    /// Those that `seed` fixes, accepted at `at`.
    ///
    /// # Errors
    /// The texts in the repository were edited and no longer hold together, or the rules of messages no longer end one that is
    /// delivered.
    pub(super) fn new(seed: u64, at: UnixMs) -> anyhow::Result<Self> {
        let carrier = CarrierName::new(CARRIER)?;
        let single = |letter: &Letter| sms::count(&Content::Text(letter.text.clone())).segments == 1;
        let letters = Traffic::new(seed)?.filter(single).take(LETTERS);
        let written = letters
            .zip(0..)
            .map(|(letter, place)| write(letter, key_of(place), &carrier, at));
        Ok(Self {
            written: written.collect::<anyhow::Result<_>>()?,
            carrier,
            at,
        })
    }

    /// What is written about the message of that key.
    pub(super) fn of(&self, key: u64) -> &Written {
        &self.written[(key % self.written.len() as u64) as usize]
    }

    /// Octets of a message's records, on the mean.
    pub(super) fn octets(&self) -> f64 {
        let octets = |written: &Written| {
            let Written {
                accepted,
                order,
                outcome,
                receipt,
                event,
                ..
            } = written;
            [accepted, order, outcome, receipt, event]
                .map(Bytes::len)
                .into_iter()
                .sum::<usize>()
        };
        self.written.iter().map(octets).sum::<usize>() as f64 / self.written.len() as f64
    }

    /// The connector's claim of the order.
    pub(super) fn claim(&self, key: u64) -> Op {
        Op::Claim {
            key: keys::claim(id_of(key, self.at), OrderNumber::FIRST),
            owner: Bytes::from_static(OWNER),
            expires_at_ms: self.expiry(),
        }
    }

    /// What waits for the receipt, with its timer, and by which the receipt is found.
    pub(super) fn wait(&self, key: u64, partition: u32) -> [Op; 2] {
        let written = self.of(key);
        let state = Op::Swap {
            key: self.state(key),
            expected: None,
            value: Some(written.waiting.clone()),
            expires_at_ms: self.expiry(),
            due: Some(Due {
                partition,
                second: self.expiry() / 1_000,
            }),
        };
        let correlation = Op::Put {
            key: keys::correlation(&self.carrier, &remote_id(key)),
            value: written.correlation.clone(),
            expires_at_ms: self.expiry(),
        };
        [state, correlation]
    }

    /// The end, in place of what waited as `version`.
    pub(super) fn end(&self, key: u64, version: u64) -> Op {
        Op::Swap {
            key: self.state(key),
            expected: Some(version),
            value: Some(self.of(key).ended.clone()),
            expires_at_ms: self.expiry(),
            due: None,
        }
    }

    fn state(&self, key: u64) -> Key {
        keys::state(id_of(key, self.at))
    }

    fn expiry(&self) -> u64 {
        (self.at + KEPT).0
    }
}

/// The key of the message at `place`: no two are alike, and they spread evenly.
pub(super) fn key_of(place: u64) -> u64 {
    place.wrapping_mul(SPREAD)
}

/// Six bits of an id are its version and variant, and these hide none of the lower ones of the key, which differ by themselves.
fn id_of(key: u64, at: UnixMs) -> MessageId {
    let mut rest = [0; 10];
    rest[2..].copy_from_slice(&key.to_be_bytes());
    MessageId::of(at, rest)
}

/// As long as most carriers' ids.
fn remote_id(key: u64) -> String {
    format!("{:010x}", key & 0xff_ffff_ffff)
}

fn write(letter: Letter, key: u64, carrier: &CarrierName, at: UnixMs) -> anyhow::Result<Written> {
    let order = order(letter, key, carrier, at)?;
    let answer = OrderAnswer {
        order: order.order_ref(),
        outcome: Outcome::Accepted {
            remote_ids: vec![remote_id(key)],
        },
        at,
        returned: Box::new(order.clone()),
        charge: None,
    };
    let receipt = ReceiptRecord {
        order: order.order_ref(),
        segment: 0,
        segments: Some(1),
        receipt: Receipt {
            state: ReceiptState::Delivered,
            fault: ReceiptFault::Handset,
            raw: "DELIVRD".to_owned(),
            error: "000".to_owned(),
            done_at: Some(at),
            vendor: Vec::new(),
        },
        at,
    };
    let correlation = Correlation {
        order: order.order_ref(),
        segment: 0,
        segments: 1,
        trace: None,
    };
    let step = |state: Option<State>, input| {
        let known = Known {
            is_kept: state.is_some(),
            ..Known::default()
        };
        fold(state, &input, at, &known)
    };
    let (waiting, _) = step(None, Input::Answered(Box::new(answer.clone())));
    let (ended, actions) = step(Some(waiting.clone()), Input::Receipt(Box::new(receipt.clone())));
    let event = actions.tell.context("a message that was delivered has an end")?;
    Ok(Written {
        accepted: record::accepted_to_bytes(&order.message),
        order: record::order_to_bytes(&order),
        outcome: record::outcome_to_bytes(&answer),
        receipt: record::receipt_to_bytes(&receipt),
        event: record::event_to_bytes(&event),
        correlation: record::correlation_to_bytes(&correlation),
        waiting: record::state_to_bytes(&waiting),
        ended: record::state_to_bytes(&ended),
    })
}

fn order(letter: Letter, key: u64, carrier: &CarrierName, at: UnixMs) -> anyhow::Result<Order> {
    let content = Content::Text(letter.text);
    let size = sms::count(&content);
    let message = Message {
        id: id_of(key, at),
        account: AccountId::new("demo")?,
        key: RecordKey(key),
        from: letter.from,
        to: letter.to,
        content,
        encoding: size.encoding,
        segments: size.segments,
        class: letter.class,
        accepted_at: at,
        ttl: None,
        receipt: true,
        reference: format!("load-{:x}-1/{}", at.0, key % 1_000_000),
        copy_of: None,
        trace: None,
    };
    Ok(Order {
        terms: Terms {
            attempts_max: 3,
            ..Terms::of_class(&message)
        },
        message,
        number: OrderNumber::FIRST,
        carrier: carrier.clone(),
        network: NETWORK.to_owned(),
        looked_up: None,
        price: Some(Price {
            unit_micros: 41_000,
            currency: "EUR".to_owned(),
            cost_micros: 41_000,
        }),
        mask: Mask::default(),
        receipt: true,
        table: TABLE.to_owned(),
        policy: POLICY.to_owned(),
        issued_at: at,
        attempts: Vec::new(),
    })
}

#[cfg(test)]
mod tests;

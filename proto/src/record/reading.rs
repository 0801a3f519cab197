//! What a record says of itself without its secrets, read as whoever reads its topic does.

use bytes::Bytes;
use journey::{Delayed, Event, OrderRef};
use sms::{AccountId, CarrierName, Lane, MessageId, RecordKey, UnixMs};

use super::{
    Invalid, accepted_with_key_from_bytes, carrier_word_from_bytes, delayed_from_bytes, event_from_bytes,
    inbound_from_bytes, order_from_bytes, outcome_from_bytes, receipt_from_bytes, table_word_from_bytes,
    unmatched_from_bytes,
};
use crate::topics;

/// What a record is, and what it is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The kind of record.
    pub kind: &'static str,
    /// The message; `None` = it names none.
    pub message: Option<MessageId>,
    /// The message's account; `None` = it names none.
    pub account: Option<AccountId>,
    /// The carrier; `None` = it names none.
    pub carrier: Option<CarrierName>,
    /// The last instant at which its message may change; `None` = it moves none on that may have ended.
    pub until: Option<UnixMs>,
}

impl Reading {
    fn of(kind: &'static str, message: &sms::Message, carrier: Option<&CarrierName>) -> Self {
        Self {
            kind,
            message: Some(message.id),
            account: Some(message.account.clone()),
            carrier: carrier.cloned(),
            until: None,
        }
    }

    fn until(self, until: UnixMs) -> Self {
        let until = Some(until);
        Self { until, ..self }
    }

    fn of_order(kind: &'static str, order: OrderRef) -> Self {
        Self {
            kind,
            message: Some(order.message),
            account: None,
            carrier: Some(order.carrier),
            until: None,
        }
    }
}

/// Reads `octets` as a record with `key` on the topic called `topic` is read.
///
/// # Errors
/// Why nobody who reads that topic could read it, or there is no such topic.
pub fn read_as_on(topic: &str, octets: &Bytes, key: u64) -> Result<Reading, Invalid> {
    let is = |known: bus::Topic| known.as_str() == topic;
    if Lane::ALL.into_iter().any(|lane| is(topics::accepted(lane))) {
        let (message, _) = accepted_with_key_from_bytes(octets)?;
        return Ok(Reading::of("accepted message", &message, None));
    }
    if let Some(carrier) = topics::carrier_of_dispatch(topic) {
        let order = order_from_bytes(octets)?;
        order_is_for(&order.carrier, carrier)?;
        let reading = Reading::of("order", &order.message, Some(&order.carrier));
        return Ok(reading.until(order.terms.deadline + order.terms.grace));
    }
    let waits = topics::DELAYS.map(|(word, _)| topics::retry(word)).into_iter();
    if waits.chain(Lane::ALL.map(topics::lookup)).any(is) {
        return Ok(match delayed_from_bytes(octets, RecordKey(key))? {
            Delayed::Message(waiting) => Reading::of("waiting message", &waiting.message, waiting.stay.as_ref())
                .until(waiting.deadline + waiting.message.class.grace()),
            Delayed::Receipt { receipt, .. } => unmatched(receipt),
        });
    }
    if is(topics::outcomes()) {
        let answer = outcome_from_bytes(octets)?;
        let terms = &answer.returned.terms;
        let reading = Reading::of("outcome", &answer.returned.message, Some(&answer.order.carrier));
        return Ok(reading.until(terms.deadline + terms.grace));
    }
    if is(topics::receipts()) {
        return receipt_from_bytes(octets).map(|receipt| Reading::of_order("receipt", receipt.order));
    }
    if is(topics::unmatched()) {
        return unmatched_from_bytes(octets).map(unmatched);
    }
    if is(topics::events()) {
        return Ok(match event_from_bytes(octets)? {
            Event::Ended(ended) => Reading::of("end", &ended.message, ended.carrier.as_ref()),
            Event::Late(late) => Reading::of_order("late receipt", late.order),
        });
    }
    if is(topics::inbound()) {
        return inbound_from_bytes(octets).map(|inbound| Reading {
            kind: "inbound message",
            carrier: Some(inbound.carriers.first().clone()),
            ..Reading::default()
        });
    }
    if is(topics::carriers()) {
        return carrier_word_from_bytes(octets).map(|_| Reading {
            kind: "word about carriers",
            ..Reading::default()
        });
    }
    if is(topics::tables()) {
        return table_word_from_bytes(octets).map(|_| Reading {
            kind: "word about tables",
            ..Reading::default()
        });
    }
    Err(Invalid::Field {
        field: "topic",
        reason: format!("{topic} is no topic that is read here"),
    })
}

/// Whether an order for `carrier` may stand on a topic of the carrier called `topic_of`.
///
/// # Errors
/// It is another's.
pub fn order_is_for(carrier: &CarrierName, topic_of: &str) -> Result<(), Invalid> {
    if carrier.as_str() == topic_of {
        return Ok(());
    }
    Err(Invalid::Field {
        field: "carrier",
        reason: format!("an order for carrier {carrier} stands on a topic of carrier {topic_of}"),
    })
}

fn unmatched(receipt: journey::Unmatched) -> Reading {
    Reading {
        kind: "unmatched receipt",
        carrier: Some(receipt.carrier),
        ..Reading::default()
    }
}

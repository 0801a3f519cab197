//! The steps of one run, for people who follow it: what each process asked of log and store, and what it was answered.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bus::Topic;
use bytes::Bytes;
use journey::{Delayed, Event};
use service::Clock;
use signalbox_proto::record;
use sms::{MessageId, RecordKey, UnixMs};

/// One thing that happened in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When, from the beginning of the run.
    pub at: Duration,
    /// Which process did it; empty = none of them.
    pub who: String,
    /// What.
    pub what: String,
    /// Messages it is about, without repeats; empty = none in particular.
    pub messages: Vec<MessageId>,
}

/// Takes the steps of one run down. Clones are one list.
#[derive(Clone)]
pub(crate) struct Steps {
    clock: Clock,
    start: UnixMs,
    taken: Arc<Mutex<Vec<Step>>>,
}

impl Step {
    /// Whether it is about `message`, or about none in particular.
    pub fn concerns(&self, message: &MessageId) -> bool {
        self.messages.is_empty() || self.messages.contains(message)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>9.3} s  {:<12} {}", self.at.as_secs_f64(), self.who, self.what)
    }
}

impl Steps {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            start: clock.now(),
            clock,
            taken: Arc::default(),
        }
    }

    /// Takes down what `who` did.
    pub(crate) fn note(&self, who: &str, what: impl Into<String>, mut messages: Vec<MessageId>) {
        messages.sort_unstable();
        messages.dedup();
        let step = Step {
            at: self.clock.now().since(self.start),
            who: who.to_owned(),
            what: what.into(),
            messages,
        };
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).push(step);
    }

    pub(crate) fn taken(&self) -> Vec<Step> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What a record of `topic` says in short, and of which message.
pub(crate) fn record_in_short(topic: &Topic, key: u64, value: &Bytes) -> (String, Option<MessageId>) {
    let family = topic.as_str().trim_start_matches("signalbox.");
    let family = family.split('.').next().unwrap_or_default();
    let read = match family {
        "accepted" => accepted(value),
        "dispatch" => order(value),
        "outcomes" => outcome(value),
        "receipts" => receipt(value),
        "events" => event(value),
        "retry" => delayed(key, value),
        _ => None,
    };
    match read {
        Some((what, message)) => (what, Some(message)),
        None => (format!("{} octets", value.len()), None),
    }
}

fn accepted(value: &Bytes) -> Option<(String, MessageId)> {
    let message = record::accepted_from_bytes(value).ok()?;
    Some((format!("{} {}", message.id, message.class), message.id))
}

fn order(value: &Bytes) -> Option<(String, MessageId)> {
    let order = record::order_from_bytes(value).ok()?;
    let (id, number, carrier) = (order.message.id, order.number.0, &order.carrier);
    Some((format!("{id} order {number} for {carrier}"), id))
}

fn outcome(value: &Bytes) -> Option<(String, MessageId)> {
    let answer = record::outcome_from_bytes(value).ok()?;
    let (id, number) = (answer.order.message, answer.order.number.0);
    Some((format!("{id} order {number}: {}", answer.outcome.as_str()), id))
}

fn receipt(value: &Bytes) -> Option<(String, MessageId)> {
    let heard = record::receipt_from_bytes(value).ok()?;
    let (id, number, state) = (heard.order.message, heard.order.number.0, heard.receipt.state);
    Some((format!("{id} order {number} part {}: {state:?}", heard.segment), id))
}

fn event(value: &Bytes) -> Option<(String, MessageId)> {
    Some(match record::event_from_bytes(value).ok()? {
        Event::Ended(end) => (format!("{} ends as {}", end.message.id, end.state), end.message.id),
        Event::Late(late) => (format!("{} late receipt", late.order.message), late.order.message),
    })
}

fn delayed(key: u64, value: &Bytes) -> Option<(String, MessageId)> {
    match record::delayed_from_bytes(value, RecordKey(key)).ok()? {
        Delayed::Message(waiting) => {
            let (id, number) = (waiting.message.id, waiting.number.0);
            Some((format!("{id} order {number} waits until {}", waiting.until), id))
        }
        Delayed::Receipt { .. } => None,
    }
}

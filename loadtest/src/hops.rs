//! Where messages were for how long, by what the log and the carriers wrote down: it costs a run nothing.

use hdrhistogram::Histogram;
use journey::{Attempt, TerminalEvent};
use serde::{Deserialize, Serialize};
use sms::{UnixMs, UnixUs};

use crate::submit::{Latency, histogram};

/// Time that messages spent between two points of their way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hop {
    /// From where to where.
    pub what: String,
    /// Over all messages. Points that the log knows to the millisecond make it up to one too long or too short.
    pub latency: Latency,
}

/// From where to where messages go, in order.
const HOPS: [&str; 5] = [
    "accepted → order published",
    "order published → carrier has it",
    "carrier has it → its answer is known",
    "answer → receipt heard (mostly the carrier's own delay)",
    "receipt heard → ended",
];

/// Every hop of every message that a carrier took.
#[derive(Clone, Debug)]
pub(crate) struct Hops {
    to_carrier: Histogram<u64>,
    each: [Histogram<u64>; HOPS.len()],
}

impl Default for Hops {
    fn default() -> Self {
        Self {
            to_carrier: histogram(),
            each: std::array::from_fn(|_| histogram()),
        }
    }
}

impl Hops {
    /// A message that ended so, and of which `arrived` is when the carrier had it that took it by `attempt`.
    pub(crate) fn note(&mut self, end: &TerminalEvent, attempt: &Attempt, arrived: UnixUs) {
        let accepted = end.message.id.precise_instant();
        let heard = attempt.receipts.iter().map(|receipt| receipt.at).max();
        let points = [
            Some(accepted),
            Some(micros(attempt.issued_at)),
            Some(arrived),
            Some(micros(attempt.answer.at)),
            heard.map(micros),
            Some(micros(end.ended_at)),
        ];
        record(&mut self.to_carrier, accepted, arrived);
        for (hop, pair) in self.each.iter_mut().zip(points.windows(2)) {
            if let [Some(from), Some(to)] = *pair {
                record(hop, from, to);
            }
        }
    }

    /// From accepted to the carrier.
    pub(crate) fn to_carrier(&self) -> Latency {
        Latency::of(&self.to_carrier)
    }

    /// Every hop, in order.
    pub(crate) fn told(&self) -> Vec<Hop> {
        let hop = |(what, times): (&&str, &Histogram<u64>)| Hop {
            what: (*what).to_owned(),
            latency: Latency::of(times),
        };
        HOPS.iter().zip(&self.each).map(hop).collect()
    }
}

fn micros(at: UnixMs) -> UnixUs {
    UnixUs(at.0 * 1_000)
}

fn record(times: &mut Histogram<u64>, from: UnixUs, to: UnixUs) {
    times.saturating_record(to.0.saturating_sub(from.0));
}

//! What one stream counted, and the sum over streams.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;
use tokio::time::Instant;

use super::seconds::Seconds;

/// Counts and latencies. Latencies are kept in microseconds, up to an hour, to three digits.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub(crate) sent: u64,
    pub(crate) accepted: u64,
    pub(crate) segments: u64,
    pub(crate) unanswered: u64,
    /// Times a message was told to come back, and was to.
    pub(crate) held_back: u64,
    /// Refused messages by gRPC code and reason.
    pub(crate) refused: BTreeMap<String, Refused>,
    pub(crate) latency: Histogram<u64>,
    /// How long after it was due the most delayed message was handed to the connection.
    pub(crate) lag_max: Duration,
    pub(crate) last_answer: Option<Instant>,
    /// Messages accepted in each second.
    pub(crate) each_second: Seconds,
    /// Ids of accepted messages, if the plan keeps them.
    pub(crate) ids: Vec<String>,
    /// Why streams broke.
    pub(crate) faults: Vec<String>,
}

/// Messages refused for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Refused {
    /// How many.
    pub messages: u64,
    /// What was said of the first.
    pub example: String,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            sent: 0,
            accepted: 0,
            segments: 0,
            unanswered: 0,
            held_back: 0,
            refused: BTreeMap::new(),
            latency: histogram(),
            lag_max: Duration::ZERO,
            last_answer: None,
            each_second: Seconds::default(),
            ids: Vec::new(),
            faults: Vec::new(),
        }
    }
}

impl Tally {
    /// Counts one accepted message.
    pub(crate) fn accept(&mut self, segments: u32, due: Instant, answered: Instant) {
        self.accepted += 1;
        self.segments += u64::from(segments);
        record(&mut self.latency, due, answered);
    }

    /// Counts `messages` refused for `reason`.
    pub(crate) fn refuse(&mut self, messages: u64, reason: String, example: &str) {
        let refused = self.refused.entry(reason).or_default();
        if refused.messages == 0 {
            refused.example = example.to_owned();
        }
        refused.messages += messages;
    }

    /// Adds what another stream counted.
    pub(crate) fn add(&mut self, other: Self) {
        self.sent += other.sent;
        self.accepted += other.accepted;
        self.segments += other.segments;
        self.unanswered += other.unanswered;
        self.held_back += other.held_back;
        for (reason, refused) in other.refused {
            self.refuse(refused.messages, reason, &refused.example);
        }
        self.latency
            .add(other.latency)
            .expect("both have the bounds of histogram()");
        self.lag_max = self.lag_max.max(other.lag_max);
        self.last_answer = self.last_answer.max(other.last_answer);
        self.each_second.add(&other.each_second);
        self.ids.extend(other.ids);
        self.faults.extend(other.faults);
    }
}

/// An empty histogram of microseconds: 1 µs to an hour, three digits.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 3_600_000_000, 3).expect("these bounds are in order")
}

/// Records the time from `due` to `at`; over an hour counts as an hour.
pub(crate) fn record(latency: &mut Histogram<u64>, due: Instant, at: Instant) {
    let micros = at.saturating_duration_since(due).as_micros();
    latency.saturating_record(u64::try_from(micros).unwrap_or(u64::MAX));
}

#[cfg(test)]
mod tests;

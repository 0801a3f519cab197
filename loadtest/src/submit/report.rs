//! What a run found, for people and as JSON.

use std::{collections::BTreeMap, fmt};

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

pub use super::tally::Refused;
use super::{Plan, tally::Tally};

/// What a run found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// Where the messages went.
    pub target: String,
    /// Messages per second that were due.
    pub rate_asked: u32,
    /// Messages per second accepted, from the first one's due time to the last answer.
    pub rate_accepted: f64,
    /// Seconds from the first message's due time to the last answer.
    pub seconds: f64,
    /// Messages accepted in each of these seconds.
    pub accepted_each_second: Vec<u64>,
    /// Connections used.
    pub connections: u32,
    /// Messages handed to connections.
    pub sent: u64,
    /// Messages answered OK.
    pub accepted: u64,
    /// Segments of the accepted ones.
    pub segments: u64,
    /// Messages sent and never answered.
    pub unanswered: u64,
    /// Times a message was told to come back later, and was to.
    pub held_back: u64,
    /// Messages that were due and could not be sent any more, because their stream broke.
    pub unsent: u64,
    /// Messages refused, by gRPC code and reason.
    pub refused: BTreeMap<String, Refused>,
    /// From the moment a message was due to its OK.
    pub latency: Latency,
    /// How late the most delayed message was handed to its connection: over some milliseconds, either the router pushed
    /// back or this program could not keep up. It is part of the latency.
    pub lag_ms_max: f64,
    /// What receipts said; absent = they were not followed.
    pub receipts: Option<ReceiptsReport>,
    /// What broke.
    pub faults: Vec<String>,
    /// Ids of the accepted messages, if the plan asked to keep them.
    #[serde(skip)]
    pub accepted_ids: Vec<String>,
}

/// How the messages of a run ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReceiptsReport {
    /// Seconds from the first message's due time to the last end.
    pub seconds: f64,
    /// Messages that ended in each of these seconds.
    pub ended_each_second: Vec<u64>,
    /// Messages whose end is known.
    pub ended: u64,
    /// Accepted messages whose end is not.
    pub missing: u64,
    /// Messages by terminal state.
    pub states: BTreeMap<String, u64>,
    /// Words of carriers that came after the end.
    pub late: u64,
    /// Receipts that came again.
    pub repeated: u64,
    /// From the moment a message was due to the receipt that says it is delivered.
    pub latency_delivered: Latency,
}

/// A distribution of times, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Median.
    pub p50_ms: f64,
    /// 95th percentile.
    pub p95_ms: f64,
    /// 99th percentile.
    pub p99_ms: f64,
    /// Longest.
    pub max_ms: f64,
}

impl Latency {
    /// The figures of a histogram of microseconds; all 0 if it is empty.
    pub(crate) fn of(micros: &Histogram<u64>) -> Self {
        let at = |quantile| micros.value_at_quantile(quantile) as f64 / 1_000.0;
        Self {
            p50_ms: at(0.50),
            p95_ms: at(0.95),
            p99_ms: at(0.99),
            max_ms: micros.max() as f64 / 1_000.0,
        }
    }
}

impl Report {
    pub(crate) fn new(plan: &Plan, tally: Tally, seconds: f64, receipts: Option<ReceiptsReport>) -> Self {
        Self {
            target: plan.target.url(),
            rate_asked: plan.rate,
            rate_accepted: if seconds > 0.0 {
                tally.accepted as f64 / seconds
            } else {
                0.0
            },
            seconds,
            accepted_each_second: tally.each_second.counts(),
            connections: plan.connections,
            sent: tally.sent,
            accepted: tally.accepted,
            segments: tally.segments,
            unanswered: tally.unanswered,
            held_back: tally.held_back,
            unsent: plan.messages.saturating_sub(tally.sent),
            latency: Latency::of(&tally.latency),
            lag_ms_max: tally.lag_max.as_secs_f64() * 1_000.0,
            refused: tally.refused,
            receipts,
            faults: tally.faults,
            accepted_ids: tally.ids,
        }
    }

    /// Whether every message was sent and answered, and every accepted one whose receipt was followed has ended. A
    /// refused message is an answer.
    pub fn is_complete(&self) -> bool {
        let ended = self.receipts.as_ref().is_none_or(|receipts| receipts.missing == 0);
        self.unanswered == 0 && self.unsent == 0 && self.faults.is_empty() && ended
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "submitted  {} messages to {} over {} connections at {} a second asked",
            self.sent, self.target, self.connections, self.rate_asked
        )?;
        writeln!(
            f,
            "accepted   {} ({} segments) in {:.2} s: {:.0} a second",
            self.accepted, self.segments, self.seconds, self.rate_accepted
        )?;
        for (reason, refused) in &self.refused {
            writeln!(f, "refused    {} {reason}: {}", refused.messages, refused.example)?;
        }
        if self.held_back > 0 {
            writeln!(f, "held back  messages were told to come back {} times", self.held_back)?;
        }
        if self.unanswered + self.unsent > 0 {
            writeln!(
                f,
                "missing    {} without an answer, {} never sent",
                self.unanswered, self.unsent
            )?;
        }
        writeln!(
            f,
            "due to OK  {}; handed over at most {:.1} ms late",
            self.latency, self.lag_ms_max
        )?;
        if let Some(receipts) = &self.receipts {
            write!(f, "{receipts}")?;
        }
        self.faults
            .iter()
            .try_for_each(|fault| writeln!(f, "fault      {fault}"))
    }
}

impl fmt::Display for ReceiptsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ended      {}", self.ended)?;
        self.states
            .iter()
            .try_for_each(|(state, messages)| write!(f, ", {state} {messages}"))?;
        writeln!(
            f,
            "; {} missing, {} repeated, {} late",
            self.missing, self.repeated, self.late
        )?;
        writeln!(f, "due to delivered  {}", self.latency_delivered)
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
            self.p50_ms, self.p95_ms, self.p99_ms, self.max_ms
        )
    }
}

//! Names of the metrics of look-ups.

use std::time::Duration;

use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use service::telemetry::begin;
use table::Micros;

use crate::{Failure, Reply, Skip, Source, Why};

const ANSWERS: &str = "signalbox_lookup_answers_total";
const JOINED: &str = "signalbox_lookup_joined_total";
const REFRESHED: &str = "signalbox_lookup_refreshes_total";
const LATE: &str = "signalbox_lookup_late_total";
const FULL: &str = "signalbox_lookup_full_total";
const UNDER_WAY: &str = "signalbox_lookup_under_way";
const QUERIES: &str = "signalbox_lookup_queries_total";
const SKIPPED: &str = "signalbox_lookup_skipped_total";
const COST: &str = "signalbox_lookup_cost_micros_total";
const SECONDS: &str = "signalbox_lookup_query_seconds";
const STORE_FAILURES: &str = "signalbox_lookup_store_failures_total";
const VERDICTS: &str = "signalbox_lookup_verdicts_total";
const UNSPENT: &str = "signalbox_lookup_unspent_micros_total";
const SAVED: &str = "signalbox_lookup_saved_micros_total";

/// Describes the metrics of look-ups to the recorder in place, and begins them at zero.
pub fn describe() {
    describe_counter!(
        VERDICTS,
        Unit::Count,
        "messages whose route looks up when it matters, by verdict: worth and curious ask, dear, nothing, told and nobody do not"
    );
    describe_counter!(
        UNSPENT,
        Unit::Count,
        "price of the queries that were not made, in millionths of the table's currency, by verdict"
    );
    describe_counter!(
        SAVED,
        Unit::Count,
        "what answers saved by another carrier or price, in millionths of the table's currency"
    );
    describe_chain();
    begin(VERDICTS, &[("verdict", &Why::ALL.map(Why::as_str))]);
    begin(UNSPENT, &[("verdict", &[Why::Dear, Why::Nothing].map(Why::as_str))]);
    begin(STORE_FAILURES, &[("doing", &["read", "write", "remove", "decode"])]);
    begin(SAVED, &[]);
}

/// Counts a verdict, and the `price` of the query where that is not made.
pub(crate) fn verdict(why: Why, price: Micros) {
    counter!(VERDICTS, "verdict" => why.as_str()).increment(1);
    if matches!(why, Why::Dear | Why::Nothing) {
        counter!(UNSPENT, "verdict" => why.as_str()).increment(micros(price));
    }
}

/// Counts what an answer saved, see `table::Table::saving`.
pub fn saved(saving: Micros) {
    counter!(SAVED).increment(micros(saving));
}

/// Nothing below zero is counted.
fn micros(amount: Micros) -> u64 {
    u64::try_from(amount.0).unwrap_or(0)
}

fn describe_chain() {
    let count = Unit::Count;
    describe_counter!(ANSWERS, count, "answers about numbers, by source and age");
    describe_counter!(
        JOINED,
        count,
        "answers that were waited for with somebody who had asked already"
    );
    describe_counter!(REFRESHED, count, "stale numbers that were asked about anew");
    describe_counter!(LATE, count, "numbers that nobody answered for within the budget");
    describe_counter!(
        FULL,
        count,
        "numbers left to the numbering plan, as too many were being asked about"
    );
    describe_gauge!(UNDER_WAY, count, "numbers that are being asked about");
    describe_counter!(QUERIES, count, "numbers that a provider was asked about, by outcome");
    describe_counter!(SKIPPED, count, "numbers that a provider was not asked about, by reason");
    describe_counter!(
        COST,
        count,
        "what providers charged, in millionths of the table's currency"
    );
    describe_histogram!(SECONDS, Unit::Seconds, "time a provider took for a call");
    describe_counter!(
        STORE_FAILURES,
        count,
        "times the shared store was of no use: read, write and remove failed, decode found what cannot be read"
    );
}

/// Counts for a chain. Handles are had once, as answers from memory are many.
pub(crate) struct Counted {
    /// By source and whether they are stale.
    answers: [[Counter; 2]; 5],
    joined: Counter,
    refreshed: Counter,
    late: Counter,
    full: Counter,
    under_way: Gauge,
}

impl Counted {
    pub(crate) fn new() -> Self {
        let answers =
            |source: Source| ["fresh", "stale"].map(|age| counter!(ANSWERS, "source" => source.as_str(), "age" => age));
        Self {
            answers: Source::ALL.map(answers),
            joined: counter!(JOINED),
            refreshed: counter!(REFRESHED),
            late: counter!(LATE),
            full: counter!(FULL),
            under_way: gauge!(UNDER_WAY),
        }
    }

    pub(crate) fn answered(&self, source: Source, is_stale: bool) {
        self.answers[source as usize][usize::from(is_stale)].increment(1);
    }

    pub(crate) fn joined(&self) {
        self.joined.increment(1);
    }

    pub(crate) fn refreshed(&self) {
        self.refreshed.increment(1);
    }

    pub(crate) fn late(&self) {
        self.late.increment(1);
    }

    pub(crate) fn full(&self) {
        self.full.increment(1);
    }

    pub(crate) fn under_way(&self, numbers: usize) {
        self.under_way.set(numbers as f64);
    }
}

/// Counts for one provider; there are few, by configuration.
pub(crate) struct Provided {
    name: String,
    cost: Counter,
    seconds: Histogram,
}

impl Provided {
    pub(crate) fn new(name: &str) -> Self {
        let outcomes = [&["unknown", "answered"], &Failure::WORDS[..]].concat();
        begin(QUERIES, &[("provider", &[name]), ("outcome", &outcomes)]);
        begin(
            SKIPPED,
            &[("provider", &[name]), ("reason", &Skip::ALL.map(Skip::as_str))],
        );
        Self {
            cost: counter!(COST, "provider" => name.to_owned()),
            seconds: histogram!(SECONDS, "provider" => name.to_owned()),
            name: name.to_owned(),
        }
    }

    pub(crate) fn answered(&self, results: &[Result<Reply, Failure>]) {
        for result in results {
            let outcome = match result {
                Ok(reply) if *reply == Reply::default() => "unknown",
                Ok(_) => "answered",
                Err(failure) => failure.as_str(),
            };
            counter!(QUERIES, "provider" => self.name.clone(), "outcome" => outcome).increment(1);
        }
    }

    pub(crate) fn skipped(&self, skip: Skip, numbers: usize) {
        let skipped = counter!(SKIPPED, "provider" => self.name.clone(), "reason" => skip.as_str());
        skipped.increment(numbers as u64);
    }

    pub(crate) fn paid(&self, cost: Micros) {
        self.cost.increment(micros(cost));
    }

    pub(crate) fn took(&self, took: Duration) {
        self.seconds.record(took.as_secs_f64());
    }
}

/// Counts that the shared store was of no use.
pub(crate) fn store_failed(doing: &'static str) {
    counter!(STORE_FAILURES, "doing" => doing).increment(1);
}

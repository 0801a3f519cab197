//! Names of the router's metrics.

use std::time::Duration;

use bus::Topic;
use journey::{EndState, Outcome};
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use service::telemetry::begin;
use signalbox_proto::{record::Fault, topics};
use sms::Lane;

use crate::grpc;

const ORDERS: &str = "signalbox_router_orders_total";
const OUTCOMES: &str = "signalbox_router_outcomes_total";
const ENDS: &str = "signalbox_router_ends_total";
const CARRIER_ENDS: &str = "signalbox_router_carrier_ends_total";
const COST: &str = "signalbox_router_cost_micros_total";
const WAITS: &str = "signalbox_router_waits_total";
const DEAD: &str = "signalbox_router_dead_records_total";
const REPLAYED: &str = "signalbox_router_replayed_records_total";
const DUPLICATES: &str = "signalbox_router_duplicates_total";
const LATE: &str = "signalbox_router_late_receipts_total";
const LOOK_UPS: &str = "signalbox_router_lookups_total";
const LOOKING_UP: &str = "signalbox_router_lookups_waiting";
const QUESTIONS: &str = "signalbox_router_questions_total";
const MATCHED: &str = "signalbox_router_unmatched_receipts_total";

const REBUILDS: &str = "signalbox_router_store_rebuilds_total";
const MENDED: &str = "signalbox_router_states_mended_total";
const MADE: &str = "signalbox_router_states_made_total";
const REBUILD_SECONDS: &str = "signalbox_router_store_rebuild_seconds";

const FIGURES: &str = "signalbox_router_figures";
const CARRIER_UP: &str = "signalbox_router_carrier_up";
const CARRIER_EJECTIONS: &str = "signalbox_router_carrier_ejections";
const CARRIER_BACKLOG: &str = "signalbox_router_carrier_backlog_seconds";
const LAG: &str = "signalbox_router_lag_seconds";
const CONGESTED: &str = "signalbox_router_congested_heads";

/// Values in the store that may turn out to be of no use, as they are called among topics.
const STORED: [&str; 2] = ["store/state", "store/corr"];

/// Describes the router's metrics to the recorder in place.
pub(crate) fn describe() {
    describe_counter!(ORDERS, Unit::Count, "orders published, by carrier");
    describe_counter!(OUTCOMES, Unit::Count, "answers of carriers, by outcome");
    describe_counter!(ENDS, Unit::Count, "messages that ended, by state; repeats count again");
    describe_counter!(
        CARRIER_ENDS,
        Unit::Count,
        "messages that a carrier decided, by carrier and state; repeats count again"
    );
    describe_counter!(
        COST,
        Unit::Count,
        "what carriers charge for what they took, by the table, in millionths of its currency; repeats count again"
    );
    describe_counter!(WAITS, Unit::Count, "messages put aside, by delay");
    describe_counter!(
        DEAD,
        Unit::Count,
        "records that could not be used, by topic and by fault"
    );
    describe_counter!(
        LOOK_UPS,
        Unit::Count,
        "messages whose route looks up who serves the number, by what came of it: known, asked, spared, full or dead"
    );
    describe_gauge!(LOOKING_UP, Unit::Count, "messages that wait for look-ups, by lane");
    describe_counter!(REPLAYED, Unit::Count, "dead records put back, by topic");
    describe_counter!(DUPLICATES, Unit::Count, "orders that could not be called off in time");
    describe_counter!(REBUILDS, Unit::Count, "times the store was rebuilt from the log");
    describe_counter!(MENDED, Unit::Count, "damaged states that were made again from the log");
    describe_counter!(
        MADE,
        Unit::Count,
        "states made of messages of which a record could not be read"
    );
    describe_histogram!(REBUILD_SECONDS, Unit::Seconds, "time it took to rebuild the store");
    describe_gauge!(
        FIGURES,
        Unit::Count,
        "pairs of carrier and network whose deliveries are counted"
    );
    describe_gauge!(CARRIER_UP, Unit::Count, "1 while a link of the carrier is up");
    describe_gauge!(
        CARRIER_EJECTIONS,
        Unit::Count,
        "networks the carrier is ejected from or probed on for failing, and one more for all of them"
    );
    describe_gauge!(
        CARRIER_BACKLOG,
        Unit::Seconds,
        "wait of an order published now, by carrier and lane; NaN while it is not known"
    );
    describe_gauge!(
        LAG,
        Unit::Seconds,
        "age of the oldest accepted message read and not placed, by lane"
    );
    describe_gauge!(
        CONGESTED,
        Unit::Count,
        "beginnings of numbers to which messages would wait for minutes, by lane"
    );
    describe_counter!(LATE, Unit::Count, "receipts that came after the end");
    describe_counter!(
        QUESTIONS,
        Unit::Count,
        "questions about routing, by call and by result: answered or why not"
    );
    describe_counter!(
        MATCHED,
        Unit::Count,
        "receipts without a match, by result: matched or orphan"
    );
}

/// Begins at zero what a router that reads `read` counts, whatever the carriers.
pub(crate) fn begin_all(read: &[Topic]) {
    let (lanes, faults) = (Lane::ALL.map(Lane::as_str), Fault::ALL.map(Fault::as_str));
    let places: Vec<&str> = read.iter().map(Topic::as_str).chain(STORED).collect();
    begin(OUTCOMES, &[("outcome", &Outcome::WORDS)]);
    begin(ENDS, &[("state", &EndState::ALL.map(EndState::as_str))]);
    begin(WAITS, &[("delay", &topics::DELAYS.map(|(word, _)| word))]);
    begin(LOOK_UPS, &[("result", &["known", "asked", "spared", "full", "dead"])]);
    begin(DEAD, &[("topic", &places), ("fault", &faults)]);
    begin(REPLAYED, &[("topic", &places)]);
    let results = [&["answered"], &grpc::REFUSALS[..]].concat();
    begin(QUESTIONS, &[("call", &grpc::CALLS), ("result", &results)]);
    begin(MATCHED, &[("result", &["matched", "orphan"])]);
    for name in [DUPLICATES, LATE, REBUILDS, MENDED, MADE] {
        begin(name, &[]);
    }
    // A histogram that somebody asked for is shown, empty as it is.
    let _ = histogram!(REBUILD_SECONDS);
    figures(0);
    for lane in lanes {
        looking_up(lane, 0);
        pressure(lane, Duration::ZERO, 0);
    }
}

/// Begins at zero what is counted of a carrier.
pub(crate) fn begin_carrier(carrier: &str) {
    let label = ("carrier", &[carrier][..]);
    begin(ORDERS, &[label]);
    begin(COST, &[label]);
    begin(CARRIER_ENDS, &[label, ("state", &EndState::ALL.map(EndState::as_str))]);
    gauge!(CARRIER_EJECTIONS, "carrier" => carrier.to_owned()).increment(0.0);
}

pub(crate) fn orders(carrier: &str, count: u64) {
    counter!(ORDERS, "carrier" => carrier.to_owned()).increment(count);
}

pub(crate) fn outcome(word: &'static str) {
    counter!(OUTCOMES, "outcome" => word).increment(1);
}

pub(crate) fn end(state: &'static str) {
    counter!(ENDS, "state" => state).increment(1);
}

/// A message ended by what `carrier` did.
pub(crate) fn carrier_end(carrier: &str, state: &'static str) {
    counter!(CARRIER_ENDS, "carrier" => carrier.to_owned(), "state" => state).increment(1);
}

/// `carrier` took a message that costs so much there; nothing below zero is counted.
pub(crate) fn cost(carrier: &str, micros: i64) {
    counter!(COST, "carrier" => carrier.to_owned()).increment(u64::try_from(micros).unwrap_or(0));
}

pub(crate) fn wait(delay: &'static str) {
    counter!(WAITS, "delay" => delay).increment(1);
}

pub(crate) fn look_up(result: &'static str) {
    counter!(LOOK_UPS, "result" => result).increment(1);
}

pub(crate) fn looking_up(lane: &'static str, messages: usize) {
    gauge!(LOOKING_UP, "lane" => lane).set(messages as f64);
}

pub(crate) fn dead(topic: &str, fault: &'static str) {
    counter!(DEAD, "topic" => topic.to_owned(), "fault" => fault).increment(1);
}

pub(crate) fn replayed(topic: &str) {
    counter!(REPLAYED, "topic" => topic.to_owned()).increment(1);
}

pub(crate) fn duplicate() {
    counter!(DUPLICATES).increment(1);
}

pub(crate) fn late_receipt() {
    counter!(LATE).increment(1);
}

pub(crate) fn question(call: &'static str, result: &'static str) {
    counter!(QUESTIONS, "call" => call, "result" => result).increment(1);
}

pub(crate) fn made(states: u64) {
    counter!(MADE).increment(states);
}

pub(crate) fn mended(states: u64) {
    counter!(MENDED).increment(states);
}

pub(crate) fn rebuilt(took: Duration) {
    counter!(REBUILDS).increment(1);
    histogram!(REBUILD_SECONDS).record(took.as_secs_f64());
}

pub(crate) fn unmatched(result: &'static str) {
    counter!(MATCHED, "result" => result).increment(1);
}

pub(crate) fn figures(pairs: usize) {
    gauge!(FIGURES).set(pairs as f64);
}

pub(crate) fn carrier_up(carrier: &str, is_up: bool) {
    gauge!(CARRIER_UP, "carrier" => carrier.to_owned()).set(f64::from(u8::from(is_up)));
}

pub(crate) fn carrier_ejections(carrier: &str, count: usize) {
    gauge!(CARRIER_EJECTIONS, "carrier" => carrier.to_owned()).set(count as f64);
}

pub(crate) fn pressure(lane: &'static str, lag: Duration, congested: usize) {
    gauge!(LAG, "lane" => lane).set(lag.as_secs_f64());
    gauge!(CONGESTED, "lane" => lane).set(congested as f64);
}

pub(crate) fn carrier_backlog(carrier: &str, lane: &'static str, wait: Option<Duration>) {
    let seconds = wait.map_or(f64::NAN, |wait| wait.as_secs_f64());
    gauge!(CARRIER_BACKLOG, "carrier" => carrier.to_owned(), "lane" => lane).set(seconds);
}

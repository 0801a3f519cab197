//! Names of the service's metrics, and the functions that count.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use service::{Seldom, telemetry::begin};
use signalbox_proto::{record::Fault, topics};
use sms::Lane;
use tracing::warn;

use crate::{Answer, Busy, BusyWhat, Refusal};

const ACCEPTED: &str = "signalbox_ingest_messages_accepted_total";
const REFUSED: &str = "signalbox_ingest_messages_refused_total";
const CALLS_REFUSED: &str = "signalbox_ingest_calls_refused_total";
const SHED: &str = "signalbox_ingest_messages_shed_total";
const ANSWER_SECONDS: &str = "signalbox_ingest_answer_seconds";
const RECEIPTS: &str = "signalbox_ingest_receipts_total";
const INBOUND: &str = "signalbox_ingest_inbound_total";
const CALLED: &str = "signalbox_ingest_called_total";
const WATCHES: &str = "signalbox_ingest_watches";
const BEHIND_SECONDS: &str = "signalbox_ingest_clock_behind_seconds";
const UNREADABLE: &str = "signalbox_ingest_dead_records_total";

/// Messages are refused by the thousand while something is busy.
static TOLD: Seldom = Seldom::new();

/// Describes the metrics to the recorder that is installed, and begins them.
pub fn describe() {
    describe_counter!(ACCEPTED, "Messages answered OK, by lane");
    describe_counter!(REFUSED, "Messages answered with an error, by reason");
    describe_counter!(CALLS_REFUSED, "Calls refused as a whole, by reason");
    describe_counter!(
        SHED,
        "Messages told to come back because they would wait too long, by lane and reason"
    );
    describe_histogram!(ANSWER_SECONDS, Unit::Seconds, "From a frame's arrival to its answers");
    describe_counter!(
        UNREADABLE,
        "Records and values that could not be read, by topic and fault"
    );
    describe_counter!(RECEIPTS, "Receipts handed to customers");
    describe_counter!(INBOUND, "Inbound messages handed to customers");
    describe_counter!(
        CALLED,
        "Inbound messages on the log, by whether an account owns the called number: owned or unowned"
    );
    describe_gauge!(WATCHES, "Streams of receipts and of inbound messages open");
    describe_gauge!(
        BEHIND_SECONDS,
        Unit::Seconds,
        "How far this machine's clock is behind the log's, where that is too far to accept messages; else 0"
    );
    begin_all();
}

/// Begins everything at zero.
fn begin_all() {
    let (lanes, faults) = (Lane::ALL.map(Lane::as_str), Fault::ALL.map(Fault::as_str));
    let (events, inbound) = (topics::events(), topics::inbound());
    begin(ACCEPTED, &[("lane", &lanes)]);
    begin(REFUSED, &[("reason", &Refusal::REASONS)]);
    begin(CALLS_REFUSED, &[("reason", &Refusal::REASONS)]);
    begin(SHED, &[("lane", &lanes), ("reason", &BusyWhat::REASONS)]);
    begin(CALLED, &[("owner", &["owned", "unowned"])]);
    let places = [events.as_str(), inbound.as_str(), "store/state"];
    begin(UNREADABLE, &[("topic", &places), ("fault", &faults)]);
    begin(RECEIPTS, &[]);
    begin(INBOUND, &[]);
    // A histogram that somebody asked for is shown, empty as it is.
    let _ = histogram!(ANSWER_SECONDS);
    gauge!(WATCHES).increment(0.0);
    clock_behind(Duration::ZERO);
}

/// Counts what could not be read.
pub(crate) fn unreadable(topic: &str, fault: &'static str) {
    counter!(UNREADABLE, "topic" => topic.to_owned(), "fault" => fault).increment(1);
}

/// Counts messages of one lane that became durable.
pub(crate) fn accepted(lane: Lane, messages: usize) {
    counter!(ACCEPTED, "lane" => lane.as_str()).increment(messages as u64);
}

/// Counts the refusals among the answers of a frame, and the time they took.
pub(crate) fn answered(answers: &[Answer], elapsed: Duration) {
    histogram!(ANSWER_SECONDS).record(elapsed.as_secs_f64());
    for refusal in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        counter!(REFUSED, "reason" => known(refusal)).increment(1);
    }
}

/// Counts messages of one frame that were told to come back, and says so now and then.
pub(crate) fn shed(messages: &[Busy]) {
    for busy in messages {
        counter!(SHED, "lane" => busy.lane.as_str(), "reason" => busy.what.reason()).increment(1);
    }
    if let Some(busy) = messages.first()
        && TOLD.is_due(busy.what.reason())
    {
        let (reason, lane, wait_s) = (busy.what.reason(), busy.lane, busy.wait.as_secs());
        warn!(reason, %lane, wait_s, "messages are refused for now: they would wait for too long");
    }
}

/// Says how far this machine is behind the log.
pub(crate) fn clock_behind(behind: Duration) {
    gauge!(BEHIND_SECONDS).set(behind.as_secs_f64());
}

/// Counts a call that was refused as a whole.
pub(crate) fn call_refused(refusal: &Refusal) {
    counter!(CALLS_REFUSED, "reason" => known(refusal)).increment(1);
}

/// The reason of `refusal`, which is one of those that were begun.
fn known(refusal: &Refusal) -> &'static str {
    let reason = refusal.reason();
    debug_assert!(
        Refusal::REASONS.contains(&reason),
        "{reason} is not among Refusal::REASONS"
    );
    reason
}

/// Counts receipts handed out.
pub(crate) fn receipts(receipts: usize) {
    counter!(RECEIPTS).increment(receipts as u64);
}

/// Counts inbound messages handed out.
pub(crate) fn inbound(messages: usize) {
    counter!(INBOUND).increment(messages as u64);
}

/// Counts inbound messages that came, by whether anybody owns the number they called.
pub(crate) fn called(owned: usize, unowned: usize) {
    counter!(CALLED, "owner" => "owned").increment(owned as u64);
    counter!(CALLED, "owner" => "unowned").increment(unowned as u64);
}

/// Counts open streams.
pub(crate) fn watches(change: f64) {
    gauge!(WATCHES).increment(change);
}

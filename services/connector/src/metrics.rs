//! Names of what the connector counts. Labels are bounded: link and carrier names, words of outcomes.

use journey::Outcome;
use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};
use service::telemetry::begin;
use signalbox_proto::{record::Fault, topics};
use sms::{CarrierName, Lane};

use crate::{LinkConfig, UNMAPPED as NO_MAP_KNOWS, directive::Conduct, vitals::Vitals};

const OUTCOMES: &str = "signalbox_connector_outcomes_total";
const REFUSALS: &str = "signalbox_connector_refusals_total";
const PARTS: &str = "signalbox_connector_parts_total";
const HOLDS: &str = "signalbox_connector_holds_total";
const DROPPED: &str = "signalbox_connector_orders_dropped_total";
const DEAD: &str = "signalbox_connector_dead_records_total";
const LATE: &str = "signalbox_connector_late_answers_total";
const RECEIPTS: &str = "signalbox_connector_receipts_total";
const INBOUND: &str = "signalbox_connector_inbound_total";
const INBOUND_MISSING: &str = "signalbox_connector_inbound_missing_parts_total";
const NOTICES: &str = "signalbox_connector_peer_oddities_total";
const UNMAPPED: &str = "signalbox_connector_unmapped_codes_total";
const RELOADS: &str = "signalbox_connector_links_reloads_total";
const BOUND: &str = "signalbox_connector_link_up";
const BINDS: &str = "signalbox_connector_binds_up";
const STOPPED: &str = "signalbox_connector_link_stopped";
const QUEUED: &str = "signalbox_connector_link_orders_queued";
const ROUND_TRIP: &str = "signalbox_connector_link_round_trip_seconds";
const RATE: &str = "signalbox_connector_link_rate";
const WINDOW_USED: &str = "signalbox_connector_window_slots_used";
const ERROR_AT: &str = "signalbox_connector_link_error_timestamp_seconds";
const WINDOW: &str = "signalbox_connector_window_slots";
const IN_FLIGHT: &str = "signalbox_connector_orders_in_flight";

/// Why orders are not sent because of their claim.
const DROP_REASONS: [&str; 6] = ["repeat", "elsewhere", "taken_back", "twin", "handed_back", "doubtful"];
/// What becomes of receipts.
const RECEIPT_RESULTS: [&str; 4] = ["matched", "unmatched", "overload", "failed"];
/// What becomes of inbound messages: see [`inbound`].
const INBOUND_RESULTS: [&str; 8] = [
    "complete",
    "incomplete",
    "part",
    "repeat",
    "clash",
    "evicted",
    "refused",
    "overload",
];

/// Describes every metric; once at start.
pub(crate) fn describe() {
    describe_counter!(OUTCOMES, Unit::Count, "orders answered, by carrier and outcome");
    describe_counter!(
        REFUSALS,
        Unit::Count,
        "parts a carrier refused, by link and code; `unmapped` wants a map entry"
    );
    describe_counter!(PARTS, Unit::Count, "parts handed to a link");
    describe_counter!(
        HOLDS,
        Unit::Count,
        "orders held in place because the carrier asked to slow down"
    );
    describe_counter!(
        DROPPED,
        Unit::Count,
        "orders not sent because of their claim, by reason"
    );
    describe_counter!(
        DEAD,
        Unit::Count,
        "records and values that could not be used, by topic and by fault"
    );
    describe_counter!(
        LATE,
        Unit::Count,
        "answers that came after the order was reported as unknown"
    );
    describe_counter!(RECEIPTS, Unit::Count, "receipts, by link and what became of them");
    describe_counter!(
        INBOUND,
        Unit::Count,
        "inbound messages, by carrier and what became of them: complete, incomplete, part, repeat, clash, evicted, refused or overload"
    );
    describe_counter!(
        INBOUND_MISSING,
        Unit::Count,
        "parts that incomplete inbound messages lack, by carrier"
    );
    describe_counter!(NOTICES, Unit::Count, "odd things a peer sent that cost nothing");
    describe_counter!(
        UNMAPPED,
        Unit::Count,
        "codes of a carrier that no map knows, by link and kind: status, receipt_error or receipt_state"
    );
    describe_counter!(
        RELOADS,
        Unit::Count,
        "edits of the links file, by result: swapped or refused"
    );
    describe_gauge!(BOUND, Unit::Count, "1 while the link takes submissions");
    describe_gauge!(
        STOPPED,
        Unit::Count,
        "1 while an operator keeps the link from taking messages, by link and conduct: paused or drained"
    );
    describe_gauge!(
        QUEUED,
        Unit::Count,
        "orders that wait for the link, in the log or fetched"
    );
    describe_gauge!(
        ROUND_TRIP,
        Unit::Seconds,
        "median time from a part to its answer, of the last 64 that were timed"
    );
    describe_gauge!(
        RATE,
        Unit::CountPerSecond,
        "parts a second of a link's account, by link and which: ceiling (as configured or ordered) or share (this link's at the moment); 0 = no limit"
    );
    describe_gauge!(
        WINDOW_USED,
        Unit::Count,
        "parts that are unanswered or about to be sent"
    );
    describe_gauge!(
        ERROR_AT,
        Unit::Seconds,
        "when something went wrong on the link last, since 1970-01-01T00:00:00Z; 0 = never"
    );
    describe_gauge!(BINDS, Unit::Count, "binds that are up, of links that keep several");
    describe_gauge!(
        WINDOW,
        Unit::Count,
        "parts the carrier lets be unanswered at the moment"
    );
    describe_gauge!(IN_FLIGHT, Unit::Count, "orders claimed and not answered");
}

/// Begins at zero what is counted of `links` and their carriers.
pub(crate) fn begin_all(links: &[LinkConfig]) {
    let faults = Fault::ALL.map(Fault::as_str);
    begin(RELOADS, &[("result", &["swapped", "refused"])]);
    begin(DEAD, &[("topic", &["store/corr", "store/inbound"]), ("fault", &faults)]);
    for link in links {
        begin_link(&link.name);
        link.carriers.iter().for_each(|carrier| begin_carrier(carrier, &faults));
    }
}

fn begin_link(link: &str) {
    let link = ("link", &[link][..]);
    begin(REFUSALS, &[link, ("code", &[NO_MAP_KNOWS.code])]);
    begin(RECEIPTS, &[link, ("result", &RECEIPT_RESULTS)]);
    begin(
        UNMAPPED,
        &[link, ("kind", &["status", "receipt_error", "receipt_state"])],
    );
    for name in [PARTS, HOLDS, LATE] {
        begin(name, &[link]);
    }
}

fn begin_carrier(name: &CarrierName, faults: &[&str]) {
    let carrier = ("carrier", &[name.as_str()][..]);
    let orders = Lane::ALL.map(|lane| topics::dispatch(name, lane));
    begin(OUTCOMES, &[carrier, ("outcome", &Outcome::WORDS)]);
    begin(DROPPED, &[carrier, ("reason", &DROP_REASONS)]);
    begin(INBOUND, &[carrier, ("result", &INBOUND_RESULTS)]);
    begin(INBOUND_MISSING, &[carrier]);
    begin(
        DEAD,
        &[("topic", &orders.each_ref().map(bus::Topic::as_str)), ("fault", faults)],
    );
}

/// An order was answered.
pub(crate) fn outcome(carrier: &str, outcome: &'static str) {
    counter!(OUTCOMES, "carrier" => carrier.to_owned(), "outcome" => outcome).increment(1);
}

/// A part was refused.
pub(crate) fn refusal(link: &str, code: &'static str) {
    counter!(REFUSALS, "link" => link.to_owned(), "code" => code).increment(1);
}

/// Parts were handed to a link.
pub(crate) fn parts(link: &str, parts: usize) {
    counter!(PARTS, "link" => link.to_owned()).increment(parts as u64);
}

/// An order was held in place.
pub(crate) fn hold(link: &str) {
    counter!(HOLDS, "link" => link.to_owned()).increment(1);
}

/// An order was not sent because of its claim, for one of [`DROP_REASONS`].
pub(crate) fn dropped(carrier: &str, reason: &'static str) {
    debug_assert!(DROP_REASONS.contains(&reason), "{reason} is not among DROP_REASONS");
    counter!(DROPPED, "carrier" => carrier.to_owned(), "reason" => reason).increment(1);
}

/// A record was no order.
pub(crate) fn dead(topic: &str, fault: &'static str) {
    counter!(DEAD, "topic" => topic.to_owned(), "fault" => fault).increment(1);
}

/// An answer came late.
pub(crate) fn late(link: &str) {
    counter!(LATE, "link" => link.to_owned()).increment(1);
}

/// Receipts came: one of [`RECEIPT_RESULTS`] became of them.
pub(crate) fn receipts(link: &str, result: &'static str, receipts: usize) {
    debug_assert!(
        RECEIPT_RESULTS.contains(&result),
        "{result} is not among RECEIPT_RESULTS"
    );
    counter!(RECEIPTS, "link" => link.to_owned(), "result" => result).increment(receipts as u64);
}

/// Inbound messages came: `complete` or `incomplete` ones are on the log, `part`s wait for others, a `repeat` was there
/// already, a `clash` names itself like another message, what is `evicted` made room for others, and what was `refused` or is
/// an `overload` is asked for again.
pub(crate) fn inbound(carrier: &str, result: &'static str, messages: usize) {
    debug_assert!(
        INBOUND_RESULTS.contains(&result),
        "{result} is not among INBOUND_RESULTS"
    );
    if messages > 0 {
        counter!(INBOUND, "carrier" => carrier.to_owned(), "result" => result).increment(messages as u64);
    }
}

/// An inbound message was published without so many of its parts.
pub(crate) fn inbound_missing(carrier: &str, parts: usize) {
    if parts > 0 {
        counter!(INBOUND_MISSING, "carrier" => carrier.to_owned()).increment(parts as u64);
    }
}

/// A peer sent something odd.
pub(crate) fn oddity(link: &str, kind: &'static str) {
    counter!(NOTICES, "link" => link.to_owned(), "kind" => kind).increment(1);
}

/// A carrier said something that no map knows: `status`, `receipt_error` or `receipt_state`.
pub(crate) fn unmapped(link: &str, kind: &'static str) {
    counter!(UNMAPPED, "link" => link.to_owned(), "kind" => kind).increment(1);
}

/// The links file was edited: `swapped` or `refused`.
pub(crate) fn reload(result: &'static str) {
    counter!(RELOADS, "result" => result).increment(1);
}

/// Whether the link takes submissions.
pub(crate) fn link_up(link: &str, is_up: bool) {
    gauge!(BOUND, "link" => link.to_owned()).set(f64::from(u8::from(is_up)));
}

/// Binds of a link with several that are up.
pub(crate) fn binds(link: &str, up: usize) {
    gauge!(BINDS, "link" => link.to_owned()).set(up as f64);
}

/// How much is on its way, and how much may be.
pub(crate) fn load(link: &str, window_limit: u32, orders: usize) {
    gauge!(WINDOW, "link" => link.to_owned()).set(f64::from(window_limit));
    gauge!(IN_FLIGHT, "link" => link.to_owned()).set(orders as f64);
}

/// What an operator keeps the link at.
pub(crate) fn link_stopped(link: &str, conduct: Conduct) {
    for stopped in [Conduct::Paused, Conduct::Drained] {
        let is_stopped = f64::from(u8::from(conduct == stopped));
        gauge!(STOPPED, "link" => link.to_owned(), "conduct" => stopped.as_str()).set(is_stopped);
    }
}

/// How the link is doing, as `link list` says it too.
pub(crate) fn vitals(link: &str, vitals: &Vitals) {
    gauge!(QUEUED, "link" => link.to_owned()).set(vitals.queued() as f64);
    gauge!(WINDOW_USED, "link" => link.to_owned()).set(f64::from(vitals.window().1));
    if let Some(median) = vitals.round_trips().median() {
        gauge!(ROUND_TRIP, "link" => link.to_owned()).set(median.as_secs_f64());
    }
    let (ceiling, share) = (vitals.rate().unwrap_or(0), vitals.rate_limit().unwrap_or(0));
    for (which, rate) in [("ceiling", ceiling), ("share", share)] {
        gauge!(RATE, "link" => link.to_owned(), "which" => which).set(f64::from(rate));
    }
    let error_at = vitals.trouble().map_or(0.0, |trouble| trouble.at.0 as f64 / 1e3);
    gauge!(ERROR_AT, "link" => link.to_owned()).set(error_at);
}

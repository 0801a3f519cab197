//! The findings: everything that would make the demonstration a failure.

use std::collections::BTreeMap;

use bytes::Bytes;
use signalbox_loadtest::{smsc::Received, stage::Books, world::Letter};
use sms::{CarrierName, Content, Reference};

use super::{drive::Trip, placing, stage::Scene};

/// Most findings of a kind that are told one by one.
const FINDINGS_SHOWN: usize = 5;

/// A segment as a carrier sees it: who shall receive it, and its payload.
type Seen = (String, Bytes);

/// What is wrong with the ends of messages, wherever they went; empty = nothing.
pub(super) fn ends(scene: &Scene, trip: &Trip, books: &Books) -> Vec<String> {
    let mut findings = Vec::new();
    every_message_ended_once(trip, books, &mut findings);
    carriers_agree(scene, trip, books, &mut findings);
    if trip.refused.0 > 0 {
        let (count, why) = &trip.refused;
        findings.push(format!("{count} messages were refused, the first because {why}"));
    }
    findings
}

/// Everything that is wrong; empty = the books are in order.
pub(super) fn all(scene: &Scene, trip: &Trip, books: &Books) -> Vec<String> {
    let mut findings = ends(scene, trip, books);
    placing::check(scene, trip, books, &mut findings);
    let doubtful = taken_in_doubt(scene, trip, books);
    let has_answers = trip.dark.is_none() && !trip.may_double && trip.lost.is_empty();
    if has_answers && doubtful > 0 {
        findings.push(format!(
            "{doubtful} segments were taken twice, and nobody was killed who could have sent them"
        ));
    }
    if trip.expects_rebuild && trip.rebuilt.is_empty() {
        findings.push("the store was emptied, and no router says that it was rebuilt".to_owned());
    }
    findings
}

/// Adds a finding if there are `cases` of it.
pub(super) fn tell(findings: &mut Vec<String>, what: &str, cases: &[String]) {
    if cases.is_empty() {
        return;
    }
    let shown = cases
        .iter()
        .take(FINDINGS_SHOWN)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    findings.push(format!("{what}: {} ({shown})", cases.len()));
}

fn every_message_ended_once(trip: &Trip, books: &Books, findings: &mut Vec<String>) {
    let missing: Vec<_> = trip
        .accepted
        .keys()
        .filter(|id| !books.ends.contains_key(*id))
        .cloned()
        .collect();
    tell(findings, "accepted messages without an end", &missing);
    let contradicted: Vec<_> = books.contradicted.iter().cloned().collect();
    tell(findings, "messages with two different ends", &contradicted);
}

/// Compares, carrier by carrier, what the router says was taken with what the carrier wrote down, octet for octet.
fn carriers_agree(scene: &Scene, trip: &Trip, books: &Books, findings: &mut Vec<String>) {
    for (carrier, log) in &scene.logs {
        let mut seen = seen(log);
        let missing = take_away_accepted(&mut seen, carrier, trip, books);
        let unsure = unsure(carrier, trip, books);
        let extra = seen
            .into_iter()
            .filter(|(segment, left)| *left > unsure.get(segment).copied().unwrap_or(0));
        let extra: Vec<_> = extra.map(|((to, _), _)| mask(&to)).collect();
        tell(
            findings,
            &format!("messages that {carrier} took by our books and not by its own"),
            &missing,
        );
        tell(
            findings,
            &format!("segments that {carrier} took by its books and not by ours"),
            &extra,
        );
    }
}

/// Segments that carriers took without our knowing the answer: each is a second copy if its message was sent again.
pub(super) fn taken_in_doubt(scene: &Scene, trip: &Trip, books: &Books) -> i64 {
    let left = scene.logs.iter().map(|(carrier, log)| {
        let mut seen = seen(log);
        take_away_accepted(&mut seen, carrier, trip, books);
        seen.values().filter(|left| **left > 0).sum::<i64>()
    });
    left.sum()
}

/// How often a carrier took each segment, by its own log.
fn seen(log: &[Received]) -> BTreeMap<Seen, i64> {
    let mut seen: BTreeMap<Seen, i64> = BTreeMap::new();
    for received in log.iter().filter(|received| received.was_taken()) {
        *seen
            .entry((received.destination.clone(), received.payload()))
            .or_default() += 1;
    }
    seen
}

/// Takes every segment that `carrier` accepted by our books away from what it saw; returns the messages it did not see.
fn take_away_accepted(
    seen: &mut BTreeMap<Seen, i64>,
    carrier: &CarrierName,
    trip: &Trip,
    books: &Books,
) -> Vec<String> {
    let mut missing = Vec::new();
    for (id, letter) in orders(carrier, "accepted", trip, books) {
        for segment in segments(letter) {
            let left = seen.entry(segment).or_default();
            *left -= 1;
            if *left < 0 {
                missing.push(id.to_owned());
            }
        }
    }
    missing
}

/// Segments that `carrier` may have seen or not: their answer was lost, the carrier's or ours.
fn unsure(carrier: &CarrierName, trip: &Trip, books: &Books) -> BTreeMap<Seen, i64> {
    let mut unsure: BTreeMap<Seen, i64> = BTreeMap::new();
    let unanswered = orders(carrier, "unknown", trip, books).map(|(_, letter)| letter);
    for letter in unanswered.chain(&trip.lost) {
        for segment in segments(letter) {
            *unsure.entry(segment).or_default() += 1;
        }
    }
    unsure
}

/// The letters that `carrier` answered with `outcome`, once for each order.
fn orders<'a>(
    carrier: &'a CarrierName,
    outcome: &'a str,
    trip: &'a Trip,
    books: &'a Books,
) -> impl Iterator<Item = (&'a str, &'a Letter)> {
    let ends = books
        .ends
        .iter()
        .filter_map(|(id, end)| Some((id.as_str(), end, trip.accepted.get(id)?)));
    ends.flat_map(move |(id, end, letter)| {
        let answered = end
            .attempts
            .iter()
            .filter(move |attempt| attempt.carrier == *carrier && attempt.answer.outcome == outcome);
        answered.map(move |_| (id, letter))
    })
}

fn segments(letter: &Letter) -> Vec<Seen> {
    let content = Content::Text(letter.text.clone());
    let segments = sms::segment(&content, sms::encoding_of(&letter.text), Reference::Short(0));
    let segments = segments.expect("ingest accepted this text");
    let to = letter.to.digits().to_owned();
    segments
        .iter()
        .map(|segment| (to.clone(), Bytes::copy_from_slice(segment.payload())))
        .collect()
}

fn mask(number: &str) -> String {
    sms::Msisdn::new(number).map_or_else(|_| "not a number".to_owned(), |number| number.masked())
}

//! O3: octets out are octets in, and the end is what carriers know.

use std::{collections::BTreeMap, time::Duration};

use connector::simulator::Submitted;
use journey::{EndState, OrderNumber, Outcome, TerminalEvent};
use sms::{Message, MessageId, Reference, Segment};

use super::book::Book;
use crate::Finding;

/// A receipt has found its message so long after both are known: one that found none is looked at again every few seconds,
/// and a store that was lost is rebuilt meanwhile.
const MATCHED_WITHIN: Duration = Duration::from_secs(45);

/// Every part is the part of that number of what was accepted, to and from whom it should be.
pub(super) fn octets_out_are_octets_in(book: &Book<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for part in &book.evidence.submitted {
        let Some(message) = book
            .evidence
            .accepted
            .get(&part.message)
            .and_then(|messages| messages.first())
        else {
            continue;
        };
        for what in differences(book, part, message) {
            let what = format!("part {} of order {}: {what}", part.part, part.number.0);
            findings.push(Finding::of("O3", part.message, what));
        }
    }
    findings
}

fn differences(book: &Book<'_>, part: &Submitted, message: &Message) -> Vec<&'static str> {
    let mut found = Vec::new();
    if part.to != message.to {
        found.push("another recipient");
    }
    let is_rewritten = |(from, to): &(String, String)| message.from.as_str() == from && part.from.as_str() == to;
    if part.from != message.from && !book.evidence.rewrites.iter().any(is_rewritten) {
        found.push("another sender");
    }
    if part.encoding != message.encoding {
        found.push("another encoding");
        return found;
    }
    let wanted = wanted_parts(message, part);
    match wanted.as_deref().and_then(|parts| parts.get(usize::from(part.part))) {
        Some(wanted) if *wanted.octets() == part.octets => {}
        _ => found.push("other octets"),
    }
    found
}

/// The parts of `message` with the reference that `part` has; `None` = it has none and should.
fn wanted_parts(message: &Message, part: &Submitted) -> Option<Vec<Segment>> {
    let reference = match message.segments {
        1 => Some(Reference::Short(0)),
        _ => reference(&part.octets),
    };
    sms::segment(&message.content, message.encoding, reference?).ok()
}

/// The reference in a concatenation header (3GPP TS 23.040 §9.2.3.24); `None` = there is no such header.
fn reference(octets: &[u8]) -> Option<Reference> {
    match octets {
        [5, 0, 3, reference, ..] => Some(Reference::Short(*reference)),
        [6, 8, 4, high, low, ..] => Some(Reference::Long(u16::from_be_bytes([*high, *low]))),
        _ => None,
    }
}

/// Who is told that a message was delivered or sent was told so of one whose every part a carrier took; who is told that
/// no carrier had it, of one that none has.
pub(super) fn ends_agree_with_carriers(book: &Book<'_>) -> Vec<Finding> {
    let ends = book.ends.values().filter_map(|ends| ends.first());
    ends.filter_map(|(_, event)| disagreement(book, event)).collect()
}

fn disagreement(book: &Book<'_>, event: &TerminalEvent) -> Option<Finding> {
    let (id, state) = (event.message.id, event.state);
    let taken = book.taken(id);
    let is_whole = taken.iter().any(|number| is_whole(book, id, *number));
    match state {
        EndState::Delivered | EndState::Sent if !is_whole => Some(Finding::of(
            "O3",
            id,
            format!("ended as {state:?} and no carrier has all its parts"),
        )),
        EndState::Expired | EndState::Rejected if !taken.is_empty() => Some(Finding::of(
            "O3",
            id,
            format!("ended as {state:?} and order {} of it was taken", taken[0].0),
        )),
        // An answer that is torn may have been a refusal.
        EndState::Unknown
            if taken.is_empty() && !book.has_unknown(id) && !book.is_in_doubt(id) && !book.evidence.is_torn(id) =>
        {
            Some(Finding::of(
                "O3",
                id,
                format!("ended as {state:?} and no carrier ever had it"),
            ))
        }
        _ => None,
    }
}

/// A message whose carrier answered, and got rid of a receipt for every part that says so, is known to be delivered, unless
/// it ended before that.
pub(super) fn deliveries_that_were_told_count(book: &Book<'_>) -> Vec<Finding> {
    let told = book.evidence.told.iter().rev().filter(|told| !told.is_failed);
    let told: BTreeMap<_, _> = told.map(|told| ((&*told.link, &*told.remote_id), told.at)).collect();
    let mut findings = Vec::new();
    for answer in &book.evidence.answers {
        let Outcome::Accepted { remote_ids } = &answer.outcome else {
            continue;
        };
        let links = book.evidence.links.iter();
        let link = links
            .filter(|(_, carriers)| carriers.contains(&answer.order.carrier))
            .map(|(link, _)| &**link)
            .next();
        let Some(link) = link else { continue };
        let heard = remote_ids.iter().map(|id| told.get(&(link, &**id)).copied());
        let Some(Some(heard)) = heard.collect::<Option<Vec<_>>>().map(|heard| heard.into_iter().max()) else {
            continue;
        };
        let id = answer.order.message;
        let Some((end, event)) = book.ends.get(&id).and_then(|ends| ends.first()) else {
            continue;
        };
        let known = heard.max(answer.at);
        if event.state != EndState::Delivered && end.at > known + MATCHED_WITHIN {
            let late = end.at.since(known);
            let number = answer.order.number.0;
            let what = format!(
                "ended as {:?} {late:?} after receipts said that order {number} was delivered",
                event.state
            );
            findings.push(Finding::of("O3", id, what));
        }
    }
    findings
}

/// Whether a carrier took every part of an order. How many there are depends on the reference.
pub(super) fn is_whole(book: &Book<'_>, id: MessageId, number: OrderNumber) -> bool {
    let message = book.evidence.accepted.get(&id).and_then(|messages| messages.first());
    let part = book
        .parts
        .get(&id)
        .and_then(|orders| orders.get(&number))
        .and_then(|parts| parts.first());
    let wanted = message
        .zip(part)
        .and_then(|(message, part)| wanted_parts(message, part));
    wanted.is_some_and(|wanted| book.parts_taken(id, number).len() == wanted.len())
}

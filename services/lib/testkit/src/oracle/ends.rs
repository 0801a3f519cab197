//! O1: every message ends, once, and in time.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use sms::{Class, Message, MessageId};

use super::book::Book;
use crate::Finding;

/// How long after deadline and grace, or after everything is up again, a message may end at the latest.
pub const LATENESS_MAX: Duration = Duration::from_secs(10);

/// How much later that may be where an answer was torn: its order is looked at twice.
const TORN_LATENESS: Duration = Duration::from_secs(15);

/// Every id answered OK, and every other on the log, has one terminal event, whatever its repeats, and has it in time.
pub(super) fn every_message_ends_once_and_in_time(book: &Book<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for promise in &book.evidence.promises {
        if !book.evidence.accepted.contains_key(&promise.id) {
            findings.push(Finding::of("O1", promise.id, "was answered OK and is not on the log"));
        }
    }
    for (id, messages) in &book.evidence.accepted {
        findings.extend(one_end(book, *id, messages));
    }
    for id in book.ends.keys().filter(|id| !book.evidence.accepted.contains_key(id)) {
        findings.push(Finding::of("O1", *id, "ended and was never accepted"));
    }
    findings
}

fn one_end(book: &Book<'_>, id: MessageId, messages: &[Message]) -> Option<Finding> {
    let is_promised = book.evidence.promises.iter().any(|promise| promise.id == id);
    let name = format!(
        "{}{}",
        messages[0].class,
        if is_promised { ", answered OK" } else { "" }
    );
    let Some(ends) = book.ends.get(&id) else {
        return Some(Finding::of("O1", id, format!("{name} never ended")));
    };
    let different: BTreeSet<_> = ends.iter().map(|(end, _)| &end.octets).collect();
    if different.len() > 1 {
        let states: Vec<_> = ends
            .iter()
            .map(|(_, event)| format!("{:?} at {}", event.state, event.ended_at))
            .collect();
        return Some(Finding::of(
            "O1",
            id,
            format!("{name} ended {} ways: {}", different.len(), states.join("; ")),
        ));
    }
    let limits = messages.iter().map(|message| {
        let ttl = message.ttl.unwrap_or(message.class.deadline_default());
        message.accepted_at + ttl + message.class.grace()
    });
    let more = if book.evidence.is_torn(id) {
        TORN_LATENESS
    } else {
        Duration::ZERO
    };
    let limit = limits.max()?.max(book.evidence.calm_at) + LATENESS_MAX + more;
    let (first, event) = ends.first()?;
    (first.at > limit).then(|| {
        let late = first.at.since(limit);
        Finding::of(
            "O1",
            id,
            format!(
                "{name} ended {late:?} after the latest instant promised, as {:?}",
                event.state
            ),
        )
    })
}

/// What a customer sent once is one message, whoever died meanwhile and however often it was asked for under its key.
pub(super) fn what_was_sent_once_is_one_message(book: &Book<'_>) -> Vec<Finding> {
    let mut ids: BTreeMap<(&str, Class), BTreeSet<MessageId>> = BTreeMap::new();
    for message in book.evidence.accepted.values().flatten() {
        ids.entry((&message.reference, message.class))
            .or_default()
            .insert(message.id);
    }
    let broken = ids.into_iter().filter(|(_, ids)| ids.len() > 1);
    broken
        .map(|((reference, _), ids)| Finding::new("O1", format!("{reference} was accepted as {} messages", ids.len())))
        .collect()
}

/// All answers to one idempotency key name one message.
pub(super) fn a_key_is_one_message(book: &Book<'_>) -> Vec<Finding> {
    let mut ids: BTreeMap<&str, BTreeSet<MessageId>> = BTreeMap::new();
    for promise in book.evidence.promises.iter().filter(|promise| !promise.key.is_empty()) {
        ids.entry(&promise.key).or_default().insert(promise.id);
    }
    let broken = ids.into_iter().filter(|(_, ids)| ids.len() > 1);
    broken
        .map(|(key, ids)| Finding::new("O1", format!("key {key} was answered with {} ids", ids.len())))
        .collect()
}

//! O5: after the faults have stopped, messages flow.

use std::{collections::BTreeSet, time::Duration};

use journey::EndState;
use signalbox_proto::record::DeadRecord;
use sms::{MessageId, UnixMs};

use super::book::Book;
use crate::{Evidence, Finding};

/// A fresh message is delivered within this if carriers behave; else it is with one before its time to live is over.
pub const PROMPT: Duration = Duration::from_secs(10);
/// Messages sent when the faults are over.
const FRESH: usize = sms::Class::ALL.len();

/// Messages sent after the faults are with a carrier in time, and delivered promptly if carriers behave.
pub(super) fn a_fresh_message_flows(book: &Book<'_>) -> Vec<Finding> {
    let fresh = &book.evidence.fresh;
    if fresh.len() != FRESH {
        return vec![Finding::new(
            "O5",
            format!("{} of {FRESH} fresh messages were answered OK", fresh.len()),
        )];
    }
    fresh.iter().filter_map(|id| stuck(book, *id)).collect()
}

fn stuck(book: &Book<'_>, id: MessageId) -> Option<Finding> {
    let message = book.evidence.accepted.get(&id)?.first()?;
    // A carrier that goes on forgetting answers keeps its window full, and others wait behind that.
    let patience = match book.evidence.recovered {
        true => PROMPT,
        false => message.ttl.unwrap_or(PROMPT),
    };
    let is_in_time = |at: UnixMs| at <= message.accepted_at + patience;
    let name = format!("fresh {} message", message.class);
    let parts = book.parts.get(&id).into_iter().flatten().flat_map(|(_, parts)| parts);
    if !parts.clone().any(|part| is_in_time(part.at)) {
        return Some(Finding::of(
            "O5",
            id,
            format!("{name} was with no carrier after {patience:?}"),
        ));
    }
    if !book.evidence.recovered {
        return None;
    }
    let is_receipted = book
        .evidence
        .orders
        .iter()
        .any(|order| order.message.id == id && order.receipt);
    let wanted = if is_receipted {
        EndState::Delivered
    } else {
        EndState::Sent
    };
    let (end, event) = book.ends.get(&id)?.first()?;
    (event.state != wanted || !is_in_time(end.at)).then(|| {
        let after = end.at.since(message.accepted_at);
        Finding::of(
            "O5",
            id,
            format!("{name} ended as {:?} after {after:?}, not as {wanted:?}", event.state),
        )
    })
}

/// What cannot be read is put aside, and nothing else is but receipts of messages whose answer was lost, which find nobody.
pub(super) fn what_cannot_be_read_is_put_aside(book: &Book<'_>) -> Vec<Finding> {
    let Evidence { unreadable, dead, .. } = book.evidence;
    let unreadable: BTreeSet<_> = unreadable.iter().map(|(topic, octets)| (&**topic, octets)).collect();
    let aside: BTreeSet<_> = dead.iter().map(|dead| (&*dead.topic, &dead.octets)).collect();
    let lost = unreadable.difference(&aside);
    let lost = lost.map(|(topic, _)| Finding::new("dead", format!("a record of {topic} that nobody can read is lost")));
    let orphans = signalbox_proto::topics::unmatched();
    let is_expected =
        |dead: &&DeadRecord| dead.topic == orphans.as_str() || unreadable.contains(&(&*dead.topic, &dead.octets));
    let sound = dead.iter().filter(|dead| !is_expected(dead));
    let sound = sound.map(|dead| {
        let what = format!("a record of {} was put aside: {}", dead.topic, dead.reason);
        Finding::new("dead", what)
    });
    lost.chain(sound).collect()
}

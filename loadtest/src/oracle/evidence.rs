//! What carriers and the log say of each message, some octets for each.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    hash::Hasher as _,
    path::{Path, PathBuf},
};

use journey::{Attempt, EndState, Event, TerminalEvent};
use siphasher::sip::SipHasher13;
use sms::{CarrierName, MessageId, ReceiptState, UnixMs, UnixUs};

use crate::{
    smsc::{Received, scan_log},
    stage::{Ground, land, read_events},
};

/// Messages whose story is told.
const STORIES_MAX: usize = 5;

/// A part that a carrier took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Take {
    pub(crate) at: UnixUs,
    /// The carrier's place among all.
    pub(crate) carrier: u8,
    /// Which part it is, from 1, of how many.
    pub(crate) part: u8,
    pub(crate) parts: u8,
    /// Of the octets behind the header.
    pub(crate) hash: u64,
}

/// How a message ended, by the log.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) id: MessageId,
    pub(crate) state: EndState,
    /// Of the event's octets.
    hash: u64,
    /// Orders that were not answered before the next one was issued, by when they were issued.
    pub(crate) unknown: Vec<UnixMs>,
    /// Orders that were never sent for want of a link, by when they were issued.
    pub(crate) link_down: Vec<UnixMs>,
    /// Orders that a carrier took and could not deliver, by its receipt.
    pub(crate) undelivered: usize,
}

#[cfg(test)]
impl End {
    /// An end after so many orders that were not answered.
    pub(crate) fn new(id: MessageId, state: EndState, unknown: usize) -> Self {
        Self {
            id,
            state,
            hash: 0,
            unknown: vec![UnixMs(0); unknown],
            link_down: Vec::new(),
            undelivered: 0,
        }
    }
}

/// Everything that carriers and the log say, by the place of the message.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    pub(crate) takes: BTreeMap<usize, Vec<Take>>,
    pub(crate) ends: BTreeMap<usize, End>,
    /// Messages with ends that differ.
    pub(crate) contradicted: Vec<usize>,
    /// Messages that got a second id, and an end under each.
    pub(crate) twins: Vec<usize>,
    /// What carriers took, or the log ended, and nobody can have sent.
    pub(crate) strangers: u64,
    /// What became of the first messages that carriers had more often than seems right, for whoever looks into it.
    pub(crate) stories: BTreeMap<usize, String>,
}

impl Evidence {
    /// Reads the carriers' `logs` and the router's log, which is on a ground or in the database of that name, and to which the
    /// first `count` messages were sent since `began`. Shows the first end of each message to `visit`, with its place and what
    /// carriers took of it.
    ///
    /// # Errors
    /// A log cannot be read.
    pub(crate) async fn read(
        (ground, database): (&Ground, &Path),
        began: UnixMs,
        logs: &[(CarrierName, PathBuf)],
        count: usize,
        mut visit: impl FnMut(usize, &TerminalEvent, &[Take]),
    ) -> anyhow::Result<Self> {
        let mut evidence = Self::default();
        for (carrier, (_, log)) in (0..).zip(logs) {
            scan_log(log, |received| evidence.take(carrier, &received, count))?;
        }
        read_events(ground, database, |event, octets| {
            if let Event::Ended(end) = event
                && end.message.accepted_at >= began
                && let Some(place) = evidence.end(&end, octets, count)
            {
                visit(place, &end, evidence.takes.get(&place).map_or(&[], |takes| takes));
            }
        })
        .await?;
        Ok(evidence)
    }

    fn take(&mut self, carrier: u8, received: &Received, count: usize) {
        if !received.was_taken() {
            return;
        }
        let Some(place) = land::place_of(&received.destination).filter(|place| *place < count) else {
            self.strangers += 1;
            return;
        };
        let (part, parts) = received.concatenation.map_or((1, 1), |place| (place.part, place.total));
        self.takes.entry(place).or_default().push(Take {
            at: received.at,
            carrier,
            part,
            parts,
            hash: hash(&received.payload()),
        });
    }

    /// Notes an end; the place of a message that had none before.
    fn end(&mut self, end: &TerminalEvent, octets: &[u8], count: usize) -> Option<usize> {
        let Some(place) = land::place_of(end.message.to.digits()).filter(|place| *place < count) else {
            self.strangers += 1;
            return None;
        };
        let hash = hash(octets);
        if let Some(known) = self.ends.get(&place) {
            if known.id != end.message.id {
                self.twins.push(place);
            } else if known.hash != hash {
                self.contradicted.push(place);
            }
            return None;
        }
        let issued = |is_such: &dyn Fn(&Attempt) -> bool| {
            let attempts = end.attempts.iter().filter(|attempt| is_such(attempt));
            attempts.map(|attempt| attempt.issued_at).collect()
        };
        let story = || story(end, self.takes.get(&place).map_or(&[], |takes| takes));
        let ending = End {
            id: end.message.id,
            state: end.state,
            hash,
            unknown: issued(&|attempt| was_lost(attempt, &end.attempts)),
            link_down: issued(&|attempt| attempt.answer.outcome == "link_down"),
            undelivered: end.attempts.iter().filter(|attempt| was_undelivered(attempt)).count(),
        };
        let firsts = self
            .takes
            .get(&place)
            .map_or(0, |takes| takes.iter().filter(|take| take.part == 1).count());
        if firsts > 1 + ending.unknown.len() + ending.undelivered && self.stories.len() < STORIES_MAX {
            self.stories.insert(place, story());
        }
        self.ends.insert(place, ending);
        Some(place)
    }

    /// When a carrier first had something of the message at `place`; `None` = never.
    pub(crate) fn arrival(&self, place: usize) -> Option<UnixUs> {
        self.takes.get(&place)?.iter().map(|take| take.at).min()
    }
}

/// Every attempt and everything that carriers took, with times in milliseconds since the message was accepted.
fn story(end: &TerminalEvent, takes: &[Take]) -> String {
    let accepted = end.message.accepted_at.0;
    let mut story = format!("{} at {accepted}, {}", end.message.id, end.state.as_str());
    for attempt in &end.attempts {
        let Attempt {
            number,
            carrier,
            issued_at,
            answer,
            ..
        } = attempt;
        let (issued, answered) = (
            issued_at.0.saturating_sub(accepted),
            answer.at.0.saturating_sub(accepted),
        );
        let _ = write!(
            story,
            "; order {} to {carrier} at {issued}: {} {} at {answered}",
            number.0, answer.outcome, answer.code
        );
    }
    for Take {
        at,
        carrier,
        part,
        parts,
        ..
    } in takes
    {
        let at = (at.0 / 1_000).saturating_sub(accepted);
        let _ = write!(story, "; part {part} of {parts} at carrier {carrier} at {at}");
    }
    story
}

/// Whether the answer to `attempt` was given up: it never came, or came when another carrier had been asked already, and is the
/// one that the attempt ended with.
fn was_lost(attempt: &Attempt, all: &[Attempt]) -> bool {
    let came_too_late = |next: &Attempt| next.number > attempt.number && next.issued_at < attempt.answer.at;
    match attempt.answer.outcome.as_str() {
        "unknown" => true,
        "accepted" => all.iter().any(came_too_late),
        _ => false,
    }
}

/// Whether a receipt says that a part of it will never be on the handset.
fn was_undelivered(attempt: &Attempt) -> bool {
    let states = || attempt.receipts.iter().map(|receipt| receipt.receipt.state);
    states().any(|state| state.is_final() && state != ReceiptState::Delivered)
}

/// Tells octets apart from others.
pub(crate) fn hash(octets: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(octets);
    hasher.finish()
}

#[cfg(test)]
mod tests;

//! What carriers and the log say of each message, some octets for each.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    hash::Hasher as _,
    path::{Path, PathBuf},
};

use journey::{Attempt, EndState, Event, OrderNumber, Outcome, TerminalEvent};
use siphasher::sip::SipHasher13;
use sms::{CarrierName, MessageId, ReceiptState, UnixMs, UnixUs};

use crate::{
    smsc::{Received, scan_log},
    stage::{Ground, land, read_answers, read_events},
};

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
    /// Orders whose answer was given up, by when they were issued.
    pub(crate) unknown: Vec<UnixMs>,
    /// Of a message that carriers had more often than that explains: orders that a carrier took, by when they were issued. The
    /// answer may have been given up, and have come after all when another order was under way.
    doubtful: Vec<(OrderNumber, UnixMs)>,
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
            doubtful: Vec::new(),
            link_down: Vec::new(),
            undelivered: 0,
        }
    }
}

impl End {
    /// The log says that the answer to order `number` was given up.
    fn given_up(&mut self, number: OrderNumber) {
        if let Some(place) = self.doubtful.iter().position(|(doubtful, _)| *doubtful == number) {
            self.unknown.push(self.doubtful.remove(place).1);
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
    /// What became of messages that carriers had more often than answers were given up, for whoever looks into it.
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
        evidence.settle_doubts(ground, database).await?;
        let Self {
            takes, ends, stories, ..
        } = &mut evidence;
        stories.retain(|place, _| ends.get(place).is_some_and(|end| is_odd(end, takes.get(place))));
        Ok(evidence)
    }

    /// Finds on the log which answers were given up before they came.
    async fn settle_doubts(&mut self, ground: &Ground, database: &Path) -> anyhow::Result<()> {
        let doubtful = self.ends.iter().filter(|(_, end)| !end.doubtful.is_empty());
        let places: BTreeMap<_, _> = doubtful.map(|(place, end)| (end.id, *place)).collect();
        if places.is_empty() {
            return Ok(());
        }
        read_answers(ground, database, |answer| {
            if matches!(answer.outcome, Outcome::Unknown { .. })
                && let Some(end) = places
                    .get(&answer.order.message)
                    .and_then(|place| self.ends.get_mut(place))
            {
                end.given_up(answer.order.number);
            }
        })
        .await
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
        let mut ending = End {
            id: end.message.id,
            state: end.state,
            hash,
            unknown: issued(&|attempt| attempt.answer.outcome == "unknown"),
            doubtful: Vec::new(),
            link_down: issued(&|attempt| attempt.answer.outcome == "link_down"),
            undelivered: end.attempts.iter().filter(|attempt| was_undelivered(attempt)).count(),
        };
        if is_odd(&ending, self.takes.get(&place)) {
            ending.doubtful = taken(&end.attempts);
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

/// How often carriers had the message of `takes`: as often as the part that they had most often.
pub(crate) fn copies(takes: &[Take]) -> usize {
    let mut parts = BTreeMap::<u8, usize>::new();
    for take in takes {
        *parts.entry(take.part).or_default() += 1;
    }
    parts.values().copied().max().unwrap_or(0)
}

/// Whether carriers `took` the message of `end` more often than answers to it were given up.
fn is_odd(end: &End, took: Option<&Vec<Take>>) -> bool {
    took.map_or(0, |takes| copies(takes)) > 1 + end.unknown.len() + end.undelivered
}

/// Orders of `attempts` that a carrier took.
fn taken(attempts: &[Attempt]) -> Vec<(OrderNumber, UnixMs)> {
    let taken = attempts.iter().filter(|attempt| attempt.answer.outcome == "accepted");
    taken.map(|attempt| (attempt.number, attempt.issued_at)).collect()
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

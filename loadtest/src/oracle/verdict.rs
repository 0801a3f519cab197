//! The books: what was accepted against how it ended, what carriers took, and what the policy allows.

use std::collections::{BTreeMap, BTreeSet};

use journey::EndState;
use serde::Serialize;
use sms::{Content, Reference, UnixUs};

use super::evidence::{End, Evidence, Take, copies, hash};
use crate::{
    customer::{Entry, Ledger},
    stage::land,
    world::Letter,
};

/// Places of a finding that are told.
const PLACES_SHOWN: usize = 5;

/// A message that a carrier had more than once, and why that was allowed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Doubled {
    /// What it is for.
    pub(crate) class: &'static str,
    /// Copies beyond the first.
    pub(crate) further: usize,
    /// Orders that were not answered.
    pub(crate) unanswered: usize,
    /// The fault that took the first of these answers, by its place among all; `None` = none was under way.
    pub(crate) fault: Option<usize>,
}

/// What came of all messages.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) accepted: usize,
    pub(crate) ended: usize,
    pub(crate) states: BTreeMap<String, usize>,
    pub(crate) doubled: Vec<Doubled>,
    /// By the place of a fault: orders whose answer it took, and orders that it kept from being sent.
    pub(crate) unanswered: BTreeMap<Option<usize>, usize>,
    pub(crate) unsent: BTreeMap<Option<usize>, usize>,
    pub(crate) findings: Vec<String>,
}

/// Places of messages with something wrong, by what that is.
type Cases = BTreeMap<&'static str, Vec<usize>>;

impl Verdict {
    /// Looks at every message; `blamed` says which fault an order met that was issued at that moment.
    ///
    /// # Errors
    /// The texts in the repository were edited and no longer hold together.
    pub(crate) fn of(
        ledger: &Ledger,
        evidence: &Evidence,
        letters: impl Iterator<Item = anyhow::Result<Letter>>,
        blamed: impl Fn(UnixUs) -> Option<usize>,
    ) -> anyhow::Result<Self> {
        let (mut verdict, mut cases) = (Self::default(), Cases::new());
        for ((place, entry), letter) in ledger.entries.iter().enumerate().zip(letters) {
            let case = Case {
                place,
                letter: &letter?,
                entry,
                end: evidence.ends.get(&place),
                takes: evidence.takes.get(&place).map_or(&[][..], |takes| takes),
            };
            verdict.judge(&case, &blamed, &mut cases);
        }
        cases.insert("messages with two different ends", evidence.contradicted.clone());
        cases.insert("messages that became two under one key", evidence.twins.clone());
        let places = cases.iter().filter(|(_, places)| !places.is_empty());
        verdict.findings = places.map(|(what, places)| told(what, places)).collect();
        let stories = evidence
            .stories
            .iter()
            .map(|(place, story)| format!("#{place}: {story}"));
        if !verdict.findings.is_empty() {
            verdict.findings.extend(stories);
        }
        let mut tell = |count: u64, what: &str| {
            if count > 0 {
                verdict.findings.push(format!("{what}: {count}"));
            }
        };
        tell(evidence.strangers, "at a carrier or on the log, and sent by nobody");
        tell(ledger.twins, "answers that gave a message another id");
        Ok(verdict)
    }

    fn judge(&mut self, case: &Case<'_>, blamed: &impl Fn(UnixUs) -> Option<usize>, cases: &mut Cases) {
        let mut wrong = |what| cases.entry(what).or_default().push(case.place);
        let Case { entry, takes, .. } = case;
        let Some(id) = entry.id else {
            wrong(match entry.refused {
                true => "refused for good",
                false => "never answered",
            });
            return;
        };
        self.accepted += 1;
        let Some(end) = case.end else {
            wrong("accepted, and without an end");
            return;
        };
        self.ended += 1;
        *self.states.entry(end.state.as_str().to_owned()).or_default() += 1;
        if end.id != id {
            wrong("ended under another id than the customer got");
        }
        if entry.end.is_none() {
            wrong("ended, and the customer was never told");
        }
        if end.state == EndState::Delivered && !case.is_whole() {
            wrong("delivered, and no carrier has all of it");
        }
        let may_have_failed = end.undelivered > 0 && end.state == EndState::Failed;
        if !takes.is_empty() && !may_have_failed && !matches!(end.state, EndState::Delivered | EndState::Unknown) {
            wrong("at a carrier, and neither delivered nor unknown");
        }
        if !case.is_as_sent() {
            wrong("at a carrier otherwise than sent");
        }
        for (issued, counts) in [(&end.unknown, &mut self.unanswered), (&end.link_down, &mut self.unsent)] {
            for at in issued {
                *counts.entry(blamed(UnixUs(at.0 * 1_000))).or_default() += 1;
            }
        }
        let further = copies(case.takes).saturating_sub(1);
        if further == 0 {
            return;
        }
        // What a carrier could not deliver another may try.
        if further > end.undelivered && !land::may_come_twice(case.letter) {
            wrong("at a carrier twice against the policy");
        }
        if further > end.unknown.len() + end.undelivered {
            wrong("at a carrier more often than answers were lost");
        }
        self.doubled.push(Doubled {
            class: case.letter.class.as_str(),
            further,
            unanswered: end.unknown.len(),
            fault: end.unknown.first().and_then(|at| blamed(UnixUs(at.0 * 1_000))),
        });
    }
}

fn told(what: &str, places: &[usize]) -> String {
    let shown = places.iter().take(PLACES_SHOWN).map(|place| format!("#{place}"));
    format!("{what}: {} ({})", places.len(), shown.collect::<Vec<_>>().join(", "))
}

/// All that is known of one message.
struct Case<'a> {
    place: usize,
    letter: &'a Letter,
    entry: &'a Entry,
    end: Option<&'a End>,
    takes: &'a [Take],
}

impl Case<'_> {
    /// Whether some carrier has every part.
    fn is_whole(&self) -> bool {
        let of_one = |carrier: u8| {
            let takes = self.takes.iter().filter(move |take| take.carrier == carrier);
            let parts: BTreeSet<u8> = takes.clone().map(|take| take.part).collect();
            takes.map(|take| usize::from(take.parts)).max() == Some(parts.len())
        };
        let carriers: BTreeSet<u8> = self.takes.iter().map(|take| take.carrier).collect();
        carriers.into_iter().any(of_one)
    }

    /// Whether every part that a carrier has reads as it should.
    fn is_as_sent(&self) -> bool {
        if self.takes.is_empty() {
            return true;
        }
        let content = Content::Text(self.letter.text.clone());
        let Ok(segments) = sms::segment(&content, sms::encoding_of(&self.letter.text), Reference::Short(0)) else {
            return false;
        };
        let hashes: Vec<_> = segments.iter().map(|segment| hash(segment.payload())).collect();
        let is_right = |take: &Take| {
            let expected = hashes.get(usize::from(take.part).wrapping_sub(1));
            usize::from(take.parts) == hashes.len() && expected == Some(&take.hash)
        };
        self.takes.iter().all(is_right)
    }
}

#[cfg(test)]
mod tests;

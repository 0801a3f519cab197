//! What carriers had, against what was sent, what the router says of it, and what the policy allows.

use std::collections::BTreeMap;

use journey::{EndState, TerminalEvent};
use signalbox_loadtest::{
    smsc::{Reassembled, Taken, reassemble},
    stage::{
        Books,
        land::{may_come_twice, parts, sender_on_link},
    },
    world::Letter,
};

use super::super::{check::tell, drive::Trip, stage::Scene};

/// Of a hundred messages, those that must be delivered at the least: the rest lost an answer and may not come twice.
const DELIVERED_PERCENT_MIN: usize = 80;
/// Of a hundred messages, those of several parts.
const LONG_PERCENT: std::ops::RangeInclusive<usize> = 28..=32;

/// What came of the messages at the carriers.
#[derive(Default)]
pub(super) struct Verdict {
    /// Messages whose text a handset reads as it was sent.
    pub(super) read: usize,
    /// Those of them that came in several parts, or in one too long for a part.
    pub(super) read_long: usize,
    /// Messages of which a carrier has some parts and not all.
    pub(super) torn: usize,
    /// Messages that no carrier has anything of.
    pub(super) unseen: usize,
    /// Further copies by class, and why the message was sent again.
    pub(super) copies: BTreeMap<(&'static str, &'static str), usize>,
    /// Everything that is wrong.
    pub(super) findings: Vec<String>,
}

/// Messages with something wrong, by what that is.
type Cases = BTreeMap<&'static str, Vec<String>>;

impl Verdict {
    /// Looks at every message that was accepted, and at everything that carriers took.
    pub(super) fn of(scene: &Scene, trip: &Trip, books: &Books) -> Self {
        let (mut verdict, mut cases) = (Self::default(), Cases::new());
        let mut seen: BTreeMap<String, Vec<Reassembled>> = BTreeMap::new();
        for (_, log) in &scene.logs {
            for message in reassemble(log) {
                seen.entry(message.destination.clone()).or_default().push(message);
            }
        }
        for (id, letter) in &trip.accepted {
            let had = seen.remove(letter.to.digits()).unwrap_or_default();
            match books.ends.get(id) {
                Some(end) => verdict.judge(id, letter, end, &had, &mut cases),
                None => wrong(&mut cases, "accepted messages without an end", id),
            }
        }
        let strangers = seen.values().flatten().map(|message| message.source.clone());
        cases.insert(
            "messages at a carrier that nobody sent, by their sender",
            strangers.collect(),
        );
        cases.insert(
            "messages with two different ends",
            books.contradicted.iter().cloned().collect(),
        );
        verdict.whole(trip, books);
        for (what, ids) in cases {
            tell(&mut verdict.findings, what, &ids);
        }
        verdict
    }

    /// What holds of all messages together.
    fn whole(&mut self, trip: &Trip, books: &Books) {
        let (refused, why) = &trip.refused;
        let mut expect = |holds: bool, what: String| self.findings.extend((!holds).then_some(what));
        expect(
            *refused == 0,
            format!("{refused} messages were refused, the first because {why}"),
        );
        expect(
            books.strangers == 0,
            format!("{} messages ended that nobody sent", books.strangers),
        );
        let all = trip.accepted.len();
        let long = trip.accepted.values().filter(|letter| parts(&letter.text) > 1).count();
        let percent = |part: usize| (100 * part).checked_div(all).unwrap_or(0);
        expect(
            LONG_PERCENT.contains(&percent(long)),
            format!("{long} of {all} messages have several parts, 30 % was meant"),
        );
        let delivered = books
            .ends
            .values()
            .filter(|end| end.state == EndState::Delivered)
            .count();
        expect(
            percent(delivered) >= DELIVERED_PERCENT_MIN,
            format!("{delivered} of {all} messages were delivered, under {DELIVERED_PERCENT_MIN} %"),
        );
    }

    fn judge(&mut self, id: &str, letter: &Letter, end: &TerminalEvent, had: &[Reassembled], cases: &mut Cases) {
        let [message] = had else {
            match had.len() {
                0 if end.state == EndState::Delivered => wrong(cases, "delivered, and at no carrier", id),
                0 => self.unseen += 1,
                _ => wrong(cases, "at a carrier in two shapes", id),
            }
            return;
        };
        if message.source != sender_on_link(&letter.from) {
            wrong(cases, "from another sender", id);
        }
        match message.text() {
            Some(text) if text == letter.text => {
                self.read += 1;
                self.read_long += usize::from(parts(&letter.text) > 1);
            }
            _ if message.is_whole() => wrong(cases, "read otherwise than sent", id),
            _ => {
                self.torn += 1;
                if end.state == EndState::Delivered {
                    wrong(cases, "delivered, and its carrier lacks a part", id);
                }
                if !message.pieces().all(|(_, piece)| letter.text.contains(&piece)) {
                    wrong(cases, "of other pieces than sent", id);
                }
            }
        }
        if !matches!(end.state, EndState::Delivered | EndState::Unknown) {
            wrong(cases, "at a carrier, and neither delivered nor unknown", id);
        }
        self.count_copies(id, letter, end, message, cases);
    }

    /// What was taken again was sent again: after an answer that never came, and where the policy allows it.
    fn count_copies(&mut self, id: &str, letter: &Letter, end: &TerminalEvent, had: &Reassembled, cases: &mut Cases) {
        let further = had.copies().saturating_sub(1);
        if further == 0 {
            return;
        }
        let unknown = end
            .attempts
            .iter()
            .filter(|attempt| attempt.answer.outcome == "unknown")
            .count();
        if !may_come_twice(letter) {
            wrong(cases, "at a carrier twice against the policy", id);
        }
        if further > unknown {
            wrong(cases, "at a carrier more often than answers were lost", id);
        }
        let is_dropped = |taken: &Taken| !taken.is_answered;
        let before = had
            .parts
            .values()
            .flat_map(|taken| taken.split_last().map_or(&[][..], |(_, before)| before));
        let why = match before.into_iter().any(is_dropped) {
            true => "the carrier kept its answer back",
            false => "its answer was lost with a connection",
        };
        *self.copies.entry((letter.class.as_str(), why)).or_default() += further;
    }
}

fn wrong(cases: &mut Cases, what: &'static str, id: &str) {
    cases.entry(what).or_default().push(id.to_owned());
}

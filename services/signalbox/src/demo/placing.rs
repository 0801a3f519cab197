//! Where messages went, against where the table says they go.

use std::collections::{BTreeMap, BTreeSet};

use journey::{Attempt, TerminalEvent};
use signalbox_loadtest::{
    stage::{Books, taken},
    world::Letter,
};
use sms::{CarrierName, Content, UnixMs};
use table::{Action, Decision, Query, Standing, Table};

use super::{check::tell, drive::Trip, stage::Scene};

/// A link is known to be down, or up again, at the latest so long after it was, in milliseconds.
const LINK_NOTICE_MS: u64 = 3_000;
/// So long after a kill the links are up again, in milliseconds.
const RESTART_MS: u64 = 15_000;
/// A carrier where orders waited this long, in milliseconds, may have been too busy for a password: half of what one may wait.
const BUSY_MS: u64 = 1_000;
/// So long after it counted as busy, in seconds: routers hear of it now and then.
const BUSY_NOTICE: u64 = 3;

/// Asks the table itself where each message should have gone.
pub(super) fn check(scene: &Scene, trip: &Trip, books: &Books, findings: &mut Vec<String>) {
    let mut elsewhere = Vec::new();
    let busy = Busy::of(books);
    for (id, end) in &books.ends {
        let (Some(letter), Some(attempt)) = (trip.accepted.get(id), taken(end)) else {
            continue;
        };
        if has_one_right_place(end) && !is_right(scene, trip, &busy, end, letter, attempt) {
            elsewhere.push(format!("{id} to {}", attempt.carrier));
        }
    }
    tell(findings, "messages that went elsewhere than the table says", &elsewhere);
    shares_moved(trip, books, findings);
}

/// Only a message that one carrier took, without another's word before, has exactly one right place.
fn has_one_right_place(end: &TerminalEvent) -> bool {
    end.attempts
        .iter()
        .all(|attempt| matches!(&*attempt.answer.outcome, "accepted" | "link_down"))
}

fn is_right(scene: &Scene, trip: &Trip, busy: &Busy, end: &TerminalEvent, letter: &Letter, attempt: &Attempt) -> bool {
    let Some(table) = scene.tables.iter().find(|table| table.version() == attempt.table) else {
        return false;
    };
    let is_disturbed = |at: &UnixMs| attempt.issued_at.0.abs_diff(at.0) < RESTART_MS;
    if trip.disturbed.iter().any(is_disturbed) {
        // The links of a process that starts come up one by one, and a message goes to one that is up.
        return true;
    }
    let at = end.message.accepted_at;
    let is_busy = |carrier: &CarrierName| *carrier != attempt.carrier && busy.was(carrier, attempt.issued_at);
    let goes_to = |dark: Option<&CarrierName>| {
        let choice = |is_out: &(dyn Fn(&CarrierName) -> bool + Sync)| first_choice(table, letter, at, is_out);
        let goes = |choice: Option<CarrierName>| choice.as_ref() == Some(&attempt.carrier);
        goes(choice(&|carrier| Some(carrier) == dark))
            || goes(choice(&|carrier| Some(carrier) == dark || is_busy(carrier)))
    };
    let Some((dark, from, to)) = &trip.dark else {
        return goes_to(None);
    };
    let is_close = [from, to]
        .iter()
        .any(|event| attempt.issued_at.0.abs_diff(event.0) < LINK_NOTICE_MS);
    let is_dark = (*from..=*to).contains(&attempt.issued_at);
    match (is_dark, is_close) {
        (_, true) => goes_to(None) || goes_to(Some(dark)),
        (true, false) => goes_to(Some(dark)),
        (false, false) => goes_to(None),
    }
}

/// When orders waited at which carrier, by the second: more came than it takes, so that some messages went to the next one.
struct Busy(BTreeSet<(CarrierName, u64)>);

impl Busy {
    fn of(books: &Books) -> Self {
        let attempts = books.ends.values().flat_map(|end| &end.attempts);
        let waited = attempts.filter(|attempt| attempt.answer.at.0 >= attempt.issued_at.0 + BUSY_MS);
        let seconds = |attempt: &Attempt| attempt.issued_at.0 / 1_000..=attempt.answer.at.0 / 1_000 + BUSY_NOTICE;
        let each = waited.flat_map(|attempt| seconds(attempt).map(|second| (attempt.carrier.clone(), second)));
        Self(each.collect())
    }

    fn was(&self, carrier: &CarrierName, at: UnixMs) -> bool {
        self.0.contains(&(carrier.clone(), at.0 / 1_000))
    }
}

/// The carrier `table` names first for `letter`, with those that are out left aside.
pub(super) fn first_choice(
    table: &Table,
    letter: &Letter,
    at: UnixMs,
    is_out: &(dyn Fn(&CarrierName) -> bool + Sync),
) -> Option<CarrierName> {
    let standings = |carrier: &CarrierName, _| Standing {
        circuit_open: is_out(carrier),
        ..Standing::UP
    };
    let mut decision = Decision::default();
    table.decide(
        &Query {
            standings: Some(&standings),
            ..query(letter, at)
        },
        &mut decision,
    );
    match decision.action {
        Action::Route => decision.candidates.first().map(|candidate| candidate.carrier.clone()),
        _ => None,
    }
}

/// `letter` as the router asks about it.
pub(super) fn query(letter: &Letter, at: UnixMs) -> Query<'_> {
    let size = sms::count(&Content::Text(letter.text.clone()));
    Query {
        from: letter.from.as_str(),
        account: "demo",
        class: letter.class,
        encoding: size.encoding,
        segments: size.segments,
        text: Some(&letter.text),
        ..Query::new(letter.to.digits(), at)
    }
}

/// Messages that each carrier took, before the first event, between the two, and after the second.
pub(super) fn shares(trip: &Trip, books: &Books) -> BTreeMap<CarrierName, [u64; 3]> {
    let dark_at = trip.dark.as_ref().map_or(UnixMs(u64::MAX), |(_, from, _)| *from);
    let cheaper_at = trip.cheaper.as_ref().map_or(UnixMs(u64::MAX), |(_, at)| *at);
    let mut shares: BTreeMap<CarrierName, [u64; 3]> = BTreeMap::new();
    for attempt in books.ends.values().filter_map(taken) {
        let phase = usize::from(attempt.issued_at >= dark_at) + usize::from(attempt.issued_at >= cheaper_at);
        shares.entry(attempt.carrier.clone()).or_default()[phase] += 1;
    }
    shares
}

fn shares_moved(trip: &Trip, books: &Books, findings: &mut Vec<String>) {
    let shares = shares(trip, books);
    let totals: Vec<u64> = (0..3)
        .map(|phase| shares.values().map(|counts| counts[phase]).sum())
        .collect();
    let share = |carrier: &CarrierName, phase: usize| {
        let count = shares.get(carrier).map_or(0, |counts| counts[phase]);
        count as f64 / totals[phase].max(1) as f64
    };
    if let Some((dark, ..)) = &trip.dark
        && (share(dark, 1) > 0.02 || share(dark, 0) < 0.05)
    {
        findings.push(format!("{dark} went dark and its share did not vanish"));
    }
    if let Some((cheaper, _)) = &trip.cheaper
        && share(cheaper, 2) <= share(cheaper, 1)
    {
        findings.push(format!("{cheaper} became cheaper and its share did not grow"));
    }
}

/// What an end cost: every carrier that took the message charges for it.
pub(super) fn cost_micros(end: &TerminalEvent) -> i64 {
    let charged = end
        .attempts
        .iter()
        .filter(|attempt| attempt.answer.outcome == "accepted");
    charged
        .filter_map(|attempt| attempt.price.as_ref())
        .map(|price| price.cost_micros)
        .sum()
}

/// What `letter` would have cost at `carrier` alone; `None` if it may not take it.
pub(super) fn cost_alone(table: &Table, letter: &Letter, at: UnixMs, carrier: &CarrierName) -> Option<i64> {
    let standings = |other: &CarrierName, _| Standing {
        circuit_open: other != carrier,
        ..Standing::UP
    };
    let mut decision = Decision::default();
    table.decide(
        &Query {
            standings: Some(&standings),
            ..query(letter, at)
        },
        &mut decision,
    );
    decision
        .candidates
        .first()
        .filter(|candidate| candidate.carrier == carrier)
        .map(|candidate| candidate.cost.0)
}

//! How long it took until others had the work of a connector that was lost.

use std::time::Duration;

use super::{fault::Kind, storm::Struck};
use crate::{customer::Ledger, oracle::Evidence};

/// Longest time from the loss until carriers have everything that was due by then: the lost one's lease and its place in the group
/// lapse, one after the other at the worst, and a little to do the work.
pub(super) const TAKEOVER_MAX: Duration = connector::LEASE
    .saturating_add(bus::SESSION)
    .saturating_add(Duration::from_secs(2));

/// So long after another fault what it did is over, in microseconds.
const SETTLED_US: u64 = 15_000_000;

/// From the loss at place `number` until carriers had the last message that was due by then and that others brought them. `None` =
/// that fault lost nobody, or another one was under way meanwhile.
pub(super) fn taken_over(struck: &[Struck], number: usize, ledger: &Ledger, evidence: &Evidence) -> Option<Duration> {
    let loss = &struck[number];
    let until = loss.at.0 + TAKEOVER_MAX.as_micros() as u64;
    let is_meanwhile =
        |other: &Struck| other.at.0 <= until && other.ended_at.is_none_or(|ended| ended.0 + SETTLED_US >= loss.at.0);
    let mut others = struck.iter().enumerate().filter(|(place, _)| *place != number);
    if loss.kind != Kind::Lose || others.any(|(_, other)| is_meanwhile(other)) {
        return None;
    }
    let due = (0..ledger.entries.len()).take_while(|place| ledger.due(*place) <= loss.at);
    let takes = due.filter_map(|place| evidence.takes.get(&place)).flatten();
    let last = takes.map(|take| take.at.0).max().unwrap_or(0);
    Some(Duration::from_micros(last.saturating_sub(loss.at.0)))
}

/// Losses that lasted too long for others.
pub(super) fn findings(struck: &[Struck], taken_over: &[Option<Duration>]) -> Vec<String> {
    let late = struck.iter().zip(taken_over).filter_map(|(loss, took)| {
        let took = took.filter(|took| *took > TAKEOVER_MAX)?;
        let target = &loss.target;
        Some(format!(
            "what {target} had was with carriers {took:.1?} after its loss, the limit is {TAKEOVER_MAX:?}"
        ))
    });
    late.collect()
}

#[cfg(test)]
mod tests;

//! How long it took from each fault until passwords flowed as before.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;
use sms::{Class, UnixUs};

use super::storm::Struck;
use crate::{customer::Ledger, oracle::Evidence, world::Letter};

/// Passwords that were due within so long are looked at together, in microseconds.
const SLOT_US: u64 = 250_000;
/// Of a hundred passwords of a slot, those that may be late.
const LATE_PERCENT_MAX: u64 = 5;
/// Slots in a row that are as before, until it is over.
const SLOTS_GOOD: usize = 4;
/// A password is late after twice the p99 of the quiet time before the first fault, within these.
const LATE_MIN: Duration = Duration::from_millis(250);
const LATE_MAX: Duration = Duration::from_secs(1);
/// How long it takes until all messages of a second come: Kafka's brokers compile themselves while they work.
pub(super) const RAMP: Duration = Duration::from_secs(20);
/// What does not count at the start.
pub(super) const WARM_UP: Duration = Duration::from_secs(25);
const _: () = assert!(WARM_UP.as_secs() > RAMP.as_secs(), "the ramp does not count");

/// How long passwords took from when they were due to a carrier, in milliseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Latency {
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) max_ms: f64,
    pub(super) count: u64,
    /// Those that no carrier ever had: they are not among the others.
    pub(super) never: u64,
}

impl Latency {
    fn of(histogram: &Histogram<u64>, never: u64) -> Self {
        let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1_000.0;
        Self {
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            max_ms: histogram.max() as f64 / 1_000.0,
            count: histogram.len(),
            never,
        }
    }
}

/// Passwords by when they were due.
#[derive(Debug)]
pub(super) struct Recovery {
    /// Before the first fault.
    pub(super) quiet: Latency,
    /// From the first fault on.
    pub(super) stormy: Latency,
    /// After it a password counts as late, in microseconds.
    pub(super) late_us: u64,
    /// Whether each slot had too many late ones.
    slots: Vec<bool>,
    start: UnixUs,
}

impl Recovery {
    /// Measures the passwords among `letters`; the first fault came at `first`.
    ///
    /// # Errors
    /// The texts in the repository were edited and no longer hold together.
    pub(super) fn of(
        ledger: &Ledger,
        evidence: &Evidence,
        letters: impl Iterator<Item = anyhow::Result<Letter>>,
        first: UnixUs,
    ) -> anyhow::Result<Self> {
        let warm_at = UnixUs(ledger.start_at.0 + WARM_UP.as_micros() as u64);
        let (mut quiet, mut stormy) = (Histogram::<u64>::new(3)?, Histogram::<u64>::new(3)?);
        let (mut waits, mut never) = (Vec::new(), [0, 0]);
        for ((place, entry), letter) in ledger.entries.iter().enumerate().zip(letters) {
            if letter?.class != Class::Otp || entry.id.is_none() {
                continue;
            }
            let due = ledger.due(place);
            // Clocks of one machine; a message cannot arrive before it was due.
            let wait = evidence.arrival(place).map(|at| at.0.saturating_sub(due.0));
            if due >= warm_at {
                let histogram = if due >= first { &mut stormy } else { &mut quiet };
                match wait {
                    Some(wait) => histogram.record(wait)?,
                    None => never[usize::from(due >= first)] += 1,
                }
            }
            waits.push((due, wait));
        }
        let late_us =
            (2 * quiet.value_at_quantile(0.99)).clamp(LATE_MIN.as_micros() as u64, LATE_MAX.as_micros() as u64);
        Ok(Self {
            quiet: Latency::of(&quiet, never[0]),
            stormy: Latency::of(&stormy, never[1]),
            late_us,
            slots: slots(&waits, ledger.start_at, late_us),
            start: ledger.start_at,
        })
    }

    /// From the fault at that place until passwords flowed as before; zero = nobody felt it. `None` = they never did.
    pub(super) fn after(&self, struck: &[Struck], number: usize) -> Option<Duration> {
        let at = struck[number].at;
        let slot = |at: UnixUs| (at.0.saturating_sub(self.start.0) / SLOT_US) as usize;
        let first = slot(at);
        let bound = struck.get(number + 1).map_or(self.slots.len(), |next| slot(next.at));
        let in_bound = first..bound.min(self.slots.len());
        let Some(last) = in_bound.clone().rev().find(|slot| self.slots[*slot]) else {
            return Some(Duration::ZERO);
        };
        let over = (last..self.slots.len()).find(|slot| {
            let rest = &self.slots[slot + 1..];
            rest.len() >= SLOTS_GOOD && rest[..SLOTS_GOOD].iter().all(|is_bad| !is_bad)
        })?;
        let end = self.start.0 + (over as u64 + 1) * SLOT_US;
        Some(Duration::from_micros(end.saturating_sub(at.0)))
    }
}

fn slots(waits: &[(UnixUs, Option<u64>)], start: UnixUs, late_us: u64) -> Vec<bool> {
    let mut counts: Vec<(u64, u64)> = Vec::new();
    for (due, wait) in waits {
        let slot = (due.0.saturating_sub(start.0) / SLOT_US) as usize;
        if counts.len() <= slot {
            counts.resize(slot + 1, (0, 0));
        }
        counts[slot].0 += 1;
        counts[slot].1 += u64::from(wait.is_none_or(|wait| wait > late_us));
    }
    let is_bad = |(all, late): &(u64, u64)| late * 100 > all * LATE_PERCENT_MAX;
    counts.iter().map(is_bad).collect()
}

#[cfg(test)]
mod tests;

//! Parts whose answer is overdue by the carrier's own round trip, long before it is given up.
//!
//! A carrier that throttles has its window halved down to a slot or two. Were parts that it never answers to count there, a
//! few of them would hold the link until their answers time out, half a minute later: so they count against the most that may
//! be unanswered, and no longer against what the carrier grants at the moment.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use service::time::Instant;

use crate::link::Tag;

/// Least time until an answer is overdue, and the time where no round trip is known (RFC 6298 §2).
const OVERDUE_MIN: Duration = Duration::from_secs(1);
/// How often parts are looked over: all of them, and a window holds a thousand at the most.
const LOOK: Duration = Duration::from_millis(100);
/// Weight of the latest round trip in their mean, and in their mean deviation (RFC 6298 §2).
const MEAN_GAIN: f64 = 0.125;
const DEVIATION_GAIN: f64 = 0.25;
/// Mean deviations above the mean from which on an answer is overdue.
const DEVIATIONS: f64 = 4.0;

/// What is on its way on one link, and for how long.
#[derive(Debug, Default)]
pub(crate) struct Silence {
    open: BTreeMap<Tag, Instant>,
    overdue: BTreeSet<Tag>,
    /// Mean of round trips and their mean deviation, in seconds; absent = nothing was answered yet.
    round_trip: Option<(f64, f64)>,
    looked_at: Option<Instant>,
}

impl Silence {
    /// The part leaves for the carrier.
    pub(crate) fn sent(&mut self, tag: Tag, now: Instant) {
        self.open.insert(tag, now);
    }

    /// The part is not on its way any more; `is_word` says whether that is the carrier's own word.
    pub(crate) fn ended(&mut self, tag: Tag, is_word: bool, now: Instant) {
        self.overdue.remove(&tag);
        if let Some(since) = self.open.remove(&tag).filter(|_| is_word) {
            self.came_round(now.duration_since(since).as_secs_f64());
        }
    }

    /// Looks over what is on its way, if that was not done just now.
    pub(crate) fn look(&mut self, now: Instant) {
        if self.looked_at.is_some_and(|at| now.duration_since(at) < LOOK) {
            return;
        }
        self.looked_at = Some(now);
        let patience = self.patience();
        let is_overdue = |since: &Instant| now.duration_since(*since) >= patience;
        let overdue = self.open.iter().filter(|(_, since)| is_overdue(since));
        self.overdue = overdue.map(|(tag, _)| *tag).collect();
    }

    /// Parts that were overdue at the last look and are on their way still.
    pub(crate) fn overdue(&self) -> u32 {
        u32::try_from(self.overdue.len()).unwrap_or(u32::MAX)
    }

    /// When to look again; `None` = nothing can become overdue.
    pub(crate) fn look_at(&self) -> Option<Instant> {
        let at = self.looked_at.filter(|_| self.open.len() > self.overdue.len())?;
        Some(at + LOOK)
    }

    fn came_round(&mut self, seconds: f64) {
        self.round_trip = Some(match self.round_trip {
            Some((mean, deviation)) => {
                let off = (seconds - mean).abs();
                (
                    mean + MEAN_GAIN * (seconds - mean),
                    deviation + DEVIATION_GAIN * (off - deviation),
                )
            }
            None => (seconds, seconds / 2.0),
        });
    }

    /// The time after which an answer is overdue.
    fn patience(&self) -> Duration {
        let seconds = |(mean, deviation)| mean + DEVIATIONS * deviation;
        let usual = self.round_trip.map_or(0.0, seconds);
        Duration::try_from_secs_f64(usual).map_or(OVERDUE_MIN, |usual| usual.max(OVERDUE_MIN))
    }
}

#[cfg(test)]
mod tests;

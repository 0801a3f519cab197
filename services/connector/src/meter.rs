//! How fast a lane moves, from what was counted over the last seconds.

use std::{collections::VecDeque, time::Duration};

use crate::vitals::Queue;

/// Counts kept; with one a second, so many seconds are looked at.
const COUNTS_MAX: usize = 5;

/// Segments a second.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    total: u64,
    counts: VecDeque<(Duration, u64)>,
}

/// The wait in one lane.
#[derive(Debug, Default)]
pub(crate) struct LanePace {
    last: Queue,
    /// How much left in each span; nothing for a span in which the lane was empty or could not move, since it says nothing
    /// of how fast the lane can.
    counts: VecDeque<Option<(Duration, u64)>>,
    /// Orders a second when it moved last; absent = it never did.
    known: Option<f64>,
    /// For how long not one has left, though it could.
    still: Duration,
}

impl Pace {
    /// Counts what came since the last count, `span` ago.
    pub(crate) fn count(&mut self, span: Duration, total: u64) {
        self.counts.push_back((span, total.saturating_sub(self.total)));
        self.total = total;
        if self.counts.len() > COUNTS_MAX {
            self.counts.pop_front();
        }
    }

    /// How many a second over what was counted; 0 before the first count.
    pub(crate) fn per_second(&self) -> f64 {
        per_second(self.counts.iter().copied()).unwrap_or(0.0)
    }
}

impl LanePace {
    /// Counts what left since the last count, `span` ago; `is_moving` = nothing of ours keeps the lane from it.
    pub(crate) fn count(&mut self, span: Duration, queue: Queue, is_moving: bool) {
        let was_busy = self.last.orders > 0 && queue.orders > 0 && is_moving;
        let left = queue.left.saturating_sub(self.last.left);
        if left > 0 || queue.orders == 0 {
            self.still = Duration::ZERO;
        } else if was_busy {
            self.still += span;
        }
        self.counts.push_back(was_busy.then_some((span, left)));
        self.last = queue;
        if self.counts.len() > COUNTS_MAX {
            self.counts.pop_front();
        }
        self.known = self.moved().or(self.known);
    }

    /// How long an order that joins `queue` waits: by the pace of the spans in which something waited, else by the link's
    /// `rate_limit`, else by the pace it had when it moved last; `None` = none of them is known. A lane that stands still has
    /// no pace: it waits for as long as it stood so far and its queue then takes.
    pub(crate) fn wait(&self, queue: Queue, rate_limit: Option<u32>) -> Option<Duration> {
        if queue.orders == 0 {
            return Some(Duration::ZERO);
        }
        let pace = self.moved().or(rate_limit.map(f64::from)).or(self.known);
        let in_turn = |pace| Duration::try_from_secs_f64(queue.orders as f64 / pace).unwrap_or(Duration::MAX);
        match pace.map(in_turn) {
            Some(wait) => Some(wait.saturating_add(self.still)),
            None => Some(self.still).filter(|still| !still.is_zero()),
        }
    }

    /// Orders a second over what was counted; `None` = not one left.
    fn moved(&self) -> Option<f64> {
        per_second(self.counts.iter().flatten().copied()).filter(|pace| *pace > 0.0)
    }
}

/// `None` = no time was counted.
fn per_second(counts: impl Iterator<Item = (Duration, u64)>) -> Option<f64> {
    let (span, count) = counts.fold((Duration::ZERO, 0), |(spans, counts), (span, count)| {
        (spans + span, counts + count)
    });
    (!span.is_zero()).then(|| count as f64 / span.as_secs_f64())
}

#[cfg(test)]
mod tests;

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
    /// How much left in each span; nothing for a span in which the lane was empty, since it says nothing of how fast the
    /// lane can move.
    counts: VecDeque<Option<(Duration, u64)>>,
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
    /// Counts what left since the last count, `span` ago.
    pub(crate) fn count(&mut self, span: Duration, queue: Queue) {
        let was_busy = self.last.orders > 0 && queue.orders > 0;
        self.counts
            .push_back(was_busy.then(|| (span, queue.left.saturating_sub(self.last.left))));
        self.last = queue;
        if self.counts.len() > COUNTS_MAX {
            self.counts.pop_front();
        }
    }

    /// How long an order that joins `queue` waits: by the pace of the spans in which something waited, else by the link's
    /// `rate_limit`; `None` = neither is known.
    pub(crate) fn wait(&self, queue: Queue, rate_limit: Option<u32>) -> Option<Duration> {
        if queue.orders == 0 {
            return Some(Duration::ZERO);
        }
        let busy = || self.counts.iter().flatten().copied();
        let pace = match per_second(busy()) {
            // Not one left: it takes longer than was looked at for one.
            Some(0.0) => Some(1.0 / busy().map(|(span, _)| span.as_secs_f64()).sum::<f64>()),
            Some(pace) => Some(pace),
            None => rate_limit.map(f64::from),
        };
        pace.map(|pace| Duration::try_from_secs_f64(queue.orders as f64 / pace).unwrap_or(Duration::MAX))
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

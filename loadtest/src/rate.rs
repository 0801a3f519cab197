//! How often something is done in a second on one core.

use std::fmt;

use serde::Serialize;

use crate::decide::clock::{median, worked};

/// The median over rounds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Rate {
    pub(crate) per_second: f64,
    pub(crate) ns: f64,
    /// Share of a core that it was given meanwhile.
    pub(crate) core_share: f64,
}

impl Rate {
    /// Does `work`, which is `times` of it, in so many `rounds`.
    pub(crate) fn of(times: usize, rounds: usize, mut work: impl FnMut()) -> Self {
        let (mut spans, mut shares) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let (spent, share) = worked(&mut work);
            spans.push(spent.as_nanos() as f64 / times.max(1) as f64);
            shares.push(share);
        }
        let ns = median(spans);
        Self {
            per_second: 1e9 / ns,
            ns,
            core_share: median(shares),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = 100.0 * self.core_share;
        write!(
            f,
            "{:>12.0} a second on one core, {:.0} ns each; it was given {share:.0} % of a core",
            self.per_second, self.ns
        )
    }
}

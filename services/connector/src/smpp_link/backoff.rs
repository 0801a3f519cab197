//! How long to wait before connecting again.

use std::{ops::RangeInclusive, time::Duration};

use service::Dice;

use super::connection::End;

/// A bind that held for so long was a good one: the next wait is a short one.
const STABLE: Duration = Duration::from_secs(5);

/// Exponential waits with full jitter, so that many links that lost one carrier do not come back at once.
#[derive(Debug)]
pub(super) struct Backoff {
    range: RangeInclusive<Duration>,
    refused: Duration,
    ceiling: Duration,
    dice: Dice,
}

impl Backoff {
    pub(super) fn new(range: RangeInclusive<Duration>, refused: Duration, dice: Dice) -> Self {
        Self {
            ceiling: *range.start(),
            range,
            refused,
            dice,
        }
    }

    /// The wait after a connection ended so.
    pub(super) fn next(&mut self, end: &End) -> Duration {
        if end.is_refused {
            // Carriers lock accounts that knock too often with a wrong password.
            return self.refused;
        }
        if end.bound_for.is_some_and(|held| held >= STABLE) {
            self.ceiling = *self.range.start();
        }
        let ceiling = self.ceiling;
        self.ceiling = (ceiling * 2).min(*self.range.end());
        ceiling.mul_f64(self.dice.fraction())
    }
}

#[cfg(test)]
mod tests;

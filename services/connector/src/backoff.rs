//! How long to wait before connecting again.

use std::{ops::RangeInclusive, time::Duration};

use service::Dice;

/// A connection that held for so long was a good one: the next wait is a short one.
const STABLE: Duration = Duration::from_secs(5);

/// Exponential waits with full jitter, so that many links that lost one carrier do not come back at once.
#[derive(Debug)]
pub(crate) struct Backoff {
    range: RangeInclusive<Duration>,
    refused: Duration,
    ceiling: Duration,
    dice: Dice,
}

impl Backoff {
    /// Ceilings within `range`; `refused` after refused credentials.
    pub(crate) fn new(range: RangeInclusive<Duration>, refused: Duration, dice: Dice) -> Self {
        Self {
            ceiling: *range.start(),
            range,
            refused,
            dice,
        }
    }

    /// The wait after our credentials were refused: carriers lock accounts that knock too often with a wrong password.
    pub(crate) fn refused(&self) -> Duration {
        self.refused
    }

    /// The wait after a connection that took submissions for `held`; absent = it never did.
    pub(crate) fn next(&mut self, held: Option<Duration>) -> Duration {
        if held.is_some_and(|held| held >= STABLE) {
            self.ceiling = *self.range.start();
        }
        let ceiling = self.ceiling;
        self.ceiling = (ceiling * 2).min(*self.range.end());
        ceiling.mul_f64(self.dice.fraction())
    }
}

#[cfg(test)]
mod tests;

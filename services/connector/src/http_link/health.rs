//! Whether a carrier that keeps no connection takes messages: it does until it cannot be reached several times in a row, refuses
//! our credentials, or asks to be left alone. Pure but for the dice.

use std::{ops::RangeInclusive, time::Duration};

use service::{Dice, time::Instant};

use crate::{Rule, link::REST_MAX};

/// Failures in a row to make a connection after which the carrier counts as down: one alone may be a server that restarts.
const FAILURES_MAX: u32 = 3;

/// How the carrier stands.
#[derive(Debug)]
pub(super) struct Health {
    range: RangeInclusive<Duration>,
    pause: Duration,
    dice: Dice,
    failures: u32,
    ceiling: Duration,
    state: State,
    rest: Option<Rest>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Up,
    /// Not to be reached; knocked at then.
    Away {
        until: Instant,
    },
    /// Credentials were refused; tried again then.
    Paused {
        until: Instant,
    },
}

/// Until when the carrier wants nothing, and what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rest {
    pub(super) until: Instant,
    pub(super) rule: Rule,
    pub(super) detail: String,
}

/// What is to be done now that a wait is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// See whether there is a connection to be had.
    Knock,
    /// Say that the link is up.
    Rise,
}

impl Health {
    pub(super) fn new(range: RangeInclusive<Duration>, pause: Duration, dice: Dice) -> Self {
        Self {
            ceiling: *range.start(),
            range,
            pause,
            dice,
            failures: 0,
            state: State::Up,
            rest: None,
        }
    }

    pub(super) fn is_up(&self) -> bool {
        self.state == State::Up
    }

    /// The carrier answered, whatever it said.
    pub(super) fn answered(&mut self) {
        self.failures = 0;
        self.ceiling = *self.range.start();
    }

    /// No connection was to be had. The wait if the link is down by that.
    pub(super) fn unreachable(&mut self, now: Instant) -> Option<Duration> {
        self.failures += 1;
        if self.state != State::Up || self.failures < FAILURES_MAX {
            return None;
        }
        Some(self.away(now))
    }

    /// It could not be reached when knocked at either. The next wait.
    pub(super) fn away(&mut self, now: Instant) -> Duration {
        let ceiling = self.ceiling;
        self.ceiling = (ceiling * 2).min(*self.range.end());
        let wait = ceiling.mul_f64(self.dice.fraction());
        self.state = State::Away { until: now + wait };
        wait
    }

    /// Our credentials were refused: carriers lock accounts that knock too often. The wait if the link is down by that.
    pub(super) fn refused(&mut self, now: Instant) -> Option<Duration> {
        if self.state != State::Up {
            return None;
        }
        self.state = State::Paused {
            until: now + self.pause,
        };
        Some(self.pause)
    }

    /// The link is up again.
    pub(super) fn rise(&mut self) {
        self.state = State::Up;
        // One more failure is enough to be down again.
        self.failures = FAILURES_MAX - 1;
    }

    /// The carrier asks to be left alone for `wait`, and why. How much of that is granted.
    pub(super) fn rest(&mut self, now: Instant, wait: Duration, rule: Rule, detail: String) -> Duration {
        let granted = wait.min(REST_MAX);
        let until = now + granted;
        if self.rest.as_ref().is_none_or(|rest| rest.until < until) {
            self.rest = Some(Rest { until, rule, detail });
        }
        granted
    }

    /// What it said when it asked to be left alone, while that lasts.
    pub(super) fn resting(&mut self, now: Instant) -> Option<&Rest> {
        self.rest.take_if(|rest| rest.until <= now);
        self.rest.as_ref()
    }

    /// When something is due; `None` = nothing waits.
    pub(super) fn wake(&self) -> Option<Instant> {
        match self.state {
            State::Up => None,
            State::Away { until } | State::Paused { until } => Some(until),
        }
    }

    /// What is due now.
    pub(super) fn due(&self, now: Instant) -> Option<Due> {
        match self.state {
            State::Away { until } if until <= now => Some(Due::Knock),
            State::Paused { until } if until <= now => Some(Due::Rise),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;

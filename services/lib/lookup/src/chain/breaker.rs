//! When a provider that fails is left alone.

use std::time::Duration;

use service::time::Instant;

use crate::BreakerConfig;

/// Counts what a provider does to its calls.
#[derive(Debug)]
pub(super) struct Breaker {
    config: BreakerConfig,
    /// Failures in a row.
    failures: u32,
    /// The last pause; `None` = there was none since it was well.
    pause: Option<Duration>,
    /// Until when it is left alone.
    until: Option<Instant>,
    /// One call finds out whether it is well again.
    is_probed: bool,
}

/// Whether a provider may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    /// It may.
    Open,
    /// It may by this one call, which must be heard of again.
    Probe,
    /// It is left alone.
    Closed,
}

impl Breaker {
    pub(super) fn new(config: BreakerConfig) -> Self {
        Self {
            config,
            failures: 0,
            pause: None,
            until: None,
            is_probed: false,
        }
    }

    /// Whether it is left alone at `now`.
    pub(super) fn is_closed(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until || self.is_probed)
    }

    /// Whether it may be asked at `now`.
    pub(super) fn pass(&mut self, now: Instant) -> Pass {
        if self.is_closed(now) {
            return Pass::Closed;
        }
        if self.until.is_none() {
            return Pass::Open;
        }
        self.is_probed = true;
        Pass::Probe
    }

    /// It is well. A call that was on its way when it failed says nothing: the probe does.
    pub(super) fn well(&mut self, pass: Pass) {
        if self.until.is_none() || pass == Pass::Probe {
            *self = Self::new(self.config);
        }
    }

    /// It failed a call.
    pub(super) fn failed(&mut self, pass: Pass, now: Instant) {
        match (self.until, pass) {
            (None, _) => {
                self.failures += 1;
                if self.failures >= self.config.failures {
                    self.open(now);
                }
            }
            (Some(_), Pass::Probe) => self.open(now),
            (Some(_), _) => {}
        }
    }

    /// It wants to be left alone for `pause`, which is no failure.
    pub(super) fn busy(&mut self, pass: Pass, pause: Duration, now: Instant) {
        let until = now + pause.min(self.config.pause_max);
        self.until = Some(self.until.map_or(until, |known| known.max(until)));
        if pass == Pass::Probe {
            self.is_probed = false;
        }
    }

    /// The probe was not made after all.
    pub(super) fn unprobed(&mut self, pass: Pass) {
        if pass == Pass::Probe {
            self.is_probed = false;
        }
    }

    fn open(&mut self, now: Instant) {
        let pause = self.pause.map_or(self.config.pause, |last| last * 2);
        let pause = pause.min(self.config.pause_max);
        (self.pause, self.until) = (Some(pause), Some(now + pause));
        self.is_probed = false;
    }
}

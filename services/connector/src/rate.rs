//! Parts per second that a carrier allows: a token bucket.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use service::time::Instant;
use sms::Lane;

/// Tokens that may gather while nothing is sent, as a share of a second: small, as carriers count in short windows.
const BURST_SECONDS: f64 = 0.1;
/// Share of the rate that urgent messages may always have, though a long one of another lane took its tokens on credit.
const RESERVED: f64 = 0.1;

/// Longest wait that is told: one without a rate has none until it is leased another.
const WAIT_MAX: Duration = Duration::from_secs(3_600);

/// Tokens of one link; without a rate there are always enough.
#[derive(Debug)]
pub(crate) struct Bucket {
    rate: Option<f64>,
    level: f64,
    /// Tokens that are kept for urgent messages. Taking one takes one of the others too, so that on the whole no more than
    /// the rate is sent.
    reserve: f64,
    filled_at: Instant,
    /// When the rate ends; absent = never.
    until: Option<Instant>,
    /// Tokens taken since somebody asked.
    used: u32,
}

impl Bucket {
    /// A full bucket of `per_second` tokens a second; `None` = no limit.
    pub(crate) fn new(per_second: Option<u32>, now: Instant) -> Self {
        let rate = per_second.map(f64::from);
        Self {
            rate,
            level: rate.map_or(0.0, burst),
            reserve: rate.map_or(0.0, reserve_max),
            filled_at: now,
            until: None,
            used: 0,
        }
    }

    /// One that fills by leases alone, and holds the first token.
    pub(crate) fn leased(now: Instant) -> Self {
        Self {
            until: Some(now),
            ..Self::new(Some(0), now)
        }
    }

    /// Has it fill with so many tokens a second until then, and with none after that.
    pub(crate) fn lease(&mut self, per_second: f64, now: Instant, until: Instant) {
        self.fill(now);
        self.rate = Some(per_second);
        self.until = Some(until);
    }

    /// Whether tokens were taken since [`Self::take_used`], or are owed.
    pub(crate) fn is_used(&self) -> bool {
        self.rate.is_some() && (self.used > 0 || self.level < 0.0)
    }

    /// Tokens taken since this was called last.
    pub(crate) fn take_used(&mut self) -> f64 {
        f64::from(std::mem::take(&mut self.used))
    }

    /// Has it fill with so many tokens a second from now on; one without a limit stays so.
    pub(crate) fn set_rate(&mut self, per_second: f64) {
        if self.rate.is_some() {
            self.rate = Some(per_second);
        }
    }

    /// Lets the time up to `now` fill the bucket.
    pub(crate) fn fill(&mut self, now: Instant) {
        if let Some(rate) = self.rate {
            let filled_until = self.until.map_or(now, |until| now.min(until));
            let gained = filled_until.duration_since(self.filled_at).as_secs_f64() * rate;
            self.level = (self.level + gained).min(burst(rate));
            self.reserve = (self.reserve + gained * RESERVED).min(reserve_max(rate));
            self.filled_at = now;
            if self.until.is_some_and(|until| until <= now) {
                // What a lease leaves is somebody else's; one token stays, so that the next message need not wait for a lease.
                self.rate = Some(0.0);
                self.level = self.level.min(1.0);
            }
        }
    }

    /// Whether a part of `lane` may be sent now.
    pub(crate) fn is_open(&self, lane: Lane) -> bool {
        self.rate.is_none() || self.level >= 1.0 || (lane == Lane::Urgent && self.reserve >= 1.0)
    }

    /// Whether it holds what flows in within `span`, or as much of that as it can hold: a batch of parts.
    pub(crate) fn holds(&self, span: Duration) -> bool {
        let least = |rate: f64| (rate * span.as_secs_f64()).clamp(1.0, burst(rate));
        self.rate.is_none_or(|rate| self.level >= least(rate))
    }

    /// Takes `tokens` for parts of `lane`, on credit where there are fewer: a long message reserves all of its tokens at
    /// once.
    pub(crate) fn take(&mut self, tokens: u32, lane: Lane) {
        if self.rate.is_some() {
            if self.level < 1.0 && lane == Lane::Urgent {
                self.reserve -= f64::from(tokens);
            }
            self.level -= f64::from(tokens);
            self.used = self.used.saturating_add(tokens);
        }
    }

    /// Gives back what was not used.
    pub(crate) fn give(&mut self, tokens: u32) {
        if let Some(rate) = self.rate {
            self.level = (self.level + f64::from(tokens)).min(burst(rate));
        }
    }

    /// Tokens that are missing before a part of `lane` may be sent.
    pub(crate) fn lacks(&self, lane: Lane) -> f64 {
        match self.is_open(lane) {
            true => 0.0,
            false => 1.0 - self.level,
        }
    }

    /// How long until a part of `lane` may be sent.
    pub(crate) fn opens_in(&self, lane: Lane) -> Duration {
        let Some(rate) = self.rate.filter(|_| !self.is_open(lane)) else {
            return Duration::ZERO;
        };
        let wait = (1.0 - self.level) / rate;
        let reserved = (1.0 - self.reserve) / (rate * RESERVED);
        let wait = if lane == Lane::Urgent { wait.min(reserved) } else { wait };
        Duration::try_from_secs_f64(wait).map_or(WAIT_MAX, |wait| wait.min(WAIT_MAX))
    }
}

/// One of several that divide a rate among those that use it. Clones are others.
#[derive(Debug, Default)]
pub(crate) struct Share {
    users: Arc<AtomicU32>,
    is_user: bool,
}

impl Share {
    /// Whether this one uses its share from now on.
    pub(crate) fn set_used(&mut self, is_used: bool) {
        match (self.is_user, is_used) {
            (false, true) => self.users.fetch_add(1, Ordering::Relaxed),
            (true, false) => self.users.fetch_sub(1, Ordering::Relaxed),
            _ => return,
        };
        self.is_user = is_used;
    }

    /// What one of them has of `rate`.
    pub(crate) fn of(&self, rate: u32) -> f64 {
        f64::from(rate) / f64::from(self.users.load(Ordering::Relaxed).max(1))
    }
}

impl Clone for Share {
    fn clone(&self) -> Self {
        Self {
            users: Arc::clone(&self.users),
            is_user: false,
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set_used(false);
    }
}

fn burst(rate: f64) -> f64 {
    (rate * BURST_SECONDS).max(1.0)
}

fn reserve_max(rate: f64) -> f64 {
    (burst(rate) * RESERVED).max(1.0)
}

#[cfg(test)]
mod tests;

//! Parts per second that a carrier allows: a token bucket.

use std::time::Duration;

use service::time::Instant;

/// Tokens that may gather while nothing is sent, as a share of a second: small, as carriers count in short windows.
const BURST_SECONDS: f64 = 0.1;

/// Tokens of one link; without a rate there are always enough.
#[derive(Debug)]
pub(crate) struct Bucket {
    rate: Option<f64>,
    level: f64,
    filled_at: Instant,
}

impl Bucket {
    /// A full bucket of `per_second` tokens a second; `None` = no limit.
    pub(crate) fn new(per_second: Option<u32>, now: Instant) -> Self {
        let rate = per_second.map(f64::from);
        Self {
            rate,
            level: rate.map_or(0.0, burst),
            filled_at: now,
        }
    }

    /// Lets the time up to `now` fill the bucket.
    pub(crate) fn fill(&mut self, now: Instant) {
        if let Some(rate) = self.rate {
            let gained = now.duration_since(self.filled_at).as_secs_f64() * rate;
            self.level = (self.level + gained).min(burst(rate));
            self.filled_at = now;
        }
    }

    /// Whether a part may be sent now.
    pub(crate) fn is_open(&self) -> bool {
        self.rate.is_none() || self.level >= 1.0
    }

    /// Takes `tokens`, on credit where there are fewer: a long message reserves all of its tokens at once.
    pub(crate) fn take(&mut self, tokens: u32) {
        if self.rate.is_some() {
            self.level -= f64::from(tokens);
        }
    }

    /// Gives back what was not used.
    pub(crate) fn give(&mut self, tokens: u32) {
        if let Some(rate) = self.rate {
            self.level = (self.level + f64::from(tokens)).min(burst(rate));
        }
    }

    /// How long until a part may be sent.
    pub(crate) fn opens_in(&self) -> Duration {
        match self.rate {
            Some(rate) if self.level < 1.0 => Duration::from_secs_f64((1.0 - self.level) / rate),
            _ => Duration::ZERO,
        }
    }
}

fn burst(rate: f64) -> f64 {
    (rate * BURST_SECONDS).max(1.0)
}

#[cfg(test)]
mod tests;

//! Instants as the bus and the store keep them.

use std::{fmt, ops::Add, ops::Sub, time::Duration};

/// Milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMs(pub u64);

impl UnixMs {
    /// Whole seconds since the epoch, rounded up: the second in which a timer for this instant is due.
    pub const fn second_ceil(self) -> u64 {
        self.0.div_ceil(1_000)
    }

    /// Time from `earlier` to `self`; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// Microseconds since 1970-01-01 UTC: where milliseconds are too coarse to measure by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixUs(pub u64);

impl UnixUs {
    /// The millisecond that it lies in.
    pub const fn millis(self) -> UnixMs {
        UnixMs(self.0 / 1_000)
    }

    /// Time from `earlier` to `self`; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl From<UnixMs> for UnixUs {
    fn from(at: UnixMs) -> Self {
        Self(at.0.saturating_mul(1_000))
    }
}

impl Add<Duration> for UnixMs {
    type Output = Self;
    fn add(self, rhs: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(rhs.as_millis()).unwrap_or(u64::MAX)),
        )
    }
}

impl Sub<Duration> for UnixMs {
    type Output = Self;
    fn sub(self, rhs: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(u64::try_from(rhs.as_millis()).unwrap_or(u64::MAX)),
        )
    }
}

impl fmt::Display for UnixMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

//! Shares of a whole, without floats.

use std::fmt;

/// A share in millionths of the whole. Displayed in per cent with two places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(u32);

impl Share {
    /// All of it.
    pub const WHOLE: Self = Self(1_000_000);

    /// So many millionths, the whole at the most.
    pub const fn millionths(count: u32) -> Self {
        if count > Self::WHOLE.0 {
            Self::WHOLE
        } else {
            Self(count)
        }
    }

    /// So many per cent, the whole at the most.
    pub const fn percent(count: u32) -> Self {
        Self::millionths(count.saturating_mul(10_000))
    }

    /// As a number of millionths.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02} %", self.0 / 10_000, self.0 % 10_000 / 100)
    }
}

//! What makes a carrier hard to work with beside errors: throttling that comes and goes, and receipts at any time but theirs.

use std::str::FromStr;
use std::time::Duration;

use super::config::{ConfigError, Delay, duration};

/// Throttling that comes and goes: free for a while, then everything is refused for a while, over and over from the
/// carrier's start on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wave {
    /// How long messages are taken.
    pub free: Duration,
    /// How long they are refused then.
    pub throttled: Duration,
}

impl Wave {
    /// Whether messages are refused at `now`, counted from the carrier's start.
    pub(super) fn throttles(self, now: Duration) -> bool {
        let length = (self.free + self.throttled).as_nanos().max(1);
        now.as_nanos() % length >= self.free.as_nanos()
    }
}

impl FromStr for Wave {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let read = || {
            let (free, throttled) = text.split_once('/')?;
            let (free, throttled) = (duration(free)?, duration(throttled)?);
            (!throttled.is_zero()).then_some(Self { free, throttled })
        };
        read().ok_or_else(|| ConfigError {
            given: text.to_owned(),
            what: "wave",
            help: "write 2s/500ms: free for two seconds, throttled for half a second",
        })
    }
}

/// How often receipts come at another time than theirs, or twice. Shares from 0 to 1; the first two exclude each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReceiptChances {
    /// Share written before the answer to their message; one for which its connection has no room waits like others.
    pub early: f64,
    /// Share that comes late.
    pub late: f64,
    /// How long after the answer those come, in place of the usual delay.
    pub late_by: Delay,
    /// Share sent once more when they were taken.
    pub twice: f64,
    /// How long after that.
    pub twice_after: Delay,
}

impl Default for ReceiptChances {
    /// Every receipt comes once, at its time.
    fn default() -> Self {
        Self {
            early: 0.0,
            late: 0.0,
            late_by: Delay::NONE,
            twice: 0.0,
            twice_after: Delay::NONE,
        }
    }
}

/// When a receipt comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReceiptTime {
    /// Before the answer.
    Early,
    /// At its time.
    Usual,
    /// Later.
    Late,
}

impl ReceiptChances {
    /// When the receipt with this die comes, in [0, 1).
    pub(super) fn time_at(self, die: f64) -> ReceiptTime {
        if die < self.early {
            ReceiptTime::Early
        } else if die < self.early + self.late {
            ReceiptTime::Late
        } else {
            ReceiptTime::Usual
        }
    }
}

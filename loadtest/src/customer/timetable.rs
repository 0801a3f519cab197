//! When messages are due, whatever becomes of those before.

use std::{fmt, time::Duration};

/// When each message is due, and how long it lives.
pub(crate) trait Timetable: fmt::Debug + Send + Sync {
    /// When the message at `place` is due, from the start.
    fn due(&self, place: usize) -> Duration;

    /// Messages due within `elapsed` of the start.
    fn due_within(&self, elapsed: Duration) -> usize;

    /// How long the message at `place` lives.
    fn ttl(&self, place: usize) -> Duration;
}

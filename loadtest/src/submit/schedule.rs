//! When each message is due.

use std::time::Duration;

use tokio::time::Instant;

/// The moments at which messages are due: evenly spaced from the start, dealt to the connections in turn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    start: Instant,
    rate: u32,
    messages: u64,
    connections: u32,
}

impl Schedule {
    /// A schedule whose first message is due now.
    #[expect(clippy::disallowed_methods, reason = "this is where measuring begins")]
    pub(crate) fn starting_now(rate: u32, messages: u64, connections: u32) -> Self {
        Self {
            start: Instant::now(),
            rate,
            messages,
            connections,
        }
    }

    /// Messages of all connections.
    pub(crate) fn messages(&self) -> u64 {
        self.messages
    }

    /// Messages that `connection` submits.
    pub(crate) fn messages_of(&self, connection: u32) -> u64 {
        self.messages
            .saturating_sub(u64::from(connection))
            .div_ceil(u64::from(self.connections))
    }

    /// The place, among all messages, of the `own`-th of `connection`.
    pub(crate) fn place(&self, connection: u32, own: u64) -> u64 {
        own * u64::from(self.connections) + u64::from(connection)
    }

    /// When the message at `place` among all is due.
    pub(crate) fn due(&self, place: u64) -> Instant {
        let nanos = u128::from(place) * 1_000_000_000 / u128::from(self.rate);
        self.start + Duration::from_nanos(u64::try_from(nanos).expect("MESSAGES_MAX at 1 a second are under 2^64 ns"))
    }

    /// Messages of `connection` that are due at `now`, counted from its first.
    pub(crate) fn due_until(&self, connection: u32, now: Instant) -> u64 {
        let Some(elapsed) = now.checked_duration_since(self.start) else {
            return 0;
        };
        // One more than the last place that is due.
        let places = elapsed.as_nanos() * u128::from(self.rate) / 1_000_000_000 + 1;
        let places = u64::try_from(places).unwrap_or(u64::MAX).min(self.messages);
        places
            .saturating_sub(u64::from(connection))
            .div_ceil(u64::from(self.connections))
    }

    /// Seconds from the start to `at`.
    pub(crate) fn seconds_until(&self, at: Instant) -> f64 {
        at.saturating_duration_since(self.start).as_secs_f64()
    }
}

#[cfg(test)]
mod tests;

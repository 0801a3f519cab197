//! When each message is due: more and more of them a second at first, as nobody's brokers begin cold under full load.

use std::time::Duration;

use crate::{customer::Timetable, stage::land::TTL};

/// Messages a second, reached evenly.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    rate: f64,
    ramp: f64,
}

impl Pace {
    /// `rate` messages a second once `ramp` is over.
    pub(super) fn new(rate: u32, ramp: Duration) -> Self {
        Self {
            rate: f64::from(rate),
            ramp: ramp.as_secs_f64(),
        }
    }

    /// Messages of the ramp.
    fn ramped(self) -> f64 {
        self.rate * self.ramp / 2.0
    }
}

impl Timetable for Pace {
    fn due(&self, place: usize) -> Duration {
        let place = place as f64;
        let seconds = match place < self.ramped() {
            true => (2.0 * self.ramp * place / self.rate).sqrt(),
            false => (place - self.ramped()) / self.rate + self.ramp,
        };
        Duration::from_secs_f64(seconds)
    }

    fn due_within(&self, elapsed: Duration) -> usize {
        let seconds = elapsed.as_secs_f64();
        let messages = match seconds < self.ramp {
            true => self.rate * seconds * seconds / (2.0 * self.ramp),
            false => self.ramped() + (seconds - self.ramp) * self.rate,
        };
        // The message at place 0 is due at once.
        messages as usize + 1
    }

    fn ttl(&self, _place: usize) -> Duration {
        TTL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: fn() -> Pace = || Pace::new(1_000, Duration::from_secs(20));

    #[test]
    fn the_rate_is_reached_at_the_end_of_the_ramp_and_kept() {
        let within = |seconds| PACE().due_within(Duration::from_secs(seconds));
        assert_eq!(within(0), 1);
        assert_eq!(within(10), 2_501);
        assert_eq!(within(20), 10_001);
        assert_eq!(within(21) - within(20), 1_000);
    }

    #[test]
    fn a_message_is_due_when_it_is_counted_as_due() {
        for place in [0, 1, 77, 9_999, 10_000, 10_001, 300_000] {
            let due = PACE().due(place);
            let (before, after) = (
                due.saturating_sub(Duration::from_micros(1)),
                due + Duration::from_micros(1),
            );
            assert!(PACE().due_within(after) > place, "{place}");
            assert!(place == 0 || PACE().due_within(before) <= place, "{place}");
        }
    }
}

//! How many parts may be on their way at once: a fixed most, and a moving limit that carriers push down by throttling.

use std::time::Duration;

use service::time::Instant;
use sms::Lane;

/// What is unanswered on a link stays under so many seconds of its rate.
const SECONDS_OF_RATE: u32 = 2;
/// Throttling halves the limit at most once in this time, since all that was on its way is throttled together.
const CUT_INTERVAL: Duration = Duration::from_secs(1);
/// One slot in so many is left to urgent messages, and one at least, so that they never wait for an answer to a campaign.
/// A window of fewer has none to spare.
const RESERVED_ONE_IN: u32 = 10;

/// `congestion_state` from which on a carrier is busy as it should be, and beyond which it nears its limit (SMPP 5.0
/// §4.8.4.18).
pub(crate) const OPTIMAL: u8 = 80;
pub(crate) const CONGESTED: u8 = 90;

/// Slots of one link.
#[derive(Debug)]
pub(crate) struct Window {
    slots_max: u32,
    limit: f64,
    used: u32,
    /// Of these, the slots of parts whose answer is overdue.
    overdue: u32,
    cut_at: Option<Instant>,
    /// Whether the carrier says that it is as busy as it wants to be.
    is_optimal: bool,
}

impl Window {
    /// All of `slots_max` free.
    pub(crate) fn new(slots_max: u32) -> Self {
        Self {
            slots_max,
            limit: f64::from(slots_max),
            used: 0,
            overdue: 0,
            cut_at: None,
            is_optimal: false,
        }
    }

    /// The most slots, of `slots` and those that a `rate` of so many parts a second allows.
    pub(crate) fn allowed(slots: u32, rate: Option<u32>) -> u32 {
        let by_rate = rate.map_or(u32::MAX, |rate| rate.saturating_mul(SECONDS_OF_RATE));
        slots.min(by_rate).max(1)
    }

    /// Slots that `lane` may take now: of those the carrier grants, which overdue answers do not take up, and of all there are.
    pub(crate) fn free(&self, lane: Lane) -> u32 {
        let granted = (self.limit as u32).max(1);
        let within = |limit: u32, used: u32| (limit - self.reserved(limit, lane)).saturating_sub(used);
        within(granted, self.used.saturating_sub(self.overdue)).min(within(self.slots_max, self.used))
    }

    /// Slots of `limit` that `lane` leaves to others.
    fn reserved(&self, limit: u32, lane: Lane) -> u32 {
        let has_spare = self.slots_max >= RESERVED_ONE_IN && limit > 1;
        match has_spare && lane != Lane::Urgent {
            true => (limit / RESERVED_ONE_IN).max(1),
            false => 0,
        }
    }

    /// So many of the parts on their way are overdue.
    pub(crate) fn set_overdue(&mut self, parts: u32) {
        self.overdue = parts;
    }

    /// Whether the carrier grants fewer slots than there are.
    pub(crate) fn is_cut(&self) -> bool {
        self.limit() < self.slots_max
    }

    /// The most slots there ever are.
    pub(crate) fn slots_max(&self) -> u32 {
        self.slots_max
    }

    /// There are so many slots from now on, one at least: what the carrier granted grows and shrinks with them.
    pub(crate) fn set_slots_max(&mut self, slots_max: u32) {
        let slots_max = slots_max.max(1);
        self.limit = match slots_max.checked_sub(self.slots_max) {
            Some(more) => self.limit + f64::from(more),
            None => self.limit.min(f64::from(slots_max)),
        };
        self.slots_max = slots_max;
    }

    /// Slots taken.
    pub(crate) fn used(&self) -> u32 {
        self.used
    }

    /// Slots the carrier grants at the moment.
    pub(crate) fn limit(&self) -> u32 {
        self.limit as u32
    }

    /// Takes `slots`.
    pub(crate) fn take(&mut self, slots: u32) {
        self.used += slots;
    }

    /// Gives `slots` back.
    pub(crate) fn give(&mut self, slots: u32) {
        self.used = self.used.checked_sub(slots).expect("slots given back were taken");
    }

    /// The carrier asked to slow down: half the limit, at most once a second.
    pub(crate) fn slow_down(&mut self, now: Instant) {
        if self.cut_at.is_none_or(|at| now.duration_since(at) >= CUT_INTERVAL) {
            self.limit = (self.limit / 2.0).max(1.0);
            self.cut_at = Some(now);
        }
    }

    /// The carrier says how busy it is, 0 to 100: beyond [`CONGESTED`] it wants less, from [`OPTIMAL`] on no more, and below
    /// that it says nothing.
    pub(crate) fn heed(&mut self, congestion: u8, now: Instant) {
        self.is_optimal = congestion >= OPTIMAL;
        if congestion > CONGESTED {
            self.slow_down(now);
        }
    }

    /// The carrier took a part: one slot more for each window of them.
    pub(crate) fn speed_up(&mut self) {
        if self.is_optimal {
            return;
        }
        self.limit = (self.limit + 1.0 / self.limit).min(f64::from(self.slots_max));
    }
}

#[cfg(test)]
mod tests;

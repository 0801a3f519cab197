//! What is kept of a number, in two words.

use sms::UnixMs;
use table::Network;

use crate::{Confidence, Reach};

/// Which of a chain's providers said it; zero = none did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct By(pub(super) u8);

/// Bits of a provider's place.
const BY_BITS: u32 = 5;
/// Providers that can be told apart.
pub(super) const PROVIDERS_MAX: usize = (1 << BY_BITS) - 1;

/// What is known of a number: networks, flags and times, in seconds, and nothing else of its subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) network: Option<Network>,
    pub(super) ported: Option<bool>,
    pub(super) reach: Reach,
    pub(super) roaming: Option<bool>,
    pub(super) by: By,
    pub(super) asked_at: Seconds,
    pub(super) expires_at: Seconds,
    /// Until when `reach` and `roaming` hold, unless the number is dead. A stale entry is not asked anew before.
    pub(super) reach_until: Seconds,
}

/// Seconds since the epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Seconds(pub(super) u32);

/// How old an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    /// Young enough, or too soon to be asked anew.
    Fresh,
    /// To be given, and asked anew.
    Stale,
    /// Of no use.
    Gone,
}

impl Seconds {
    pub(super) fn of(at: UnixMs) -> Self {
        Self(u32::try_from(at.0 / 1_000).unwrap_or(u32::MAX))
    }

    pub(super) const fn ms(self) -> UnixMs {
        UnixMs(self.0 as u64 * 1_000)
    }

    const fn minus(self, earlier: Self) -> u32 {
        self.0.saturating_sub(earlier.0)
    }

    pub(super) const fn plus(self, seconds: u32) -> Self {
        Self(self.0.saturating_add(seconds))
    }
}

impl Entry {
    /// Whether somebody who knows said something of use.
    pub(super) fn confidence(&self) -> Confidence {
        if self.network.is_some() || self.is_dead() {
            Confidence::High
        } else {
            Confidence::Low
        }
    }

    pub(super) fn is_dead(&self) -> bool {
        self.reach == Reach::Dead
    }

    /// When it is of no use any more: networks are of use for as long again after they are too old. Numbers come to life again, and
    /// of what nobody knew somebody may know.
    pub(super) fn gone_at(&self) -> Seconds {
        if self.network.is_some() && !self.is_dead() {
            self.expires_at.plus(self.expires_at.minus(self.asked_at))
        } else {
            self.expires_at
        }
    }

    pub(super) fn age(&self, now: Seconds) -> Age {
        if now < self.expires_at {
            Age::Fresh
        } else if now >= self.gone_at() {
            Age::Gone
        } else if now < self.reach_until {
            Age::Fresh
        } else {
            Age::Stale
        }
    }

    /// The same, of which nobody is asked again before `at`, where it is stale.
    #[must_use]
    pub(super) fn held_until(self, at: Seconds) -> Self {
        Self {
            reach: Reach::Unknown,
            roaming: None,
            reach_until: at,
            ..self
        }
    }

    /// As two words; the first is never zero.
    pub(super) fn pack(&self) -> [u64; 2] {
        let network = self.network.map_or(0, |network| network.index() as u64 + 1);
        let flags = network
            | flag(self.ported) << PORTED
            | flag(self.roaming) << ROAMING
            | (self.reach as u64) << REACH
            | u64::from(self.by.0) << BY;
        let pair = |low: u64, high: Seconds| low | u64::from(high.0) << 32;
        [
            pair(flags, Seconds(self.asked_at.0.max(1))),
            pair(u64::from(self.expires_at.0), self.reach_until),
        ]
    }

    /// What [`Entry::pack`] packed.
    pub(super) fn unpack([flags, times]: [u64; 2]) -> Self {
        let low = |word: u64| Seconds(word as u32);
        let two = |at: u32| flags >> at & 3;
        Self {
            network: (flags & NETWORK_MASK)
                .checked_sub(1)
                .and_then(|index| Network::of_index(index as usize)),
            ported: unflag(two(PORTED)),
            roaming: unflag(two(ROAMING)),
            reach: match two(REACH) {
                1 => Reach::Connected,
                2 => Reach::Absent,
                3 => Reach::Dead,
                _ => Reach::Unknown,
            },
            by: By((flags >> BY & PROVIDERS_MAX as u64) as u8),
            asked_at: low(flags >> 32),
            expires_at: low(times),
            reach_until: low(times >> 32),
        }
    }
}

const NETWORK_BITS: u32 = 21;
const NETWORK_MASK: u64 = (1 << NETWORK_BITS) - 1;
const _: () = assert!((Network::INDEX_MAX as u64) < NETWORK_MASK, "a network and none fit");
const PORTED: u32 = NETWORK_BITS;
const ROAMING: u32 = PORTED + 2;
const REACH: u32 = ROAMING + 2;
const BY: u32 = REACH + 2;
const _: () = assert!(BY + BY_BITS <= 32, "flags fit in half a word");
const _: () = assert!(
    Reach::Unknown as u64 == 0 && Reach::Dead as u64 == 3,
    "in the order of unpack"
);

const fn flag(flag: Option<bool>) -> u64 {
    match flag {
        None => 0,
        Some(false) => 1,
        Some(true) => 2,
    }
}

const fn unflag(bits: u64) -> Option<bool> {
    match bits {
        1 => Some(false),
        2 => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

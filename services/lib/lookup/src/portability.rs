//! How often numbers were ported or are dead, learnt from answers: for ranges of numbers, and for countries.
//!
//! Of each range and each country the last few thousand answers count: where there are [`ANSWERS_MAX`] all counts are halved, so
//! that older answers fade and a change is followed. A share is that of the answers, with what is known of the wider
//! area counted as so many answers more: a range leans on its country, a country on what the configuration assumes. All of it is
//! memory of one process: a new one learns anew.

use std::{
    hash::{DefaultHasher, Hasher as _},
    sync::atomic::{AtomicU64, Ordering},
};

use table::Network;

use crate::{Answer, Reach, Share};

mod cell;

pub use cell::ANSWERS_MAX;
use cell::Cell;

/// Ranges that are kept. Of more, those with few answers make room.
pub const RANGES_MAX: usize = 1 << 16;
/// Places a range may stand at.
const PLACES: usize = 4;
const _: () = assert!(RANGES_MAX.is_power_of_two() && RANGES_MAX.is_multiple_of(PLACES));

/// Digits at the end of a number that its range leaves open: a range is a million numbers, as operators are given them.
const RANGE_OPEN: usize = 6;

/// Answers that the assumed shares count for beside those of a country.
const ASSUMED_WEIGHT: u64 = 50;
/// Answers that the shares of a country count for beside those of a range.
const COUNTRY_WEIGHT: u64 = 20;

/// MCCs.
const COUNTRIES: usize = 1_000;

/// What was learnt. Shared by all threads: reading is a few loads, and learning locks nothing.
#[derive(Debug)]
pub struct Portability {
    assumed: Rates,
    /// By MCC.
    countries: Box<[AtomicU64]>,
    /// By a hash of the range.
    ranges: Box<[AtomicU64]>,
}

/// How many numbers of a range were ported or are dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Numbers that another network serves than the one that gave them out.
    pub ported: Share,
    /// Numbers that no network serves.
    pub dead: Share,
    /// Answers of the range and of its country that this was learnt from; zero = it is assumed.
    pub answers: u32,
}

/// What an answer says of portability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The network that gave the number out serves it.
    Stayed,
    /// Another network does.
    Ported,
    /// No network does.
    Dead,
}

impl Seen {
    /// What `answer` says of a number that the numbering plan gives to `planned`; `None` = nothing.
    pub fn of(answer: &Answer, planned: Option<Network>) -> Option<Self> {
        if answer.reach == Reach::Dead {
            return Some(Self::Dead);
        }
        let known = |network: Option<Network>| network.filter(|network| network.has_mnc());
        // What the plan says of the number is what decisions assume: whoever disagrees with that was ported, whatever they call it.
        let moved = match (known(planned), known(answer.network)) {
            (Some(planned), Some(network)) => Some(planned != network),
            _ => answer.ported,
        };
        moved.map(|moved| if moved { Self::Ported } else { Self::Stayed })
    }
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            ported: Share::percent(10),
            dead: Share::percent(1),
            answers: 0,
        }
    }
}

impl Portability {
    /// Nothing learnt: `assumed` holds everywhere.
    pub fn new(assumed: Rates) -> Self {
        let cells = |count| (0..count).map(|_| AtomicU64::default()).collect();
        Self {
            assumed: Rates { answers: 0, ..assumed },
            countries: cells(COUNTRIES),
            ranges: cells(RANGES_MAX),
        }
    }

    /// Learns from an answer about `number`, whose digits stand without a plus; `planned` is its network by the numbering plan.
    pub fn learn(&self, number: &str, planned: Option<Network>, seen: Seen) {
        if let Some(planned) = planned {
            update(&self.countries[planned.mcc().index()], |cell| cell.with(seen));
        }
        let (places, tag) = self.places(number);
        let known = places
            .iter()
            .find(|place| Cell(place.load(Ordering::Relaxed)).tag() == tag);
        let place = known.or_else(|| {
            let answers = |place: &&AtomicU64| Cell(place.load(Ordering::Relaxed)).answers();
            places.iter().min_by_key(answers)
        });
        if let Some(place) = place {
            update(place, |cell| {
                let own = if cell.tag() == tag { cell } else { Cell::empty(tag) };
                own.with(seen)
            });
        }
    }

    /// What is known of the range of `number`, whose digits stand without a plus and which the numbering plan gives to `planned`.
    pub fn rates(&self, number: &str, planned: Option<Network>) -> Rates {
        let country = planned.map(|planned| Cell(self.countries[planned.mcc().index()].load(Ordering::Relaxed)));
        let country = country.unwrap_or_default();
        let wide = blend(country, self.assumed, ASSUMED_WEIGHT);
        let (places, tag) = self.places(number);
        let cells = places.iter().map(|place| Cell(place.load(Ordering::Relaxed)));
        let range = cells.into_iter().find(|cell| cell.tag() == tag).unwrap_or_default();
        Rates {
            // Answers of the range count for its country too.
            answers: country.answers().max(range.answers()),
            ..blend(range, wide, COUNTRY_WEIGHT)
        }
    }

    /// Where the range of `number` may stand, and what tells it from others there.
    fn places(&self, number: &str) -> (&[AtomicU64], u32) {
        let range = number.len().saturating_sub(RANGE_OPEN);
        // Its keys are fixed: a run replays.
        let mut hasher = DefaultHasher::new();
        hasher.write(&number.as_bytes()[..range]);
        let hash = hasher.finish();
        let first = (hash as usize & (RANGES_MAX - 1)) & !(PLACES - 1);
        (&self.ranges[first..first + PLACES], Cell::tag_of(hash >> 32))
    }
}

/// The shares of `cell`, with `wider` counted as `weight` answers more.
fn blend(cell: Cell, wider: Rates, weight: u64) -> Rates {
    let whole = u64::from(Share::WHOLE.get());
    let share = |count: u32, wider: Share| {
        let sum = u64::from(count) * whole + u64::from(wider.get()) * weight;
        let share = sum / (u64::from(cell.answers()) + weight);
        Share::millionths(u32::try_from(share).unwrap_or(u32::MAX))
    };
    Rates {
        ported: share(cell.ported(), wider.ported),
        dead: share(cell.dead(), wider.dead),
        answers: cell.answers(),
    }
}

fn update(place: &AtomicU64, change: impl Fn(Cell) -> Cell) {
    // Counts stand for themselves: no other memory hangs on them. The change is never refused.
    _ = place.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| Some(change(Cell(word)).0));
}

#[cfg(test)]
mod tests;

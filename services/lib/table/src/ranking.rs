//! Carriers in order of their cost, ranked when the table is compiled: whoever decides only reads the list.

use std::collections::{BTreeSet, HashMap};

use sms::UnixMs;

use crate::{
    money::{COST_UNITS_MAX, Micros},
    numbers::Resolved,
    rates::{CarrierIndex, Charge, Price, RateBook, Tariff},
    spec::CARRIERS_MAX,
};

/// Most spans of time with rankings of their own that one tariff may have. Beyond it the ranking is made anew for each
/// message: a sheet that changes daily for years must not take the memory of all.
const RUNS_MAX: usize = 64;
/// Most offers kept for each rate of the book, so that few rates under many prefixes cannot take the memory of all.
const OFFERS_PER_RATE_MAX: usize = 4;
/// Offers that are kept in any case.
const OFFERS_MIN: usize = 1_000_000;

/// The rankings of every tariff that numbers or networks lead to.
#[derive(Debug, Default)]
pub(crate) struct Rankings {
    offers: Vec<Offer>,
    runs: Vec<Run>,
}

/// What a carrier asks for a segment. The order is that in which carriers are asked: by cost, then by their names.
///
/// There are as many as rates, so that cost and carrier share 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Offer {
    /// Cost in the upper bits, carrier in the lower.
    key: u64,
    unit: Micros,
}

/// Bits of a carrier's index.
const CARRIER_BITS: u32 = 10;
const _: () = assert!(CARRIERS_MAX <= 1 << CARRIER_BITS);
const _: () = assert!((COST_UNITS_MAX as u64) * 1_000_000 < 1 << (64 - CARRIER_BITS));

impl Offer {
    fn new(carrier: CarrierIndex, price: Price) -> Self {
        let cost = u64::try_from(price.cost.0).expect("prices are not below zero");
        Self {
            key: cost << CARRIER_BITS | u64::from(carrier),
            unit: price.unit,
        }
    }

    /// The carrier.
    pub(crate) fn carrier(self) -> CarrierIndex {
        (self.key & ((1 << CARRIER_BITS) - 1)) as CarrierIndex
    }

    /// What it asks.
    pub(crate) fn price(self) -> Price {
        Price {
            unit: self.unit,
            cost: Micros((self.key >> CARRIER_BITS) as i64),
        }
    }
}

/// Where the ranking of a tariff stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ranking {
    /// One for all time.
    Always {
        /// First of its offers.
        from: u32,
        /// How many.
        len: u16,
    },
    /// Several, each for a time.
    Runs {
        /// First of its runs.
        from: u32,
        /// How many.
        len: u16,
    },
    /// Too many to be kept.
    Unranked,
}

/// A ranking in force until some instant.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// First instant after it.
    until: i64,
    from: u32,
    len: u16,
}

impl Rankings {
    /// The offers of `ranking` at `at`, the cheapest first, ties in order of carriers. Closed rates are left out. `None` = it
    /// is not kept.
    pub(crate) fn at(&self, ranking: Ranking, at: UnixMs) -> Option<&[Offer]> {
        let (from, len) = match ranking {
            Ranking::Always { from, len } => (from, len),
            Ranking::Runs { from, len } => {
                let at = i64::try_from(at.0).unwrap_or(i64::MAX - 1);
                let runs = &self.runs[from as usize..][..usize::from(len)];
                let run = runs[runs.partition_point(|run| run.until <= at)];
                (run.from, run.len)
            }
            Ranking::Unranked => return None,
        };
        Some(&self.offers[from as usize..][..usize::from(len)])
    }
}

/// The offers of a message, the cheapest first.
#[derive(Clone, Debug)]
pub(crate) struct Offers<'t> {
    offers: &'t [Offer],
    /// Those by the rates of a network that was told, and the network's key.
    own: Option<(&'t [Offer], Tariff)>,
    book: &'t RateBook,
    at: UnixMs,
}

impl<'t> Offers<'t> {
    /// The offers by `ranking`, but those of `own` where the network of `tariff` has rates of its own. `None` = one of them is not
    /// kept.
    pub(crate) fn new(rankings: &'t Rankings, book: &'t RateBook, resolved: &Resolved<'_>, at: UnixMs) -> Option<Self> {
        let own = match resolved.own {
            Some(own) => Some((rankings.at(own, at)?, resolved.tariff.of_network())),
            None => None,
        };
        let offers = rankings.at(resolved.ranking, at)?;
        Some(Self { offers, own, book, at })
    }
}

impl Iterator for Offers<'_> {
    type Item = Offer;

    #[inline]
    fn next(&mut self) -> Option<Offer> {
        if self.own.is_some() {
            return self.next_of_both();
        }
        let (first, rest) = self.offers.split_first()?;
        self.offers = rest;
        Some(*first)
    }
}

impl Offers<'_> {
    /// The next, where a network was told that has rates of its own.
    fn next_of_both(&mut self) -> Option<Offer> {
        let (own, network) = self.own.as_mut()?;
        // Whoever has a rate for the network, be it closed, asks nothing else.
        while let Some((first, rest)) = self.offers.split_first()
            && self.book.charge(network, first.carrier(), self.at) != Charge::Unrated
        {
            self.offers = rest;
        }
        let from = match (own.first(), self.offers.first()) {
            (Some(mine), Some(other)) if mine > other => &mut self.offers,
            (None, _) => &mut self.offers,
            (Some(_), _) => own,
        };
        let (first, rest) = from.split_first()?;
        *from = rest;
        Some(*first)
    }
}

/// Makes rankings, each tariff's once.
pub(crate) struct Ranker<'a> {
    book: &'a RateBook,
    offers_max: usize,
    made: HashMap<Tariff, Ranking>,
    rankings: Rankings,
}

impl<'a> Ranker<'a> {
    /// Ranks the rates of `book`.
    pub(crate) fn new(book: &'a RateBook) -> Self {
        Self {
            book,
            offers_max: OFFERS_MIN + OFFERS_PER_RATE_MAX * book.len(),
            made: HashMap::new(),
            rankings: Rankings::default(),
        }
    }

    /// The ranking of `tariff`.
    pub(crate) fn ranking(&mut self, tariff: Tariff) -> Ranking {
        if let Some(ranking) = self.made.get(&tariff) {
            return *ranking;
        }
        let ranking = self.make(&tariff);
        self.made.insert(tariff, ranking);
        ranking
    }

    /// Everything made.
    pub(crate) fn finish(mut self) -> Rankings {
        self.rankings.offers.shrink_to_fit();
        self.rankings.runs.shrink_to_fit();
        self.rankings
    }

    fn make(&mut self, tariff: &Tariff) -> Ranking {
        let Some(turns) = self.turns(tariff) else {
            return Ranking::Unranked;
        };
        let rated = self.book.rated(tariff);
        let most = (turns.len() + 1) * rated.len();
        if self.rankings.offers.len() + most > self.offers_max {
            return Ranking::Unranked;
        }
        let mut offers = Vec::with_capacity(rated.len());
        if turns.is_empty() {
            self.rank(tariff, &rated, UnixMs(0), &mut offers);
            let (from, len) = self.keep(&offers);
            return Ranking::Always { from, len };
        }
        // A span of time begins at each turn, and one before the first.
        let first_run = index(self.rankings.runs.len());
        let begins = std::iter::once(i64::MIN).chain(turns.iter().copied());
        let ends = turns.iter().copied().chain([i64::MAX]);
        for (begin, until) in begins.zip(ends) {
            // No message is older than 1970.
            let at = UnixMs(u64::try_from(begin).unwrap_or(0));
            if until <= 0 {
                continue;
            }
            self.rank(tariff, &rated, at, &mut offers);
            let (from, len) = self.keep(&offers);
            self.rankings.runs.push(Run { until, from, len });
        }
        let runs = self.rankings.runs.len() - first_run as usize;
        Ranking::Runs {
            from: first_run,
            len: u16::try_from(runs).expect("RUNS_MAX bounds them"),
        }
    }

    /// The instants at which a rate of `tariff` begins or ends; `None` = more than are kept, of which the rest is not looked at.
    fn turns(&self, tariff: &Tariff) -> Option<BTreeSet<i64>> {
        let mut turns = BTreeSet::new();
        for turn in self.book.keys(tariff).flat_map(|key| self.book.turns(key)) {
            turns.insert(turn);
            if turns.len() >= RUNS_MAX {
                return None;
            }
        }
        Some(turns)
    }

    /// The offers in force at `at`, in order.
    fn rank(&self, tariff: &Tariff, rated: &[CarrierIndex], at: UnixMs, offers: &mut Vec<Offer>) {
        offers.clear();
        for carrier in rated.iter().copied() {
            if let Charge::Price(price) = self.book.charge(tariff, carrier, at) {
                offers.push(Offer::new(carrier, price));
            }
        }
        offers.sort_unstable();
    }

    fn keep(&mut self, offers: &[Offer]) -> (u32, u16) {
        let from = index(self.rankings.offers.len());
        self.rankings.offers.extend_from_slice(offers);
        (from, u16::try_from(offers.len()).expect("CARRIERS_MAX is below 2^16"))
    }
}

fn index(at: usize) -> u32 {
    u32::try_from(at).expect("row limits keep counts below 2^32")
}

#[cfg(test)]
mod tests;

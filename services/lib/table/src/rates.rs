//! What each carrier charges for each key, as one flat index.

use sms::UnixMs;

use crate::{
    digits::Digits,
    instant::Span,
    money::Micros,
    network::{Mcc, Network},
    spec::RateKey,
};

/// A carrier's place in the table: by name.
pub(crate) type CarrierIndex = u16;

/// A price in force for some time, to be added.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    pub(crate) span: Span,
    /// In the carrier's currency; `None` = closed. Its cost is in the table's.
    pub(crate) price: Option<Price>,
}

/// What a segment costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Price {
    /// In the carrier's currency.
    pub(crate) unit: Micros,
    /// In the table's currency.
    pub(crate) cost: Micros,
}

/// Names one key of a book, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct KeyId(u32);

/// What a carrier charges for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Charge {
    /// This for each segment.
    Price(Price),
    /// It takes none.
    Closed,
    /// It has no rate in force.
    Unrated,
}

/// Every rate, by key, then carrier, then the latest `from`.
///
/// Each key has a bit for each carrier; the rank of a carrier's bit finds its rates, so carriers without a rate take no
/// room and a lookup is one mask, one count and one read. What a key's carriers charge lies side by side.
#[derive(Debug, Default)]
pub(crate) struct RateBook {
    words: usize,
    carriers: Vec<u64>,
    heads: Vec<Head>,
    /// What is charged for all time, or [`CLOSED`], by key and carrier.
    prices: Vec<Price>,
    /// Rates that begin or end, by key and carrier.
    timed: Vec<Timed>,
    /// Of each key with such rates and each of its carriers, where they begin in `timed`; one more at the end.
    timed_from: Vec<u32>,
    networks: Vec<(Network, KeyId)>,
    mccs: Vec<(Mcc, KeyId)>,
    /// Prefix keys that begin the one added last, the longest last, and that one; for adding rates.
    open: Vec<(Digits, KeyId)>,
    /// Rates of the key at hand, each with whether it is its carrier's first; for adding rates.
    at_hand: Vec<(bool, Rate)>,
}

/// A rate in force for some time, or [`CLOSED`].
#[derive(Clone, Copy, Debug)]
struct Timed {
    span: Span,
    price: Price,
}

/// A key.
#[derive(Clone, Copy, Debug)]
struct Head {
    rates: Rates,
    /// Of a prefix, the key of the longest shorter prefix that has one.
    above: KeyId,
}

/// Where a key's rates are.
#[derive(Clone, Copy, Debug)]
enum Rates {
    /// Each of its carriers has one rate for all time: from here on in `prices`.
    Always(u32),
    /// Some begin or end: from here on in `timed_from`.
    Timed(u32),
}

/// The price of a rate that says closed.
const CLOSED: Price = Price {
    unit: Micros(i64::MIN),
    cost: Micros(i64::MIN),
};

/// The keys under which one message is charged, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Tariff {
    /// Its network.
    pub(crate) network: KeyId,
    /// The longest of its prefixes, from which the others follow.
    pub(crate) prefix: KeyId,
    /// Its MCC.
    pub(crate) mcc: KeyId,
}

impl Tariff {
    /// Whether a prefix of the number has rates.
    pub(crate) fn has_prefix(&self) -> bool {
        self.prefix != KeyId::NONE
    }

    /// The network's own key alone.
    pub(crate) const fn of_network(self) -> Self {
        Self {
            network: self.network,
            prefix: KeyId::NONE,
            mcc: KeyId::NONE,
        }
    }
}

impl KeyId {
    /// No key.
    pub(crate) const NONE: Self = Self(u32::MAX);

    fn index(self) -> Option<usize> {
        (self != Self::NONE).then_some(self.0 as usize)
    }
}

impl RateBook {
    /// An empty book for `carriers` carriers.
    pub(crate) fn new(carriers: usize) -> Self {
        Self {
            words: carriers.div_ceil(64).max(1),
            timed_from: vec![0],
            ..Self::default()
        }
    }

    /// Adds the next rate; calls come in order of key, carrier and falling `from`. Returns the key's index.
    pub(crate) fn push(&mut self, is_new_key: bool, key: RateKey, carrier: CarrierIndex, rate: Rate) -> KeyId {
        if is_new_key {
            self.open(key);
        }
        let key = self.heads.len() - 1;
        let word = &mut self.carriers[key * self.words + usize::from(carrier) / 64];
        let bit = 1 << (carrier % 64);
        let is_first = *word & bit == 0;
        *word |= bit;
        self.at_hand.push((is_first, rate));
        KeyId(index(key))
    }

    /// Ends the last key.
    pub(crate) fn finish(mut self) -> Self {
        self.close();
        self.open = Vec::new();
        self.at_hand = Vec::new();
        self
    }

    /// Puts the rates of the key at hand where they belong.
    fn close(&mut self) {
        let Some(head) = self.heads.last_mut() else { return };
        let is_timed = |(is_first, rate): &(bool, Rate)| !is_first || rate.span != Span::ALWAYS;
        if self.at_hand.iter().any(is_timed) {
            head.rates = Rates::Timed(index(self.timed_from.len() - 1));
            for (is_first, rate) in self.at_hand.drain(..) {
                self.timed.push(Timed {
                    span: rate.span,
                    price: rate.price.unwrap_or(CLOSED),
                });
                let end = index(self.timed.len());
                if is_first {
                    self.timed_from.push(end);
                } else {
                    *self.timed_from.last_mut().expect("holds the end of the last slot") = end;
                }
            }
        } else {
            head.rates = Rates::Always(index(self.prices.len()));
            let prices = self.at_hand.drain(..).map(|(_, rate)| rate.price.unwrap_or(CLOSED));
            self.prices.extend(prices);
        }
    }

    /// Begins the next key.
    fn open(&mut self, key: RateKey) {
        self.close();
        let place = KeyId(index(self.heads.len()));
        let mut above = KeyId::NONE;
        match key {
            RateKey::Prefix(prefix) => {
                // Prefixes come in text order: whoever begins this one was the last to begin those before it.
                while self
                    .open
                    .last()
                    .is_some_and(|(shorter, _)| !prefix.starts_with(*shorter))
                {
                    self.open.pop();
                }
                above = self.open.last().map_or(KeyId::NONE, |(_, key)| *key);
                self.open.push((prefix, place));
            }
            RateKey::Network(network) => self.networks.push((network, place)),
            RateKey::Mcc(mcc) => self.mccs.push((mcc, place)),
        }
        self.carriers.extend(std::iter::repeat_n(0, self.words));
        // Where its rates are is known when it is closed.
        let rates = Rates::Always(0);
        self.heads.push(Head { rates, above });
    }

    /// The keys of a message to `network`, none if not known, whose longest rated prefix is `prefix`.
    pub(crate) fn tariff(&self, network: Option<Network>, prefix: KeyId) -> Tariff {
        let exact = network.filter(|network| network.has_mnc());
        Tariff {
            network: exact.map_or(KeyId::NONE, |network| key_of(&self.networks, network)),
            prefix,
            mcc: network.map_or(KeyId::NONE, |network| key_of(&self.mccs, network.mcc())),
        }
    }

    /// Every network, and every MCC alone, that has a key.
    pub(crate) fn networks(&self) -> impl Iterator<Item = Network> {
        let alone = self.mccs.iter().map(|(mcc, _)| Network::of_mcc(*mcc));
        self.networks.iter().map(|(network, _)| *network).chain(alone)
    }

    /// What a carrier charges at `at`: by the strongest key for which it has a rate in force.
    pub(crate) fn charge(&self, tariff: &Tariff, carrier: CarrierIndex, at: UnixMs) -> Charge {
        let rate = self.keys(tariff).find_map(|key| self.rate_of(key, carrier, at));
        match rate {
            None => Charge::Unrated,
            Some(CLOSED) => Charge::Closed,
            Some(price) => Charge::Price(price),
        }
    }

    /// The keys of `tariff`, the strongest first.
    pub(crate) fn keys(&self, tariff: &Tariff) -> impl Iterator<Item = usize> {
        let prefixes = std::iter::successors(tariff.prefix.index(), |key| self.heads[*key].above.index());
        tariff
            .network
            .index()
            .into_iter()
            .chain(prefixes)
            .chain(tariff.mcc.index())
    }

    /// Every carrier that has a rate for any key of `tariff`, be it closed or not in force.
    pub(crate) fn rated(&self, tariff: &Tariff) -> Vec<CarrierIndex> {
        let mut words = vec![0_u64; self.words];
        for key in self.keys(tariff) {
            let own = &self.carriers[key * self.words..][..self.words];
            words.iter_mut().zip(own).for_each(|(all, own)| *all |= own);
        }
        let carriers = words.iter().zip(0..).flat_map(|(word, at)| {
            let bits = (0..64).filter(move |bit| word & (1 << bit) != 0);
            bits.map(move |bit| at * 64 + bit)
        });
        carriers.collect()
    }

    /// The instants at which a rate of `key` begins or ends.
    pub(crate) fn turns(&self, key: usize) -> impl Iterator<Item = i64> {
        let carriers = self.carriers[key * self.words..][..self.words].iter();
        let timed = match self.heads[key].rates {
            Rates::Always(_) => &[],
            Rates::Timed(slot) => {
                let end = slot as usize + carriers.map(|word| word.count_ones() as usize).sum::<usize>();
                &self.timed[self.timed_from[slot as usize] as usize..self.timed_from[end] as usize]
            }
        };
        timed
            .iter()
            .flat_map(|rate| [rate.span.from, rate.span.until])
            .filter(|turn| ![i64::MIN, i64::MAX].contains(turn))
    }

    /// What the rate in force says.
    fn rate_of(&self, key: usize, carrier: CarrierIndex, at: UnixMs) -> Option<Price> {
        let words = &self.carriers[key * self.words..][..self.words];
        let (word, bit) = (usize::from(carrier) / 64, 1_u64 << (carrier % 64));
        if words[word] & bit == 0 {
            return None;
        }
        let before =
            (words[word] & (bit - 1)).count_ones() + words[..word].iter().map(|word| word.count_ones()).sum::<u32>();
        match self.heads[key].rates {
            Rates::Always(first) => Some(self.prices[(first + before) as usize]),
            Rates::Timed(first) => {
                let slot = (first + before) as usize;
                let rates = &self.timed[self.timed_from[slot] as usize..self.timed_from[slot + 1] as usize];
                let in_force = rates.iter().find(|rate| rate.span.contains(at));
                in_force.map(|rate| rate.price)
            }
        }
    }

    /// The carriers of `key` in order, each with all it charges there, in words that are equal where the rates are.
    pub(crate) fn rates_of(&self, key: KeyId) -> Vec<(CarrierIndex, Vec<i64>)> {
        let tariff = Tariff {
            network: key,
            prefix: KeyId::NONE,
            mcc: KeyId::NONE,
        };
        let Some(key) = key.index() else { return Vec::new() };
        let words = |timed: &Timed| {
            [
                timed.span.from,
                timed.span.until,
                timed.price.unit.0,
                timed.price.cost.0,
            ]
        };
        let rates = (0..).zip(self.rated(&tariff)).map(|(place, carrier)| {
            let rates: Vec<i64> = match self.heads[key].rates {
                Rates::Always(first) => {
                    let (span, price) = (Span::ALWAYS, self.prices[first as usize + place]);
                    words(&Timed { span, price }).into()
                }
                Rates::Timed(first) => {
                    let slot = first as usize + place;
                    let range = self.timed_from[slot] as usize..self.timed_from[slot + 1] as usize;
                    self.timed[range].iter().flat_map(words).collect()
                }
            };
            (carrier, rates)
        });
        rates.collect()
    }

    /// How many rates there are.
    pub(crate) fn len(&self) -> usize {
        self.prices.len() + self.timed.len()
    }
}

impl Charge {
    /// What a segment costs; `None` = there is no price.
    pub(crate) fn price(self) -> Option<Price> {
        match self {
            Self::Price(price) => Some(price),
            Self::Closed | Self::Unrated => None,
        }
    }
}

fn key_of<T: Ord + Copy>(keys: &[(T, KeyId)], wanted: T) -> KeyId {
    let found = keys.binary_search_by_key(&wanted, |(key, _)| *key);
    found.map_or(KeyId::NONE, |at| keys[at].1)
}

fn index(at: usize) -> u32 {
    u32::try_from(at).expect("row limits keep counts below 2^32")
}

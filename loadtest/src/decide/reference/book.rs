//! Prices of one sheet: a hash map for each kind of key, and for prefixes one for each length.

use std::collections::{BTreeMap, HashMap};

use sms::UnixMs;

use crate::decide::scene::{Key, Net, Sheet, fx};

/// The digits of a number or prefix behind a leading 1, so that zeros in front count.
pub(super) fn digits(text: &str) -> u64 {
    text.bytes()
        .fold(1, |number, digit| number * 10 + u64::from(digit - b'0'))
}

/// A hash map per prefix length, the longest first.
pub(super) struct ByLength<T>(Vec<(u64, HashMap<u64, T>)>);

impl<T> ByLength<T> {
    pub(super) fn new(entries: impl Iterator<Item = (u64, T)>) -> Self {
        let mut maps: BTreeMap<u64, HashMap<u64, T>> = BTreeMap::new();
        for (prefix, value) in entries {
            maps.entry(scale(prefix)).or_default().insert(prefix, value);
        }
        Self(maps.into_iter().rev().collect())
    }

    /// What stands under the prefixes of `number`, the longest first.
    pub(super) fn longest_first(&self, number: u64) -> impl Iterator<Item = &T> {
        let whole = scale(number);
        let maps = self.0.iter().filter(move |(scale, _)| *scale <= whole);
        maps.filter_map(move |(scale, map)| map.get(&(number / (whole / scale))))
    }
}

/// The power of ten of the leading 1.
fn scale(digits: u64) -> u64 {
    10_u64.pow(digits.ilog10())
}

/// One price of a key.
#[derive(Clone, Copy)]
struct Rate {
    from: u64,
    until: u64,
    /// In millionths of the table's currency; `None` = closed.
    cost: Option<i64>,
}

/// Prices of one sheet.
pub(super) struct Book {
    networks: HashMap<Net, Vec<Rate>>,
    prefixes: ByLength<Vec<Rate>>,
    mccs: HashMap<Net, Vec<Rate>>,
}

impl Book {
    /// The book of `sheet`, whose prices are in `currency`.
    pub(super) fn new(sheet: &Sheet, currency: &str) -> Self {
        let fx = fx(currency);
        let (mut networks, mut mccs) = (HashMap::new(), HashMap::new());
        let mut prefixes: HashMap<u64, Vec<Rate>> = HashMap::new();
        for row in &sheet.0 {
            let rates: &mut Vec<Rate> = match row.key {
                Key::Network(net) => networks.entry(net).or_default(),
                Key::Mcc(net) => mccs.entry(net).or_default(),
                Key::Prefix(prefix) => prefixes.entry(digits(&prefix.to_string())).or_default(),
            };
            rates.push(Rate {
                from: row.from.map_or(0, |at| at.0),
                until: row.until.map_or(u64::MAX, |at| at.0),
                cost: row.price.map(|price| price.cost(fx)),
            });
            // The latest beginning wins.
            rates.sort_by_key(|rate| std::cmp::Reverse(rate.from));
        }
        Self {
            networks,
            prefixes: ByLength::new(prefixes.into_iter()),
            mccs,
        }
    }

    /// The rate in force at `at`: `None` = there is none, `Some(None)` = closed.
    pub(super) fn rate(&self, net: Option<Net>, number: u64, at: UnixMs) -> Option<Option<i64>> {
        let network = net.filter(|net| net.has_mnc()).and_then(|net| self.networks.get(&net));
        let mcc = || net.and_then(|net| self.mccs.get(&net.mcc()));
        network
            .and_then(|rates| in_force(rates, at))
            .or_else(|| {
                self.prefixes
                    .longest_first(number)
                    .find_map(|rates| in_force(rates, at))
            })
            .or_else(|| in_force(mcc()?, at))
    }
}

fn in_force(rates: &[Rate], at: UnixMs) -> Option<Option<i64>> {
    let rate = rates.iter().find(|rate| (rate.from..rate.until).contains(&at.0))?;
    Some(rate.cost)
}

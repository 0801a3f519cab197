//! Prices far from their neighbours: most often a point that slipped.
//!
//! The neighbour of a price is the one of the same carrier and key before it. Where that says nothing, they are those of the
//! other carriers for the same key; and where fewer than two others rate it, the other prices under its MCC in the same
//! sheet, the MCC's own row among them. The middle of several speaks for them, so that one slip does not make all others look
//! wrong. Prices of zero are left out.

use std::ops::Range;

use source::Log;

use crate::{
    code,
    network::{Mcc, Network},
    spec::{RateKey, RateRow, Sheet, Spec},
};

/// How far is too far. A point that slipped makes a price ten times off, and the prices around it are up to twice off
/// themselves; networks of one country differ by two to four times.
const FACTOR: f64 = 5.0;
/// Fewest prices for one key, the judged one among them, of which the middle says something.
const PRICES_MIN: usize = 3;

/// The sheets of one kind, with what one unit of each is in the table's currency.
struct Market<'a> {
    sheets: Vec<(&'a Sheet, f64)>,
    /// How the prices of the others are called.
    others: &'a str,
    log: &'a Log,
}

/// Which networks and MCCs enough sheets rate to be judged by them.
struct Judged {
    networks: Vec<bool>,
    mccs: Vec<bool>,
}

/// Points out prices of carriers and of customers that are far from their neighbours.
pub(super) fn warn(spec: &Spec, log: &Log) {
    let fx = |sheet: &Sheet| {
        let carrier = spec
            .carriers
            .iter()
            .flatten()
            .find(|carrier| carrier.name.as_str() == sheet.owner);
        carrier
            .and_then(|carrier| spec.settings.fx(&carrier.currency))
            .map_or(1.0, |fx| fx.to_f64())
    };
    let market = |sheets: Vec<(&Sheet, f64)>, others| Market { sheets, others, log }.warn();
    market(spec.sheets.iter().map(|sheet| (sheet, fx(sheet))).collect(), "carriers");
    market(spec.sell.iter().map(|sheet| (sheet, 1.0)).collect(), "sell sheets");
}

impl Market<'_> {
    fn warn(&self) {
        let (mut judged, mut slipped) = (Judged::none(), Vec::new());
        let mut prices = Vec::new();
        for group in self.latest().chunk_by(|a, b| a.0 == b.0) {
            prices.clear();
            prices.extend(group.iter().filter_map(|(_, number, at)| self.price(*number, *at)));
            if prices.len() < PRICES_MIN {
                continue;
            }
            let key = group[0].0;
            judged.insert(key);
            let middle = Middle::of(&mut prices);
            for (_, number, at) in group {
                let (sheet, fx) = self.sheets[*number as usize];
                if let Some(far) = self.price(*number, *at).and_then(|price| middle.far(price))
                    && far_in_time(sheet, *at as usize).is_none()
                {
                    let than = format!("what other {} say of {key}", self.others);
                    self.say(sheet, *at as usize, far.over(fx), &than);
                    slipped.push((*number, *at as usize));
                }
            }
        }
        slipped.sort_unstable();
        for (number, (sheet, _)) in (0..).zip(&self.sheets) {
            self.warn_in_time(sheet);
            self.warn_in_country(sheet, &judged, |at| slipped.binary_search(&(number, at)).is_ok());
        }
    }

    /// The last price of each key of each sheet, by key: number of the sheet and place of its row.
    fn latest(&self) -> Vec<(RateKey, u32, u32)> {
        let mut all: Vec<(RateKey, u32, u32)> = Vec::new();
        for (number, (sheet, _)) in (0..).zip(&self.sheets) {
            all.reserve(sheet.rows.len());
            let mut last = None;
            for (at, row) in (0..).zip(&sheet.rows) {
                if last != Some(row.key) {
                    all.push((row.key, number, at));
                }
                last = Some(row.key);
            }
        }
        // The sheets are sorted, so a stable sort only merges them.
        all.sort_by_key(|(key, ..)| *key);
        all
    }

    /// A price above zero, in the table's currency.
    fn price(&self, number: u32, at: u32) -> Option<f64> {
        let (sheet, fx) = self.sheets[number as usize];
        Some(amount(&sheet.rows[at as usize])? * fx)
    }

    /// Prices of one key that follow one another.
    fn warn_in_time(&self, sheet: &Sheet) {
        for at in 0..sheet.rows.len() {
            if let Some(far) = far_in_time(sheet, at) {
                let than = format!("the price before it, in line {}", sheet.rows[at + 1].line);
                self.say(sheet, at, far, &than);
            }
        }
    }

    /// Prices under one MCC, where not enough others rate them. Those that `is_told` are no neighbours.
    fn warn_in_country(&self, sheet: &Sheet, judged: &Judged, is_told: impl Fn(usize) -> bool) {
        let rows = &sheet.rows;
        let mut at = rows.partition_point(|row| matches!(row.key, RateKey::Prefix(_)));
        let (mut neighbours, mut prices) = (Vec::new(), Vec::new());
        while let Some(RateKey::Network(network)) = rows.get(at).map(|row| row.key) {
            let mcc = network.mcc();
            let is_under = |row: &RateRow| matches!(row.key, RateKey::Network(network) if network.mcc() == mcc);
            let networks = at..at + rows[at..].partition_point(is_under);
            at = networks.end;
            neighbours.clear();
            let latest = latest_of(rows, networks).chain(whole(sheet, mcc));
            neighbours.extend(
                latest.filter(|at| amount(&rows[*at]).is_some() && !is_told(*at) && far_in_time(sheet, *at).is_none()),
            );
            prices.clear();
            prices.extend(neighbours.iter().filter_map(|at| amount(&rows[*at])));
            // Of two nothing says which has slipped, but the one that others bear out, or else the rule, tells where to look.
            let rule = match neighbours[..] {
                [one, all] if matches!(rows[all].key, RateKey::Mcc(_)) => {
                    let is_sure = |at: usize| judged.contains(rows[at].key);
                    Some(if is_sure(one) && !is_sure(all) { one } else { all })
                }
                [_, _, _, ..] => None,
                _ => continue,
            };
            let middle = match rule.and_then(|at| amount(&rows[at])) {
                Some(price) => Middle(price, price),
                None => Middle::of(&mut prices),
            };
            for at in neighbours.iter().filter(|at| !judged.contains(rows[**at].key)) {
                if let Some(far) = amount(&rows[*at]).and_then(|price| middle.far(price)) {
                    let than = match rule {
                        Some(rule) => format!("{}, in line {}", rows[rule].key, rows[rule].line),
                        None => format!("the other prices of MCC {mcc} in this sheet"),
                    };
                    self.say(sheet, *at, far, &than);
                }
            }
        }
    }

    fn say(&self, sheet: &Sheet, at: usize, far: Far, than: &str) {
        let row = &sheet.rows[at];
        let price = row.price.unwrap_or_default();
        let (times, middle, what) = match far {
            Far::Above(times, middle) => (times, middle, "times what its neighbours are"),
            Far::Below(times, middle) => (times, middle, "times less than its neighbours are"),
        };
        let what = format!("price {price} of {} is {times:.0} {what}", row.key);
        let why = format!("about {middle:.6} would be like {than}");
        let help = "see whether the point has slipped; if the price is right, leave it";
        self.log.warning(sheet.place.at(row.line), code::PRICE, what, why, help);
    }
}

impl Judged {
    fn none() -> Self {
        Self {
            networks: vec![false; Network::INDEX_MAX],
            mccs: vec![false; Mcc::COUNT],
        }
    }

    fn insert(&mut self, key: RateKey) {
        match key {
            RateKey::Network(network) => self.networks[network.index()] = true,
            RateKey::Mcc(mcc) => self.mccs[mcc.index()] = true,
            RateKey::Prefix(_) => {}
        }
    }

    fn contains(&self, key: RateKey) -> bool {
        match key {
            RateKey::Network(network) => self.networks[network.index()],
            RateKey::Mcc(mcc) => self.mccs[mcc.index()],
            RateKey::Prefix(_) => false,
        }
    }
}

/// The two prices in the middle of several; twice the same of an odd count.
#[derive(Clone, Copy)]
struct Middle(f64, f64);

impl Middle {
    fn of(prices: &mut [f64]) -> Self {
        prices.sort_unstable_by(f64::total_cmp);
        Self(prices[(prices.len() - 1) / 2], prices[prices.len() / 2])
    }

    /// How far `price` is from the nearer of the two, so that two camps of prices do not accuse each other.
    fn far(self, price: f64) -> Option<Far> {
        // A hair below, as conversion rounds.
        const FAR: f64 = FACTOR * 0.999_999;
        let Self(low, high) = self;
        if price >= high * FAR {
            Some(Far::Above(price / high, high))
        } else if low >= price * FAR {
            Some(Far::Below(low / price, low))
        } else {
            None
        }
    }
}

/// How many times a price is off, and what it was compared with.
#[derive(Clone, Copy)]
enum Far {
    Above(f64, f64),
    Below(f64, f64),
}

impl Far {
    /// The same in a currency of which one unit is `fx`.
    fn over(self, fx: f64) -> Self {
        match self {
            Self::Above(times, middle) => Self::Above(times, middle / fx),
            Self::Below(times, middle) => Self::Below(times, middle / fx),
        }
    }
}

/// How far the price of row `at` is from the one before it: the next row, if that is for the same key.
fn far_in_time(sheet: &Sheet, at: usize) -> Option<Far> {
    let (row, before) = (&sheet.rows[at], sheet.rows.get(at + 1)?);
    let (price, before) = (amount(row)?, amount(before).filter(|_| row.key == before.key)?);
    Middle(before, before).far(price)
}

/// Place of the last price for all of `mcc`.
fn whole(sheet: &Sheet, mcc: Mcc) -> Option<usize> {
    let key = RateKey::Mcc(mcc);
    let at = sheet.rows.partition_point(|row| row.key < key);
    sheet.rows.get(at).filter(|row| row.key == key).map(|_| at)
}

/// Places of the last price of each key among `places`.
fn latest_of(rows: &[RateRow], places: Range<usize>) -> impl Iterator<Item = usize> {
    let first = places.start;
    places.filter(move |at| *at == first || rows[*at - 1].key != rows[*at].key)
}

/// Units above zero.
fn amount(row: &RateRow) -> Option<f64> {
    row.price.filter(|price| price.0 > 0).map(|price| price.0 as f64 / 1e6)
}

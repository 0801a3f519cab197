//! Prices ten times off their neighbours: most often a point that slipped.
//!
//! The neighbours of a price are those of the other carriers for the same key; the price of the same carrier and key before
//! it; and, where fewer than two others rate the key, the other networks under its MCC in the same sheet. The middle one of
//! several speaks for them, so that one slip does not make all others look wrong. Prices of zero are left out.

use source::Log;

use crate::{
    code,
    network::{Mcc, Network},
    spec::{RateKey, RateRow, Sheet, Spec},
};

/// How far is too far.
const FACTOR: f64 = 10.0;
/// Fewest prices, the judged one among them, of which the middle says something: of carriers, and of networks.
const CARRIERS_MIN: usize = 3;
const NETWORKS_MIN: usize = 5;

/// The sheets of one kind, with what one unit of each is in the table's currency.
struct Market<'a> {
    sheets: Vec<(&'a Sheet, f64)>,
    /// How the prices of the others are called.
    others: &'a str,
    log: &'a Log,
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
        // The last price of each key, by key: the sheets are sorted, so a stable sort only merges them.
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
            self.warn_in_time(sheet);
        }
        all.sort_by_key(|(key, ..)| *key);
        let mut rated_by_many = vec![false; Network::INDEX_MAX];
        let mut prices = Vec::new();
        for group in all.chunk_by(|a, b| a.0 == b.0) {
            prices.clear();
            prices.extend(group.iter().filter_map(|(_, number, at)| self.price(*number, *at)));
            if prices.len() < CARRIERS_MIN {
                continue;
            }
            if let RateKey::Network(network) = group[0].0 {
                rated_by_many[network.index()] = true;
            }
            let middle = middle(&mut prices);
            for (key, number, at) in group {
                if let Some(far) = self.price(*number, *at).and_then(|price| far(price, middle)) {
                    let (sheet, _) = self.sheets[*number as usize];
                    let others = self.others;
                    self.say(
                        sheet,
                        &sheet.rows[*at as usize],
                        far,
                        &format!("what other {others} say of {key}"),
                    );
                }
            }
        }
        for (sheet, _) in &self.sheets {
            self.warn_in_country(sheet, &rated_by_many);
        }
    }

    /// A price above zero, in the table's currency.
    fn price(&self, number: u32, at: u32) -> Option<f64> {
        let (sheet, fx) = self.sheets[number as usize];
        Some(amount(&sheet.rows[at as usize])? * fx)
    }

    /// Prices of one key that follow one another.
    fn warn_in_time(&self, sheet: &Sheet) {
        for pair in sheet.rows.windows(2).filter(|pair| pair[0].key == pair[1].key) {
            if let (Some(price), Some(before)) = (amount(&pair[0]), amount(&pair[1]))
                && let Some(far) = far(price, before)
            {
                let than = format!("the price before it, in line {}", pair[1].line);
                self.say(sheet, &pair[0], far, &than);
            }
        }
    }

    /// Networks under one MCC, where not enough others rate them.
    fn warn_in_country(&self, sheet: &Sheet, rated_by_many: &[bool]) {
        let mcc = |row: &RateRow| match row.key {
            RateKey::Network(network) => Some(network.mcc()),
            _ => None,
        };
        let mut prices = Vec::new();
        for group in sheet
            .rows
            .chunk_by(|a, b| mcc(a) == mcc(b))
            .filter(|group| mcc(&group[0]).is_some())
        {
            let latest = || group.chunk_by(|a, b| a.key == b.key).map(|rows| &rows[0]);
            prices.clear();
            prices.extend(latest().filter_map(amount));
            if prices.len() < NETWORKS_MIN {
                continue;
            }
            let middle = middle(&mut prices);
            for row in latest() {
                let is_judged = matches!(row.key, RateKey::Network(network) if rated_by_many[network.index()]);
                if let Some(far) = amount(row).filter(|_| !is_judged).and_then(|price| far(price, middle)) {
                    let of: Option<Mcc> = mcc(row);
                    let mcc = of.map(|mcc| mcc.to_string()).unwrap_or_default();
                    self.say(
                        sheet,
                        row,
                        far,
                        &format!("the other networks of MCC {mcc} in this sheet"),
                    );
                }
            }
        }
    }

    fn say(&self, sheet: &Sheet, row: &RateRow, far: Far, than: &str) {
        let price = row.price.unwrap_or_default();
        let (times, middle, what) = match far {
            Far::Above(times, middle) => (times, middle, "times what its neighbours are"),
            Far::Below(times, middle) => (times, middle, "times less than its neighbours are"),
        };
        let what = format!("price {price} of {} is {times:.0} {what}", row.key);
        let why = format!("about {middle:.6} would be like {than}");
        let help = "see whether the point has slipped";
        self.log.warning(sheet.place.at(row.line), code::PRICE, what, why, help);
    }
}

/// How many times a price is off, and what it was compared with.
#[derive(Clone, Copy)]
enum Far {
    Above(f64, f64),
    Below(f64, f64),
}

fn far(price: f64, middle: f64) -> Option<Far> {
    // A hair below, as conversion rounds: 10 times is far enough.
    const FAR: f64 = FACTOR * 0.999_999;
    if price >= middle * FAR {
        Some(Far::Above(price / middle, middle))
    } else if middle >= price * FAR {
        Some(Far::Below(middle / price, middle))
    } else {
        None
    }
}

/// Units above zero.
fn amount(row: &RateRow) -> Option<f64> {
    row.price.filter(|price| price.0 > 0).map(|price| price.0 as f64 / 1e6)
}

/// The middle price; of an even count the lower of the two.
fn middle(prices: &mut [f64]) -> f64 {
    let at = (prices.len() - 1) / 2;
    *prices.select_nth_unstable_by(at, f64::total_cmp).1
}

//! Rate sheets of the size asked: the real prefixes, a sample of them, or each cut finer by further digits.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use anyhow::{Result, ensure};
use sms::{CarrierName, UnixMs};

use super::{Money, hours_in, instant};
use crate::world::{self, Plan, PlanRow, keyed, scaled};

/// Share of the prefixes that a carrier lists, where the rows asked do not force another.
const COVERAGE: f64 = 0.85;
/// One in so many networks is priced by MCC and MNC.
const NETWORK_ONE_IN: u64 = 10;
/// One in so many prefixes has a second price, from some instant of the week on.
const CHANGE_ONE_IN: u64 = 50;
/// One in so many prefixes is closed.
const CLOSED_ONE_IN: u64 = 300;
/// Longest prefix made by adding digits.
const PREFIX_DIGITS_MAX: usize = 10;

/// MCC and MNC, or an MCC alone: its digits behind a leading 1, so that `01` is not `1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Net(u32);

impl Net {
    /// Stands where no network is known.
    pub(crate) const NONE: Self = Self(0);

    /// The network of `mcc` and `mnc`, both digits; an empty `mnc` = not known.
    pub(crate) fn new(mcc: &str, mnc: &str) -> Self {
        Self(format!("1{mcc}{mnc}").parse().expect("up to six digits"))
    }

    /// The MCC alone.
    pub(crate) fn mcc(self) -> Self {
        let mut mcc = self.0;
        while mcc > 1_999 {
            mcc /= 10;
        }
        Self(mcc)
    }

    /// Whether the MNC is known.
    pub(crate) const fn has_mnc(self) -> bool {
        self.0 > 1_999
    }

    /// MCC and MNC together.
    pub(crate) fn digits(self) -> String {
        self.0.to_string()[1..].to_owned()
    }
}

/// What a price is for. The digits of a prefix are a number: none begins with 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Mcc(Net),
    Network(Net),
    Prefix(u64),
}

/// One row of a sheet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RateRow {
    pub(crate) key: Key,
    /// `None` = closed.
    pub(crate) price: Option<Money>,
    pub(crate) from: Option<UnixMs>,
    pub(crate) until: Option<UnixMs>,
}

/// A rate sheet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sheet(pub(crate) Vec<RateRow>);

impl Sheet {
    /// `rates/<carrier>.csv`.
    pub(crate) fn csv(&self) -> String {
        let mut text = String::with_capacity(32 * self.0.len());
        text.push_str("mcc,mnc,prefix,price,from,until\n");
        for row in &self.0 {
            row.write(&mut text).expect("writing to a string does not fail");
        }
        text
    }
}

impl RateRow {
    /// A price without beginning or end.
    pub(crate) const fn always(key: Key, price: u64) -> Self {
        Self {
            key,
            price: Some(Money(price as i64)),
            from: None,
            until: None,
        }
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        match self.key {
            Key::Mcc(net) => write!(text, "{},,,", net.digits())?,
            Key::Network(net) => {
                let digits = net.digits();
                write!(text, "{},{},,", &digits[..3], &digits[3..])?;
            }
            Key::Prefix(prefix) => write!(text, ",,{prefix},")?,
        }
        match self.price {
            Some(price) => write!(text, "{price}")?,
            None => text.push_str("closed"),
        }
        writeln!(text, ",{},{}", instant(self.from), instant(self.until))
    }
}

/// A prefix that carriers may list.
struct Rated<'a> {
    prefix: String,
    /// Whose price it has.
    row: &'a PlanRow,
}

/// A sheet for each of `names`, some `rows` rows together.
pub(super) fn sheets(plan: &Plan, names: &[CarrierName], rows: usize, seed: u64) -> Result<Vec<Sheet>> {
    let networks: BTreeSet<Net> = networks(plan);
    let mccs = plan.mccs();
    let fixed = mccs.len() + networks.len() / NETWORK_ONE_IN as usize;
    let least = 2 * fixed * names.len();
    let most = 8 * plan.rows().len() * names.len();
    ensure!(
        (least..=most).contains(&rows),
        "{rows} rows asked of {} carriers, allowed are {least} to {most}",
        names.len()
    );
    let listed = (rows / names.len() - fixed) as f64 * CHANGE_ONE_IN as f64 / (CHANGE_ONE_IN + 1) as f64;
    let rated = rated(plan, listed / COVERAGE, seed);
    let coverage = (listed / rated.len() as f64).min(1.0);
    let sheet = |carrier: &CarrierName| {
        let price = world::Sheet {
            carrier,
            coverage,
            seed,
            percent: 100,
        };
        sheet(&price, &mccs, &networks, &rated)
    };
    Ok(names.iter().map(sheet).collect())
}

/// Every network of the plan whose MNC is known.
pub(super) fn networks(plan: &Plan) -> BTreeSet<Net> {
    let known = plan.rows().iter().filter(|row| !row.mnc.is_empty());
    known.map(|row| Net::new(&row.mcc, &row.mnc)).collect()
}

/// The plan's prefixes; a sample if `count` is well below their number, and with some cut finer if it is well above.
fn rated(plan: &Plan, count: f64, seed: u64) -> Vec<Rated<'_>> {
    let rows: Vec<&PlanRow> = plan.rows().iter().filter(|row| row.is_one_country).collect();
    let whole = |row| Rated {
        prefix: String::from(&*PlanRow::clone(row).prefix),
        row,
    };
    let share = count / rows.len() as f64;
    let drawn = |what: &str, prefix: &str, share: f64| {
        let hash = keyed(seed, &[what.as_bytes(), prefix.as_bytes()]);
        scaled(hash, 1 << 32) < (share * 4_294_967_296.0) as u64
    };
    if share < 0.9 {
        let sample = rows.into_iter().filter(|row| drawn("sample", &row.prefix, share));
        return sample.map(whole).collect();
    }
    let mut rated: Vec<Rated<'_>> = rows.iter().copied().map(whole).collect();
    if share > 1.15 {
        let finer = finer(plan, &rows);
        let share = (count - rows.len() as f64) / finer.len() as f64;
        rated.extend(finer.into_iter().filter(|one| drawn("finer", &one.prefix, share)));
        // Sheets stand in text order, as people keep them.
        rated.sort_by(|a, b| a.prefix.cmp(&b.prefix));
    }
    rated
}

/// Each prefix with each digit behind it under which the plan knows nothing finer.
fn finer<'a>(plan: &Plan, rows: &[&'a PlanRow]) -> Vec<Rated<'a>> {
    let known: BTreeSet<&str> = plan.rows().iter().map(|row| &*row.prefix).collect();
    let mut finer = Vec::new();
    for row in rows.iter().copied().filter(|row| row.prefix.len() < PREFIX_DIGITS_MAX) {
        for digit in '0'..='9' {
            let prefix = format!("{}{digit}", row.prefix);
            let is_free = known
                .range(&*prefix..)
                .next()
                .is_none_or(|next| !next.starts_with(&prefix));
            if is_free {
                finer.push(Rated { prefix, row });
            }
        }
    }
    finer
}

fn sheet(
    sheet: &world::Sheet<'_>,
    mccs: &BTreeMap<&str, &str>,
    networks: &BTreeSet<Net>,
    rated: &[Rated<'_>],
) -> Sheet {
    let mut rows = Vec::new();
    for (mcc, country) in mccs {
        rows.push(RateRow::always(
            Key::Mcc(Net::new(mcc, "")),
            sheet.country_price(country),
        ));
    }
    for net in networks {
        let digits = net.digits();
        if sheet.hash("network", &[&digits]).is_multiple_of(NETWORK_ONE_IN) {
            let price = sheet.price(mccs[&digits[..3]], "", &digits);
            rows.push(RateRow::always(Key::Network(*net), price));
        }
    }
    for one in rated.iter().filter(|one| sheet.covers(&one.prefix)) {
        let key = Key::Prefix(one.prefix.parse().expect("a prefix is digits"));
        let price = sheet.price(&one.row.country, &one.row.operator, &one.prefix);
        rows.extend(listed(key, price, sheet.hash("kind", &[&one.prefix])));
    }
    Sheet(rows)
}

/// The row of a prefix, or two where its price changes during the week.
fn listed(key: Key, price: u64, hash: u64) -> Vec<RateRow> {
    let now = RateRow::always(key, price);
    if hash.is_multiple_of(CLOSED_ONE_IN) {
        return vec![RateRow { price: None, ..now }];
    }
    if (hash >> 20).is_multiple_of(CHANGE_ONE_IN) {
        let begins = hours_in([40, 88, 131][(hash >> 40) as usize % 3]);
        // Half of the announced prices end the old one; the others just begin beside it.
        let ended = RateRow {
            until: (hash & 1 == 0).then_some(begins),
            ..now
        };
        let next = RateRow {
            from: Some(begins),
            ..RateRow::always(key, price * [93, 104, 110][(hash >> 44) as usize % 3] / 100)
        };
        return vec![ended, next];
    }
    vec![now]
}

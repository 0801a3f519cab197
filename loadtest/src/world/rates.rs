//! What an invented carrier charges: invented prices in the range that real ones have.

use std::io::{self, Write};

use sms::CarrierName;

use super::{
    Plan,
    draws::{keyed, scaled},
};

/// Lowest price per segment, in hundred-thousandths of a euro: 0.0081 EUR.
pub const PRICE_MIN: u64 = 810;
/// Highest price per segment, in hundred-thousandths of a euro: 0.0564 EUR.
pub const PRICE_MAX: u64 = 5_640;

/// The rate sheet of one carrier. Every price is a keyed hash of what it is for, so a sheet comes out the same whichever
/// other carriers the table has.
#[derive(Clone, Debug)]
pub struct Sheet<'a> {
    /// Whose sheet.
    pub carrier: &'a CarrierName,
    /// Share of the plan's prefixes with a row of their own, 0 to 1. The others cost the country's default, and so do the
    /// few that reach into another country.
    pub coverage: f64,
    /// Key of the hash.
    pub seed: u64,
    /// Prices as a percentage of what the hash says; 100 = as it says. Bounds hold before it is applied.
    pub percent: u64,
}

impl Sheet<'_> {
    /// Writes the sheet as `mcc,mnc,prefix,price,from,until` and returns its rows: a default for every MCC of `plan`,
    /// then the prefixes covered.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, plan: &Plan, mut out: impl Write) -> io::Result<u64> {
        writeln!(out, "mcc,mnc,prefix,price,from,until")?;
        let mut rows = 0;
        for (mcc, country) in plan.mccs() {
            writeln!(out, "{mcc},,,{},,", Euro(self.country_price(country)))?;
            rows += 1;
        }
        for row in plan.rows() {
            if row.is_one_country && self.covers(&row.prefix) {
                let price = self.price(&row.country, &row.operator, &row.prefix);
                writeln!(out, ",,{},{},,", row.prefix, Euro(price))?;
                rows += 1;
            }
        }
        Ok(rows)
    }

    pub(crate) fn covers(&self, prefix: &str) -> bool {
        let part = self.hash("covers", &[prefix]) >> 11;
        (part as f64) < self.coverage * (1_u64 << 53) as f64
    }

    /// The price of a prefix: the country's level, then the network, then what this carrier pays there.
    pub(crate) fn price(&self, country: &str, operator: &str, prefix: &str) -> u64 {
        let network = around_1000(self.world_hash("network", &[country, operator]), 150);
        let deal = around_1000(self.hash("deal", &[country, operator]), 100);
        let prefix = around_1000(self.hash("prefix", &[prefix]), 10);
        self.bounded(self.level(country) * network * deal * prefix / 1_000_000_000)
    }

    /// What a carrier takes where it lists nothing finer: somewhat more than its usual price there.
    pub(crate) fn country_price(&self, country: &str) -> u64 {
        let deal = around_1000(self.hash("default", &[country]), 100);
        self.bounded(self.level(country) * 1_150 * deal / 1_000_000)
    }

    /// Level of the country's prices, the same for all carriers; leaves room for the factors on both sides.
    fn level(&self, country: &str) -> u64 {
        1_000 + scaled(self.world_hash("level", &[country]), 3_600)
    }

    fn bounded(&self, price: u64) -> u64 {
        (price.clamp(PRICE_MIN, PRICE_MAX) * self.percent / 100).max(1)
    }

    pub(crate) fn hash(&self, what: &str, of: &[&str]) -> u64 {
        let mut parts = vec![what.as_bytes(), self.carrier.as_str().as_bytes()];
        parts.extend(of.iter().map(|part| part.as_bytes()));
        keyed(self.seed, &parts)
    }

    fn world_hash(&self, what: &str, of: &[&str]) -> u64 {
        let mut parts = vec![what.as_bytes()];
        parts.extend(of.iter().map(|part| part.as_bytes()));
        keyed(self.seed, &parts)
    }
}

/// A factor in thousandths, `spread` around 1,000 either way.
fn around_1000(hash: u64, spread: u64) -> u64 {
    1_000 - spread + scaled(hash, 2 * spread + 1)
}

/// Hundred-thousandths of a euro, written as a decimal number.
struct Euro(u64);

impl std::fmt::Display for Euro {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:05}", self.0 / 100_000, self.0 % 100_000)
    }
}

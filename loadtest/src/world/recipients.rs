//! Recipients, drawn over countries by mobile subscriptions and within a country over the ranges in use.

use anyhow::{Context, Result, ensure};
use sms::Msisdn;

use super::Draws;

const RECIPIENTS: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../deploy/examples/world/recipients.csv"
));

/// A number that libphonenumber calls a valid mobile number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The number.
    pub msisdn: Msisdn,
    /// Its country, ISO 3166 alpha-2.
    pub country: &'static str,
}

/// An endless sequence of recipients that its seed fixes. Numbers repeat as chance has it, which is seldom.
///
/// The numbers may belong to people: they are for simulated carriers only.
#[derive(Clone, Debug)]
pub struct Recipients {
    draws: Draws,
    countries: Vec<Country>,
    weight: u64,
}

#[derive(Clone, Debug)]
struct Country {
    code: &'static str,
    /// Subscriptions in hundreds, summed up to and with this country.
    weight_until: u64,
    ranges: Vec<Range>,
}

#[derive(Clone, Debug)]
struct Range {
    prefix: &'static str,
    digits: usize,
    /// Numbers in the ranges up to and with this one.
    numbers_until: u64,
}

impl Recipients {
    /// The recipients of `seed`.
    ///
    /// # Panics
    /// If the data in the repository was edited and no longer holds together; a test reads it.
    pub fn new(seed: u64) -> Self {
        let countries = parse(RECIPIENTS).expect("recipients.csv is written by extract.py and read by a test");
        let weight = countries.last().map_or(0, |country| country.weight_until);
        Self {
            draws: Draws::new(seed),
            countries,
            weight,
        }
    }

    /// Countries drawn from.
    pub fn countries(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.countries.iter().map(|country| country.code)
    }

    fn draw(&mut self) -> Recipient {
        let at = self.draws.below(self.weight);
        let country = &self.countries[self.countries.partition_point(|country| country.weight_until <= at)];
        let numbers = country.ranges.last().map_or(0, |range| range.numbers_until);
        let at = self.draws.below(numbers);
        let range = &country.ranges[country.ranges.partition_point(|range| range.numbers_until <= at)];
        let free = range.digits - range.prefix.len();
        let rest = self.draws.below(10_u64.pow(free as u32));
        let msisdn = Msisdn::new(&format!("{}{rest:0free$}", range.prefix)).expect("parse() checked prefix and length");
        Recipient {
            msisdn,
            country: country.code,
        }
    }
}

impl Iterator for Recipients {
    type Item = Recipient;

    fn next(&mut self) -> Option<Recipient> {
        Some(self.draw())
    }
}

/// Reads lines of `country,millions,digits,prefixes`; a country has a line for each length of its numbers.
fn parse(text: &'static str) -> Result<Vec<Country>> {
    let mut countries: Vec<Country> = Vec::new();
    let mut weight = 0;
    for line in text.lines().skip(1) {
        let mut fields = line.split(',');
        let mut field = |name| {
            fields
                .next()
                .with_context(|| format!("recipients.csv: no {name} in {line:.40}"))
        };
        let (code, millions, digits, prefixes) = (
            field("country")?,
            field("millions")?,
            field("digits")?,
            field("prefixes")?,
        );
        let digits = digits.parse().context("recipients.csv: digits")?;
        if countries.last().is_none_or(|last| last.code != code) {
            let millions: f64 = millions.parse().context("recipients.csv: millions")?;
            weight += (millions * 10_000.0).round() as u64;
            countries.push(Country {
                code,
                weight_until: weight,
                ranges: Vec::new(),
            });
        }
        let ranges = &mut countries.last_mut().context("recipients.csv: no country")?.ranges;
        for prefix in prefixes.split(' ') {
            ensure!(
                prefix.bytes().all(|b| b.is_ascii_digit()),
                "recipients.csv: prefix {prefix} is not all digits"
            );
            ensure!(
                prefix.len() < digits && digits <= 15,
                "recipients.csv: {prefix} leaves no digit free of {digits}"
            );
            let before = ranges.last().map_or(0, |range| range.numbers_until);
            ranges.push(Range {
                prefix,
                digits,
                numbers_until: before + 10_u64.pow((digits - prefix.len()) as u32),
            });
        }
    }
    ensure!(weight > 0, "recipients.csv: empty");
    Ok(countries)
}

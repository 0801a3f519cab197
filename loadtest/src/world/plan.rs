//! The numbering plan: which mobile prefix belongs to which network.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

/// The plan as it stands in the repository, ready to be a table's `numbering.csv`.
pub(crate) const NUMBERING: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../deploy/examples/world/numbering.csv"
));

/// The real mobile numbering plan: some 29,000 prefixes.
#[derive(Clone, Debug)]
pub struct Plan {
    rows: Vec<PlanRow>,
    by_prefix: BTreeMap<Box<str>, usize>,
    prefix_digits_max: usize,
}

/// One prefix of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanRow {
    /// Leading digits in international format, without a plus.
    pub prefix: Box<str>,
    /// Mobile country code, three digits.
    pub mcc: Box<str>,
    /// Mobile network code, two or three digits; empty = not known.
    pub mnc: Box<str>,
    /// ISO 3166 alpha-2; empty = numbers of no country.
    pub country: Box<str>,
    /// Who was given the range.
    pub operator: Box<str>,
    /// Whether all longer prefixes under this one belong to the same country. A rate for one that does not would price
    /// two countries alike.
    pub is_one_country: bool,
}

impl Plan {
    /// The plan built into this crate. Takes some 10 ms in a release build.
    ///
    /// # Errors
    /// The data in the repository was edited and no longer holds together.
    pub fn load() -> Result<Self> {
        Self::parse(NUMBERING)
    }

    fn parse(text: &str) -> Result<Self> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        ensure!(
            reader.headers()? == ["prefix", "mcc", "mnc", "country", "operator"].as_slice(),
            "numbering.csv: columns are not prefix,mcc,mnc,country,operator"
        );
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.context("numbering.csv")?;
            rows.push(PlanRow {
                prefix: record[0].into(),
                mcc: record[1].into(),
                mnc: record[2].into(),
                country: record[3].into(),
                operator: record[4].into(),
                is_one_country: true,
            });
        }
        let by_prefix: BTreeMap<_, _> = rows
            .iter()
            .enumerate()
            .map(|(at, row)| (row.prefix.clone(), at))
            .collect();
        ensure!(
            by_prefix.len() == rows.len(),
            "numbering.csv: a prefix stands there twice"
        );
        for at in 0..rows.len() {
            // Rows stand in text order, so whatever lies under a prefix comes right after it.
            let (upper, lower) = rows[at..].split_at(1);
            let mut under = lower.iter().take_while(|row| row.prefix.starts_with(&*upper[0].prefix));
            let is_one_country = under.all(|row| row.country == upper[0].country);
            rows[at].is_one_country = is_one_country;
        }
        let prefix_digits_max = rows.iter().map(|row| row.prefix.len()).max().unwrap_or(0);
        Ok(Self {
            rows,
            by_prefix,
            prefix_digits_max,
        })
    }

    /// Every row, by prefix in text order.
    pub fn rows(&self) -> &[PlanRow] {
        &self.rows
    }

    /// The row with the longest prefix of `digits`; absent = the plan does not know the number.
    pub fn row_of(&self, digits: &str) -> Option<&PlanRow> {
        (1..=digits.len().min(self.prefix_digits_max))
            .rev()
            .find_map(|length| self.by_prefix.get(digits.get(..length)?))
            .map(|at| &self.rows[*at])
    }

    /// Every MCC of the plan with the country of its first row, by MCC.
    pub fn mccs(&self) -> BTreeMap<&str, &str> {
        let mut mccs = BTreeMap::new();
        for row in &self.rows {
            mccs.entry(&*row.mcc).or_insert(&*row.country);
        }
        mccs
    }
}

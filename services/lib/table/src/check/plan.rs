//! What numbering.csv says of other files: which countries a prefix covers, and which networks there are.

use std::collections::{BTreeMap, BTreeSet};

use source::{Log, Place};

use super::rows;
use crate::{
    code,
    digits::Digits,
    network::{Country, Mcc, Network},
    spec::{PlanRow, RateKey, Sheet, Spec},
};

/// MCCs under which operators really have MNCs of both lengths.
const MIXED: [&str; 7] = ["338", "350", "374", "405", "502", "714", "722"];

/// Networks and countries that the numbering plan and the ported numbers name.
pub(super) struct Plan<'a> {
    rows: &'a [PlanRow],
    ported: &'a [(Digits, Network)],
    networks: Bits,
    mccs: Bits,
    /// The countries of each MCC's rows; `None` among them = a row without.
    countries: BTreeMap<Mcc, BTreeSet<Option<Country>>>,
}

/// A set of small numbers.
struct Bits(Vec<u64>);

impl Bits {
    fn new(numbers_max: usize) -> Self {
        Self(vec![0; numbers_max.div_ceil(64)])
    }

    fn insert(&mut self, number: usize) {
        self.0[number / 64] |= 1 << (number % 64);
    }

    fn contains(&self, number: usize) -> bool {
        self.0[number / 64] & (1 << (number % 64)) != 0
    }
}

impl<'a> Plan<'a> {
    pub(super) fn of(spec: &'a Spec) -> Self {
        let mut plan = Self {
            rows: &spec.plan,
            ported: &spec.ported,
            networks: Bits::new(Network::INDEX_MAX),
            mccs: Bits::new(1_000),
            countries: BTreeMap::new(),
        };
        for row in &spec.plan {
            plan.countries.entry(row.network.mcc()).or_default().insert(row.country);
        }
        let planned = spec.plan.iter().map(|row| row.network);
        for network in planned.chain(spec.ported.iter().map(|(_, network)| *network)) {
            plan.networks.insert(network.index());
            plan.mccs.insert(network.mcc().index());
        }
        plan
    }

    /// Whether any number can be of `country`.
    pub(super) fn has_country(&self, country: Country) -> bool {
        self.countries
            .values()
            .any(|countries| countries.contains(&Some(country)))
    }

    /// The countries that a message served by `network` may be of; empty or `None` among them = none may be known.
    pub(super) fn countries_of(&self, network: Network) -> Option<&BTreeSet<Option<Country>>> {
        self.countries.get(&network.mcc())
    }

    /// The rows that numbers under `prefix` may belong to.
    pub(super) fn rows_of(&self, prefix: Digits) -> impl Iterator<Item = &'a PlanRow> {
        let rows = self.rows;
        let under = rows.partition_point(|row| row.prefix < prefix);
        let is_taken = rows.get(under).is_some_and(|row| row.prefix == prefix);
        // A row for the prefix itself takes every number that the row above it would.
        let above = (1..prefix.len())
            .rev()
            .find_map(|len| row_at(rows, prefix.first(len)))
            .filter(|_| !is_taken);
        rows[under..]
            .iter()
            .take_while(move |row| row.prefix.starts_with(prefix))
            .chain(above)
    }

    /// The networks that numbers under `prefix` were ported to.
    pub(super) fn ported_under(&self, prefix: Digits) -> impl Iterator<Item = Network> {
        let under = self.ported.partition_point(|(number, _)| *number < prefix);
        let numbers = self.ported[under..].iter();
        numbers
            .take_while(move |(number, _)| number.starts_with(prefix))
            .map(|(_, network)| *network)
    }

    /// The countries of MCCs that have numbers of `country`. `None` = some row of theirs names none.
    pub(super) fn countries_with(&self, country: Country) -> Option<BTreeSet<Country>> {
        let shared = self
            .countries
            .values()
            .filter(|countries| countries.contains(&Some(country)));
        shared.flatten().copied().collect()
    }

    /// Rates for networks that no number has by the files, and for numbers that cannot exist.
    pub(super) fn warn_unreachable(&self, spec: &Spec, log: &Log) {
        for (sheet, row) in rows(spec.sheets.iter().chain(&spec.sell)) {
            let warn = |what: String, why: &str, help: &str| {
                log.warning(sheet.place.at(row.line), code::UNREACHABLE, what, why, help);
            };
            let why = "neither numbering.csv nor ported.csv names it, so only a look-up or a query can";
            match row.key {
                RateKey::Prefix(prefix) if prefix.digit(0) == Some(0) => {
                    let help = "write it in international format, without leading zeros";
                    warn(
                        format!("no number begins with {prefix}"),
                        "no country code begins with 0",
                        help,
                    );
                }
                RateKey::Network(network) if !self.networks.contains(network.index()) => {
                    warn(
                        format!("no number is known to be of network {network}"),
                        why,
                        "mend the row, or the numbering plan",
                    );
                }
                RateKey::Mcc(mcc) if !self.mccs.contains(mcc.index()) => {
                    warn(
                        format!("no number is known to be of MCC {mcc}"),
                        why,
                        "mend the row, or the numbering plan",
                    );
                }
                _ if row.span.until <= 0 => {
                    warn(
                        format!("the rate for {} is over before 1970", row.key),
                        "no message is that old",
                        "mend until",
                    );
                }
                _ => {}
            }
        }
    }
}

fn row_at(rows: &[PlanRow], prefix: Digits) -> Option<&PlanRow> {
    let at = rows.binary_search_by_key(&prefix, |row| row.prefix).ok()?;
    Some(&rows[at])
}

/// A network, and the file and line that name it.
type Written<'a> = (Network, &'a Place, u32);

/// MNCs of two and of three digits under one MCC: `01` is not `001`, and a rate for the one is none for the other.
pub(super) fn warn_mnc_lengths(spec: &Spec, log: &Log) {
    let file = |path| Place::file(path).at(1);
    let plan = file("numbering.csv");
    let planned = spec.plan.iter().map(|row| (row.network, &plan, row.line));
    let ported_file = file("ported.csv");
    let ported = spec.ported.iter().map(|(_, network)| (*network, &ported_file, 1));
    let rated = rows(spec.sheets.iter().chain(&spec.sell)).filter_map(|(sheet, row)| match row.key {
        RateKey::Network(network) => Some((network, &sheet.place, row.line)),
        _ => None,
    });
    let figures = spec.quality.iter().map(|row| (row.network, &row.place, row.place.line));
    // The first network of each length, by MCC; and those whose other spelling is looked for.
    let mut first: Vec<[Option<Written<'_>>; 2]> = vec![[None; 2]; 1_000];
    let mut seen = Bits::new(Network::INDEX_MAX);
    for (network, place, line) in planned.chain(rated).chain(figures).chain(ported) {
        let len @ 2.. = network.mnc_len() else { continue };
        if seen.contains(network.index()) {
            continue;
        }
        seen.insert(network.index());
        let mine = &mut first[network.mcc().index()];
        if mine[len - 2].is_some() {
            continue;
        }
        mine[len - 2] = Some((network, place, line));
        let Some((other, other_place, other_line)) = mine[3 - len] else {
            continue;
        };
        if MIXED.iter().any(|mcc| Mcc::parse(mcc) == Ok(network.mcc())) {
            continue;
        }
        let what = format!(
            "MCC {} has MNCs of two lengths: {} and {}",
            network.mcc(),
            other.mnc(),
            network.mnc()
        );
        let why = format!(
            "the other is in {}; {}01 is not {}001, and a rate for the one is none for the other",
            other_place.at(other_line),
            network.mcc(),
            network.mcc()
        );
        let help = format!(
            "look up how many digits the MNCs of {} have, and write both rows with as many",
            network.mcc()
        );
        log.warning(place.at(line), code::MNC_LENGTHS, what, why, help);
    }
}

/// Prefix rates over numbers of more than one country, as +1 or +44: the price is that of the dearest, or a loss.
pub(super) fn warn_countries(spec: &Spec, log: &Log) {
    let mut known = BTreeMap::new();
    for sheet in spec.sheets.iter().chain(&spec.sell) {
        warn_countries_of(sheet, &spec.plan, &mut known, log);
    }
}

/// Both sheet and plan are in order of their prefixes, so one pass over both finds the plan's rows of each rate.
fn warn_countries_of(sheet: &Sheet, plan: &[PlanRow], known: &mut BTreeMap<Digits, Option<String>>, log: &Log) {
    let mut under = 0;
    let mut last: Option<(Digits, Option<String>)> = None;
    for row in &sheet.rows {
        let RateKey::Prefix(prefix) = row.key else { break };
        let found = match &last {
            Some((same, found)) if *same == prefix => found.clone(),
            _ => {
                under += plan[under..].partition_point(|row| row.prefix < prefix);
                // Most prefixes have nothing of the plan below them; the others may be in every sheet.
                if has_below(plan, under, prefix) {
                    let found = known.entry(prefix).or_insert_with(|| countries(plan, under, prefix));
                    found.clone()
                } else {
                    None
                }
            }
        };
        if let Some(countries) = &found {
            let what = format!("prefix {prefix} covers more than one country: {countries}");
            let help = "give each country rows of its own, by mcc or by longer prefixes";
            log.warning(
                sheet.place.at(row.line),
                code::COUNTRIES,
                what,
                "by numbering.csv",
                help,
            );
        }
        last = Some((prefix, found));
    }
}

/// Whether the plan has rows for longer prefixes. `under` is the first row not before `prefix`.
fn has_below(plan: &[PlanRow], under: usize, prefix: Digits) -> bool {
    let mut rows = plan[under..].iter().take(2);
    rows.any(|row| row.prefix != prefix && row.prefix.starts_with(prefix))
}

/// The countries of numbers under `prefix`, if there are several. `under` is the first row not before it.
fn countries(plan: &[PlanRow], under: usize, prefix: Digits) -> Option<String> {
    const SHOWN: usize = 5;
    let rows = || plan[under..].iter().take_while(|row| row.prefix.starts_with(prefix));
    let is_taken = plan.get(under).is_some_and(|row| row.prefix == prefix);
    let above = (1..prefix.len())
        .rev()
        .find_map(|len| row_at(plan, prefix.first(len)))
        .filter(|_| !is_taken);
    let found: BTreeSet<Country> = rows().chain(above).filter_map(|row| row.country).collect();
    let names: Vec<&str> = found.iter().take(SHOWN).map(Country::as_str).collect();
    match found.len() {
        0 | 1 => None,
        count if count > SHOWN => Some(format!("{} and {} more", names.join(", "), count - SHOWN)),
        _ => Some(names.join(", ")),
    }
}

//! `numbering.csv`: which network a number belongs to by the plan.

use std::collections::{HashMap, hash_map::Entry};

use source::{Code, Log, Place};

use super::csv;
use crate::{
    digits::Digits,
    files::Files,
    network::{Country, Network},
};

/// Most rows of a numbering plan.
const LIMIT: csv::Limit = csv::Limit {
    rows_max: 2_000_000,
    help: "remove ranges that a shorter prefix gives the same network",
};
/// Name of the file.
const PATH: &str = "numbering.csv";

/// One row.
#[derive(Clone, Debug)]
pub(crate) struct PlanRow {
    pub(crate) prefix: Digits,
    pub(crate) network: Network,
    pub(crate) country: Option<Country>,
    pub(crate) operator: String,
    pub(crate) line: u32,
}

/// The rows in order of their prefixes, each prefix once.
pub(super) fn read(files: &Files, log: &Log) -> Vec<PlanRow> {
    let Some(content) = files.get(PATH) else {
        log.error(
            Place::file(PATH).at(1),
            Code::MISSING,
            "the file is missing",
            "a table is not whole without it",
            "",
        );
        return Vec::new();
    };
    let file = Place::file(PATH);
    let mut rows = Vec::new();
    let mut lines = HashMap::new();
    csv::read(
        PATH,
        content,
        ["prefix", "mcc", "mnc", "country", "operator"],
        LIMIT,
        log,
        |row| {
            let Some(plan) = read_row(row.fields, &file.at(row.line), log) else {
                return;
            };
            match lines.entry(plan.prefix) {
                Entry::Vacant(entry) => {
                    entry.insert(row.line);
                    rows.push(plan);
                }
                Entry::Occupied(first) => {
                    let what = format!("prefix {} stands twice, first in line {}", plan.prefix, first.get());
                    log.error(file.at(row.line), Code::DUPLICATE, what, "", "remove one of the rows");
                }
            }
        },
    );
    rows.sort_unstable_by_key(|row| row.prefix);
    rows
}

fn read_row([prefix, mcc, mnc, country, operator]: [&str; 5], place: &Place, log: &Log) -> Option<PlanRow> {
    let refuse = |what: String| log.error(place.clone(), Code::FORMAT, what, "", "");
    let digits = Digits::parse(prefix);
    if digits.is_none() {
        refuse(format!("prefix \"{prefix}\" is refused: a prefix has 1 to 15 digits"));
    }
    let network = Network::parse(mcc, mnc);
    if let Err(error) = network {
        refuse(format!("mcc \"{mcc}\" with mnc \"{mnc}\" is refused: {error}"));
    }
    let country = if country.is_empty() {
        Ok(None)
    } else {
        Country::parse(country).map(Some)
    }
    .map_err(|error| refuse(format!("country \"{country}\" is refused: {error}")));
    Some(PlanRow {
        prefix: digits?,
        network: network.ok()?,
        country: country.ok()?,
        operator: operator.to_owned(),
        line: place.line,
    })
}

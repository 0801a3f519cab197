//! `ported.csv`: exact numbers that moved to another network.

use std::collections::{HashMap, hash_map::Entry};

use source::{Code, Log, Place};

use super::csv;
use crate::{digits::Digits, files::Files, network::Network};

/// Most ported numbers.
const LIMIT: csv::Limit = csv::Limit {
    rows_max: 20_000_000,
    help: "remove numbers whose network is that of numbering.csv, or ask a look-up instead",
};
/// Name of the file.
const PATH: &str = "ported.csv";

/// The networks of ported numbers, in order of the numbers. Nothing, if the file is not there.
pub(super) fn read(files: &Files, log: &Log) -> Vec<(Digits, Network)> {
    let Some(content) = files.get(PATH) else {
        return Vec::new();
    };
    let file = Place::file(PATH);
    let mut numbers = Vec::new();
    let mut lines = HashMap::new();
    csv::read(PATH, content, ["msisdn", "mcc", "mnc"], LIMIT, log, |row| {
        let [msisdn, mcc, mnc] = row.fields;
        let place = file.at(row.line);
        let refuse = |what: String| log.error(place.clone(), Code::FORMAT, what, "", "");
        let number = Digits::parse(msisdn);
        if number.is_none() {
            refuse(format!(
                "msisdn \"{msisdn}\" is refused: a number has 1 to 15 digits, without a plus"
            ));
        }
        let network = Network::parse(mcc, mnc)
            .map_err(|error| refuse(format!("mcc \"{mcc}\" with mnc \"{mnc}\" is refused: {error}")));
        let (Some(number), Ok(network)) = (number, network) else {
            return;
        };
        match lines.entry(number) {
            Entry::Vacant(entry) => {
                entry.insert(row.line);
                numbers.push((number, network));
            }
            Entry::Occupied(first) => {
                let what = format!("number {number} stands twice, first in line {}", first.get());
                log.error(place, Code::DUPLICATE, what, "", "remove one of the rows");
            }
        }
    });
    numbers.sort_unstable();
    numbers
}

//! `quality.csv`: how well each carrier delivered to each network.

use std::collections::BTreeMap;

use sms::CarrierName;
use source::{Code, Log, Place};

use super::csv;
use crate::{files::Files, network::Network};

/// Most rows.
const LIMIT: csv::Limit = csv::Limit {
    rows_max: 2_000_000,
    help: "remove rows of fewer than 30 attempts, whose rate does not count",
};
/// Most attempts of one row.
const ATTEMPTS_MAX: u64 = 1_000_000_000_000;
/// Longest time to delivery, in seconds: a week.
const P95_MAX: f64 = 604_800.0;
/// Name of the file.
const PATH: &str = "quality.csv";

/// One row.
#[derive(Debug)]
pub(crate) struct QualityRow {
    pub(crate) place: Place,
    pub(crate) carrier: CarrierName,
    pub(crate) network: Network,
    pub(crate) attempts: u64,
    pub(crate) delivered: u64,
    /// `None` = not known.
    pub(crate) p95_seconds: Option<f64>,
}

/// The rows, one for each carrier and network. Nothing, if the file is not there.
pub(super) fn read(files: &Files, log: &Log) -> Vec<QualityRow> {
    let Some(content) = files.get(PATH) else {
        return Vec::new();
    };
    let file = Place::file(PATH);
    let columns = ["carrier", "mcc", "mnc", "attempts", "delivered", "p95_seconds"];
    let mut rows: BTreeMap<(CarrierName, Network), QualityRow> = BTreeMap::new();
    csv::read(PATH, content, columns, LIMIT, log, |row| {
        let place = file.at(row.line);
        match read_row(row.fields, &place) {
            Err(what) => log.error(place, Code::FORMAT, what, "", ""),
            Ok(read) => {
                let key = (read.carrier.clone(), read.network);
                if let Some(first) = rows.get(&key) {
                    let line = first.place.line;
                    let what = format!(
                        "{} to {} stands twice, first in line {line}",
                        read.carrier, read.network
                    );
                    log.error(place, Code::DUPLICATE, what, "", "remove one of the rows");
                } else {
                    rows.insert(key, read);
                }
            }
        }
    });
    rows.into_values().collect()
}

fn read_row([carrier, mcc, mnc, attempts, delivered, p95]: [&str; 6], place: &Place) -> Result<QualityRow, String> {
    let carrier = CarrierName::new(carrier).map_err(|error| error.to_string())?;
    let network =
        Network::parse(mcc, mnc).map_err(|error| format!("mcc \"{mcc}\" with mnc \"{mnc}\" is refused: {error}"))?;
    let (attempts, delivered) = (count("attempts", attempts)?, count("delivered", delivered)?);
    if delivered > attempts {
        return Err(format!("delivered is {delivered}, more than the {attempts} attempts"));
    }
    let p95_seconds = if p95.is_empty() { None } else { Some(seconds(p95)?) };
    Ok(QualityRow {
        place: place.clone(),
        carrier,
        network,
        attempts,
        delivered,
        p95_seconds,
    })
}

fn count(name: &str, text: &str) -> Result<u64, String> {
    let is_digits = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    let count = is_digits
        .then(|| text.parse().ok())
        .flatten()
        .filter(|count| *count <= ATTEMPTS_MAX);
    count.ok_or_else(|| format!("{name} is \"{text}\", wanted is a whole number up to {ATTEMPTS_MAX}"))
}

fn seconds(text: &str) -> Result<f64, String> {
    let is_decimal = text.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.');
    let seconds = is_decimal
        .then(|| text.parse().ok())
        .flatten()
        .filter(|seconds| *seconds <= P95_MAX);
    seconds.ok_or_else(|| format!("p95_seconds is \"{text}\", wanted is a number from 0 to {P95_MAX}"))
}

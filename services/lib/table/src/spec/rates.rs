//! `rates/<carrier>.csv`: what a carrier charges, for whom, and when.

use std::cmp::Reverse;

use source::{Code, Log, Place};

use super::csv;
use crate::{
    code,
    digits::Digits,
    files::{FOLDER_FILES_MAX, Files},
    instant::{self, Span},
    money::Micros,
    network::{Mcc, Network},
};

/// Most rows of one sheet.
const ROWS_MAX: usize = 5_000_000;
const LIMIT: csv::Limit = csv::Limit {
    rows_max: ROWS_MAX,
    help: "remove rows that a wider one prices alike",
};
/// Most rows of all sheets together: keeps every index of the compiled table within 32 bits.
const ROWS_TOTAL_MAX: usize = 50_000_000;
const _: () = assert!(ROWS_TOTAL_MAX + ROWS_MAX < u32::MAX as usize);
/// Most sheets of one kind: as many as a folder of a directory may hold, and no more than the compiled table can number.
const SHEETS_MAX: usize = FOLDER_FILES_MAX;
const _: () = assert!(SHEETS_MAX <= u16::MAX as usize, "a sheet has a number of 16 bits");

/// One sheet, rows sorted by key and, within a key, the latest `from` first.
#[derive(Debug)]
pub(crate) struct Sheet {
    /// Name of the file without its ending: the carrier.
    pub(crate) owner: String,
    pub(crate) place: Place,
    pub(crate) rows: Vec<RateRow>,
}

/// What a rate is for. The order is that of the index: prefixes, networks, MCCs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum RateKey {
    Prefix(Digits),
    Network(Network),
    Mcc(Mcc),
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RateRow {
    pub(crate) key: RateKey,
    pub(crate) line: u32,
    /// `None` = closed.
    pub(crate) price: Option<Micros>,
    pub(crate) span: Span,
}

/// Every sheet of `folder`.
pub(super) fn read(folder: &str, files: &Files, log: &Log) -> Vec<Sheet> {
    let count = files.folder(folder).count();
    if count > SHEETS_MAX {
        let what = format!("has {count} sheets, the limit is {SHEETS_MAX}");
        let help = "remove those that nobody uses";
        log.error(Place::file(folder).at(1), Code::RANGE, what, "", help);
        return Vec::new();
    }
    let mut sheets = Vec::new();
    let mut rows_total = 0;
    for (owner, path, content) in files.folder(folder) {
        let rows = read_sheet(path, content, log);
        rows_total += rows.len();
        let place = Place::file(path).at(1);
        if rows_total > ROWS_TOTAL_MAX {
            let what = format!("the sheets have more than {ROWS_TOTAL_MAX} rows together");
            log.error(place, Code::RANGE, what, "", LIMIT.help);
            break;
        }
        sheets.push(Sheet {
            owner: owner.to_owned(),
            place,
            rows,
        });
    }
    sheets
}

fn read_sheet(path: &str, content: &[u8], log: &Log) -> Vec<RateRow> {
    let file = Place::file(path);
    let columns = ["mcc", "mnc", "prefix", "price", "from", "until"];
    let mut rows: Vec<RateRow> = Vec::new();
    csv::read(path, content, columns, LIMIT, log, |row| {
        rows.extend(read_row(row.fields, row.line, &file, log));
    });
    // The latest `from` first; then by line, so that the later of two twins is the one refused.
    let order = |row: &RateRow| (row.key, Reverse(row.span.from), row.line);
    rows.sort_unstable_by_key(order);
    refuse_twins(&rows, &file, log);
    rows
}

fn read_row([mcc, mnc, prefix, price, from, until]: [&str; 6], line: u32, file: &Place, log: &Log) -> Option<RateRow> {
    let key = read_key(mcc, mnc, prefix, &file.at(line), log);
    let price = match price {
        "closed" => Ok(None),
        price => Micros::parse(price).map(Some),
    }
    .map_err(|error| {
        let help = "write a decimal with up to 6 places, or closed";
        log.error(
            file.at(line),
            Code::FORMAT,
            format!("price is refused: {error}"),
            "",
            help,
        );
    });
    let span = read_span(from, until, &file.at(line), log);
    Some(RateRow {
        key: key?,
        line,
        price: price.ok()?,
        span: span?,
    })
}

fn read_key(mcc: &str, mnc: &str, prefix: &str, place: &Place, log: &Log) -> Option<RateKey> {
    let key = match (mcc.is_empty(), mnc.is_empty(), prefix.is_empty()) {
        (false, false, true) => Network::parse(mcc, mnc)
            .map(RateKey::Network)
            .map_err(|error| error.to_string()),
        (false, true, true) => Mcc::parse(mcc).map(RateKey::Mcc).map_err(|error| error.to_string()),
        (true, true, false) => Digits::parse(prefix)
            .map(RateKey::Prefix)
            .ok_or_else(|| "a prefix has 1 to 15 digits".to_owned()),
        _ => {
            let what = format!("mcc \"{mcc}\", mnc \"{mnc}\" and prefix \"{prefix}\" together name no key");
            let why = "a row names a network (mcc and mnc), an MCC (mcc alone) or a number range (prefix alone)";
            log.error(place.clone(), code::RATE_KEY, what, why, "");
            return None;
        }
    };
    key.map_err(|error| {
        let what = format!("mcc \"{mcc}\", mnc \"{mnc}\", prefix \"{prefix}\" is refused: {error}");
        log.error(place.clone(), Code::FORMAT, what, "", "");
    })
    .ok()
}

/// A span from two fields; an empty one is unbounded.
pub(super) fn read_span(from: &str, until: &str, place: &Place, log: &Log) -> Option<Span> {
    let read = |name: &str, text: &str, unbounded| {
        let instant = if text.is_empty() {
            Ok(unbounded)
        } else {
            instant::instant(text)
        };
        instant
            .map_err(|error| {
                log.error(
                    place.clone(),
                    Code::FORMAT,
                    format!("{name} is refused: {error}"),
                    "",
                    "",
                )
            })
            .ok()
    };
    let (begins, ends) = (read("from", from, i64::MIN), read("until", until, i64::MAX));
    let span = Span {
        from: begins?,
        until: ends?,
    };
    if span.from >= span.until {
        let what = format!("from \"{from}\" is not before until \"{until}\"");
        log.error(
            place.clone(),
            code::SPAN,
            what,
            "the span is half-open, [from, until)",
            "",
        );
        return None;
    }
    Some(span)
}

/// Two rows with one key and one `from`: nothing says which is meant.
fn refuse_twins(rows: &[RateRow], file: &Place, log: &Log) {
    let twins = rows
        .windows(2)
        .filter(|pair| pair[0].key == pair[1].key && pair[0].span.from == pair[1].span.from);
    for pair in twins {
        let what = format!(
            "{} has two rates from one instant, the other in line {}",
            pair[1].key, pair[0].line
        );
        log.error(
            file.at(pair[1].line),
            code::RATE_TWICE,
            what,
            "",
            "remove one of the rows, or set another from",
        );
    }
}

impl std::fmt::Display for RateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Prefix(prefix) => write!(f, "prefix {prefix}"),
            Self::Network(network) => write!(f, "network {network}"),
            Self::Mcc(mcc) => write!(f, "mcc {mcc}"),
        }
    }
}

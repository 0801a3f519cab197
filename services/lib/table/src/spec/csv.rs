//! CSV with a header, row by row, with lines. A row is one line: a quote that is not closed in it is a slip, and costs no other
//! row.

mod line;

use source::{Code, Log, Place, nearest};

use self::line::{Fields, Open, Splitter};
use super::octets;

/// Longest field, in octets.
const FIELD_OCTETS_MAX: usize = 256;
/// Most columns of a header that are looked at.
const HEADER_COLUMNS_MAX: usize = 64;

/// One row: its place and its fields in the order of the columns asked for, blanks around them dropped.
pub(super) struct Row<'a, const COLUMNS: usize> {
    pub(super) line: u32,
    pub(super) fields: [&'a str; COLUMNS],
}

/// Most rows of a file, and what helps where there are more.
#[derive(Clone, Copy)]
pub(super) struct Limit {
    pub(super) rows_max: usize,
    pub(super) help: &'static str,
}

/// Reads `content`, whose header must name exactly `columns` in any order, and hands over every sound row.
pub(super) fn read<const COLUMNS: usize>(
    path: &str,
    content: &[u8],
    columns: [&str; COLUMNS],
    limit: Limit,
    log: &Log,
    mut each: impl FnMut(Row<'_, COLUMNS>),
) {
    let file = Place::file(path);
    let Some(content) = octets(content, &file, log) else {
        return;
    };
    let mut splitter = Splitter::new();
    let mut order = None;
    let mut rows = 0;
    for (line, text) in lines(content) {
        let Some(order) = order else {
            order = header(splitter.split(text), columns, &file.at(line), log);
            if order.is_none() {
                return;
            }
            continue;
        };
        rows += 1;
        if rows > limit.rows_max {
            let what = format!("more than {} rows", limit.rows_max);
            log.error(file.at(line), Code::RANGE, what, "", limit.help);
            return;
        }
        if let Some(fields) = fields(splitter.split(text), order, &file, line, log) {
            each(Row { line, fields });
        }
    }
    if order.is_none() {
        let why = format!("the header names its columns: {}", columns.join(","));
        log.error(file.at(1), Code::MISSING, "the header is missing", why, "");
    }
}

/// The lines that are not empty, counted from 1. They end in LF or CRLF; in CR where the file has no LF.
fn lines(content: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    let end = if content.contains(&b'\n') { b'\n' } else { b'\r' };
    let lines = (1..).zip(content.split(move |octet| *octet == end));
    lines
        .map(|(line, text)| (line, text.strip_suffix(b"\r").unwrap_or(text)))
        .filter(|(_, text)| !text.is_empty())
}

/// Where each of `columns` stands in the header.
fn header<const COLUMNS: usize>(
    split: Result<Fields<'_>, Open>,
    columns: [&str; COLUMNS],
    place: &Place,
    log: &Log,
) -> Option<[usize; COLUMNS]> {
    let names = split.map_err(|open| refuse_open(open, place, log)).ok()?;
    let looked_at = names.count.min(HEADER_COLUMNS_MAX);
    let found: Vec<String> = (0..looked_at)
        .map(|at| String::from_utf8_lossy(names.get(at)).trim().to_owned())
        .collect();
    let why = format!("the columns are {}", columns.join(","));
    if let ([only], true) = (&found[..], COLUMNS > 1)
        && let Some(separator) = [';', '\t', '|'].into_iter().find(|separator| only.contains(*separator))
    {
        let what = format!("columns are separated by {separator:?}");
        log.error(place.clone(), Code::FORMAT, what, &why, "separate them by commas");
        return None;
    }
    let mut is_sound = true;
    for (index, name) in found.iter().enumerate() {
        let shown: String = name.chars().take(40).collect();
        if !columns.contains(&name.as_str()) {
            let help = nearest(name, columns)
                .map(|meant| format!("did you mean \"{meant}\"?"))
                .unwrap_or_default();
            log.error(
                place.clone(),
                Code::UNKNOWN_KEY,
                format!("unknown column \"{shown}\""),
                &why,
                help,
            );
            is_sound = false;
        } else if found[..index].contains(name) {
            log.error(
                place.clone(),
                Code::DUPLICATE,
                format!("column \"{shown}\" stands twice"),
                &why,
                "",
            );
            is_sound = false;
        }
    }
    let order = columns.map(|column| found.iter().position(|name| name == column));
    for (column, _) in columns.iter().zip(order).filter(|(_, at)| at.is_none()) {
        log.error(
            place.clone(),
            Code::MISSING,
            format!("column \"{column}\" is missing"),
            &why,
            "",
        );
        is_sound = false;
    }
    is_sound.then(|| order.map(|at| at.expect("missing columns were refused")))
}

/// The fields in the order asked for, blanks around them dropped. The place is made where it is told alone: nearly every row is
/// sound.
fn fields<'a, const COLUMNS: usize>(
    split: Result<Fields<'a>, Open>,
    order: [usize; COLUMNS],
    file: &Place,
    number: u32,
    log: &Log,
) -> Option<[&'a str; COLUMNS]> {
    let found = split.map_err(|open| refuse_open(open, &file.at(number), log)).ok()?;
    if found.count != COLUMNS {
        let what = format!("row has {} fields, the header has {COLUMNS}", found.count);
        log.error(file.at(number), Code::FORMAT, what, "", "");
        return None;
    }
    let mut fields = [""; COLUMNS];
    for (field, at) in fields.iter_mut().zip(order) {
        let octets = found.get(at);
        if octets.len() > FIELD_OCTETS_MAX {
            let count = octets.len();
            let what = format!("field {} has {count} octets, the limit is {FIELD_OCTETS_MAX}", at + 1);
            log.error(file.at(number), Code::RANGE, what, "", "");
            return None;
        }
        let Ok(text) = std::str::from_utf8(octets) else {
            let what = format!("field {} is not valid UTF-8", at + 1);
            log.error(file.at(number), Code::SYNTAX, what, "", "save the file as UTF-8");
            return None;
        };
        *field = text.trim();
    }
    Some(fields)
}

/// Logs that the quote of a field is not closed.
fn refuse_open(open: Open, place: &Place, log: &Log) {
    let what = format!(
        "the quote that opens field {} is not closed in its line",
        open.field + 1
    );
    let help = "close it before the comma, or remove it";
    log.error(place.clone(), Code::SYNTAX, what, "a row is one line", help);
}

#[cfg(test)]
mod tests;

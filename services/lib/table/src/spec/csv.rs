//! CSV with a header, row by row, with lines. A row is one line: a quote that is not closed in it is a slip, and costs no other
//! row.

use std::borrow::Cow;

use source::{Code, Log, Place, nearest};

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
    let mut order = None;
    let mut rows = 0;
    for (line, text) in lines(content) {
        let Some(order) = order else {
            order = header(text, columns, &file.at(line), log);
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
        if let Some(fields) = fields(text, order, &file, line, log) {
            let fields = fields.each_ref().map(|field| field.trim());
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

/// The fields of a line, as written.
struct Fields<'a>(Option<&'a [u8]>);

impl<'a> Iterator for Fields<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.0?;
        // One whose quote is not closed takes the rest of the line.
        let quoted = if is_quoted(rest) {
            closed(rest).unwrap_or(rest.len())
        } else {
            0
        };
        let Some(len) = rest[quoted..].iter().position(|octet| *octet == b',') else {
            return self.0.take();
        };
        let end = quoted + len;
        self.0 = Some(&rest[end + 1..]);
        Some(&rest[..end])
    }
}

fn is_quoted(field: &[u8]) -> bool {
    field.first() == Some(&b'"')
}

/// The place behind the quote that closes the one at the beginning; a doubled one stands for itself. `None` = it is not closed.
fn closed(field: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += field[at..].iter().position(|octet| *octet == b'"')? + 1;
        if field.get(at) != Some(&b'"') {
            return Some(at);
        }
        at += 1;
    }
}

/// What a field says. `None` = its quote is not closed.
fn unquoted(field: &[u8]) -> Option<Cow<'_, [u8]>> {
    if !is_quoted(field) {
        return Some(Cow::Borrowed(field));
    }
    let end = closed(field)?;
    let (inside, after) = (&field[1..end - 1], &field[end..]);
    if after.is_empty() && !inside.contains(&b'"') {
        return Some(Cow::Borrowed(inside));
    }
    let mut said = Vec::with_capacity(field.len());
    let mut is_doubled = false;
    for octet in inside {
        is_doubled = *octet == b'"' && !is_doubled;
        if !is_doubled {
            said.push(*octet);
        }
    }
    said.extend_from_slice(after);
    Some(Cow::Owned(said))
}

/// Where each of `columns` stands in the header.
fn header<const COLUMNS: usize>(
    line: &[u8],
    columns: [&str; COLUMNS],
    place: &Place,
    log: &Log,
) -> Option<[usize; COLUMNS]> {
    let mut found: Vec<String> = Vec::new();
    for (at, field) in Fields(Some(line)).take(HEADER_COLUMNS_MAX).enumerate() {
        let Some(name) = unquoted(field) else {
            refuse_open(at, place, log);
            return None;
        };
        found.push(String::from_utf8_lossy(&name).trim().to_owned());
    }
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

/// The fields in the order asked for. The place is made where it is told alone: nearly every row is sound.
fn fields<'a, const COLUMNS: usize>(
    line: &'a [u8],
    order: [usize; COLUMNS],
    file: &Place,
    number: u32,
    log: &Log,
) -> Option<[Cow<'a, str>; COLUMNS]> {
    let mut written = [&b""[..]; COLUMNS];
    let mut count = 0;
    for field in Fields(Some(line)) {
        if is_quoted(field) && closed(field).is_none() {
            refuse_open(count, &file.at(number), log);
            return None;
        }
        if let Some(place) = written.get_mut(count) {
            *place = field;
        }
        count += 1;
    }
    if count != COLUMNS {
        let what = format!("row has {count} fields, the header has {COLUMNS}");
        log.error(file.at(number), Code::FORMAT, what, "", "");
        return None;
    }
    let mut fields = [const { Cow::Borrowed("") }; COLUMNS];
    for (field, at) in fields.iter_mut().zip(order) {
        let octets = unquoted(written[at]).expect("open quotes were refused");
        if octets.len() > FIELD_OCTETS_MAX {
            let count = octets.len();
            let what = format!("field {} has {count} octets, the limit is {FIELD_OCTETS_MAX}", at + 1);
            log.error(file.at(number), Code::RANGE, what, "", "");
            return None;
        }
        *field = match octets {
            Cow::Borrowed(octets) => std::str::from_utf8(octets).ok().map(Cow::Borrowed),
            Cow::Owned(octets) => String::from_utf8(octets).ok().map(Cow::Owned),
        }
        .or_else(|| {
            let what = format!("field {} is not valid UTF-8", at + 1);
            log.error(file.at(number), Code::SYNTAX, what, "", "save the file as UTF-8");
            None
        })?;
    }
    Some(fields)
}

/// Logs that the quote of field `at`, from 0, is not closed.
fn refuse_open(at: usize, place: &Place, log: &Log) {
    let what = format!("the quote that opens field {} is not closed in its line", at + 1);
    let help = "close it before the comma, or remove it";
    log.error(place.clone(), Code::SYNTAX, what, "a row is one line", help);
}

#[cfg(test)]
mod tests;

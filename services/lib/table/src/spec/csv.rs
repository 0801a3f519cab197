//! CSV with a header, row by row, with lines.

use source::{Code, Log, Place, nearest};

/// Longest field, in octets.
const FIELD_OCTETS_MAX: usize = 256;

/// One row: its place and its fields in the order of the columns asked for, blanks around them dropped.
pub(super) struct Row<'a, const COLUMNS: usize> {
    pub(super) line: u32,
    pub(super) fields: [&'a str; COLUMNS],
}

/// Reads `content`, whose header must name exactly `columns` in any order, and hands over every sound row.
pub(super) fn read<const COLUMNS: usize>(
    path: &str,
    content: &[u8],
    columns: [&str; COLUMNS],
    rows_max: usize,
    log: &Log,
    mut each: impl FnMut(Row<'_, COLUMNS>),
) {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let file = Place::file(path);
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .has_headers(false)
        .from_reader(content);
    let mut lines = Lines {
        content,
        offset: 0,
        line: 1,
    };
    let mut record = csv::ByteRecord::new();
    let mut order = None;
    let mut rows = 0;
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                log.error(file.clone(), Code::SYNTAX, format!("not valid CSV: {error}"), "", "");
                return;
            }
        }
        let line = lines.line_of(record.position().map_or(0, csv::Position::byte));
        let place = file.at(line);
        let Some(order) = order else {
            order = header(&record, columns, &place, log);
            if order.is_none() {
                return;
            }
            continue;
        };
        rows += 1;
        if rows > rows_max {
            log.error(
                place,
                Code::RANGE,
                format!("more than {rows_max} rows"),
                "",
                "split the file",
            );
            return;
        }
        if let Some(fields) = fields(&record, order, &place, log) {
            each(Row { line, fields });
        }
    }
    if order.is_none() {
        let why = format!("the header names its columns: {}", columns.join(","));
        log.error(file.at(1), Code::MISSING, "the header is missing", why, "");
    }
}

/// Where each of `columns` stands in the header.
fn header<const COLUMNS: usize>(
    record: &csv::ByteRecord,
    columns: [&str; COLUMNS],
    place: &Place,
    log: &Log,
) -> Option<[usize; COLUMNS]> {
    let found: Vec<String> = record
        .iter()
        .map(|name| String::from_utf8_lossy(name).trim().to_owned())
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

fn fields<'a, const COLUMNS: usize>(
    record: &'a csv::ByteRecord,
    order: [usize; COLUMNS],
    place: &Place,
    log: &Log,
) -> Option<[&'a str; COLUMNS]> {
    if record.len() != COLUMNS {
        let what = format!("row has {} fields, the header has {COLUMNS}", record.len());
        log.error(place.clone(), Code::FORMAT, what, "", "");
        return None;
    }
    let mut fields = [""; COLUMNS];
    for (field, at) in fields.iter_mut().zip(order) {
        let octets = &record[at];
        if octets.len() > FIELD_OCTETS_MAX {
            let what = format!(
                "field {} has {} octets, the limit is {FIELD_OCTETS_MAX}",
                at + 1,
                octets.len()
            );
            // A quote that is never closed takes all lines that follow into its field.
            let help = if octets.contains(&b'\n') {
                "close the quote that opens in this line"
            } else {
                ""
            };
            log.error(place.clone(), Code::RANGE, what, "", help);
            return None;
        }
        let Ok(text) = std::str::from_utf8(octets) else {
            let what = format!("field {} is not valid UTF-8", at + 1);
            log.error(place.clone(), Code::SYNTAX, what, "", "save the file as UTF-8");
            return None;
        };
        *field = text.trim();
    }
    Some(fields)
}

/// Counts lines up to rising offsets. The reader's own count stops before blank lines that it skips.
struct Lines<'a> {
    content: &'a [u8],
    offset: usize,
    line: u32,
}

impl Lines<'_> {
    fn line_of(&mut self, offset: u64) -> u32 {
        let end = usize::try_from(offset).unwrap_or(usize::MAX).min(self.content.len());
        let blank = self.content[end..]
            .iter()
            .take_while(|octet| matches!(octet, b'\r' | b'\n'))
            .count();
        let passed = &self.content[self.offset..end + blank];
        self.line += u32::try_from(passed.iter().filter(|octet| **octet == b'\n').count()).unwrap_or(u32::MAX);
        self.offset = end + blank;
        self.line
    }
}

#[cfg(test)]
mod tests;

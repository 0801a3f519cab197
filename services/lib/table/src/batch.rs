//! Many queries, one JSON object a line in, one explanation a line out.

use std::io::{self, BufRead, Read, Write};

use serde::Serialize;
use sms::UnixMs;

use crate::{
    Table,
    request::{Asked, Request},
};

/// Longest line, in octets.
pub const LINE_OCTETS_MAX: usize = 65_536;

/// What a batch came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Lines read.
    pub lines: u64,
    /// Lines that were no query and were answered with an error.
    pub failed: u64,
}

#[derive(Serialize)]
struct Failure {
    error: String,
}

/// Explains every line of `input` into a line of `output`, in order. A line that is no query yields `{"error":…}` in its
/// place. `now` stands for an absent `at`.
///
/// # Errors
/// Reading or writing failed; what was written before stands.
pub fn explain(table: &Table, mut input: impl BufRead, mut output: impl Write, now: UnixMs) -> io::Result<Summary> {
    let mut summary = Summary::default();
    let mut line = Vec::new();
    while let Some(is_whole) = read_line(&mut input, &mut line)? {
        summary.lines += 1;
        let asked = if is_whole {
            parse(&line, now)
        } else {
            Err(format!("the line is over {LINE_OCTETS_MAX} octets"))
        };
        match asked {
            Ok(asked) => serde_json::to_writer(&mut output, &table.explain(&asked.query()))?,
            Err(error) => {
                summary.failed += 1;
                serde_json::to_writer(&mut output, &Failure { error })?;
            }
        }
        output.write_all(b"\n")?;
    }
    output.flush()?;
    Ok(summary)
}

fn parse(line: &[u8], now: UnixMs) -> Result<Asked, String> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let request: Request = serde_json::from_slice(line).map_err(|error| {
        // Each line is a document of its own, so the parser's line number would only mislead.
        let text = error.to_string();
        let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
        format!("no query: {what}, at column {}", error.column())
    })?;
    request.resolve(now).map_err(|error| error.to_string())
}

/// Reads the next line without its end. `None` = no more; `Some(false)` = it was too long and its rest was skipped.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<bool>> {
    line.clear();
    let limit = LINE_OCTETS_MAX as u64 + 1;
    if input.by_ref().take(limit).read_until(b'\n', line)? == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') || line.len() <= LINE_OCTETS_MAX {
        return Ok(Some(true));
    }
    loop {
        let buffer = input.fill_buf()?;
        let end = buffer.iter().position(|octet| *octet == b'\n');
        let passed = end.map_or(buffer.len(), |at| at + 1);
        input.consume(passed);
        if end.is_some() || passed == 0 {
            return Ok(Some(false));
        }
    }
}

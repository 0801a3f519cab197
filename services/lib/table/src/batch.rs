//! Many queries, one JSON object a line in, one explanation a line out. Whoever writes a line and waits has its answer: what
//! is at hand is answered before more is read.

use std::io::{self, BufRead, BufReader, Read, Write};

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
    /// From 1.
    line: u64,
}

/// Explains every line of `input` into a line of `output`, in order. A line that is no query yields
/// `{"error":…,"line":…}` in its place. `now` stands for an absent `at`.
///
/// # Errors
/// Reading or writing failed; what was written before stands.
pub fn explain(table: &Table, input: impl Read, output: impl Write, now: UnixMs) -> io::Result<Summary> {
    answer(input, output, now, 1, |asked| {
        asked
            .iter()
            .map(|asked| Ok(serde_json::to_string(&table.explain(&asked.query()))?))
            .collect()
    })
}

/// The same with the explanations of somebody else: `explain` answers each of up to `at_once` queries, in order, with one
/// line.
///
/// # Errors
/// Reading, writing or `explain` failed; what was written before stands.
pub fn answer<E: From<io::Error>>(
    input: impl Read,
    mut output: impl Write,
    now: UnixMs,
    at_once: usize,
    mut explain: impl FnMut(&[Asked]) -> Result<Vec<String>, E>,
) -> Result<Summary, E> {
    let mut input = BufReader::with_capacity(LINE_OCTETS_MAX, input);
    let mut summary = Summary::default();
    let mut line = Vec::new();
    let mut is_over = false;
    while !is_over {
        if !has_line(&input) {
            // The writer may be waiting for these answers before it writes on.
            output.flush()?;
        }
        // Of each line its query, or the error in its place.
        let (mut asked, mut failures) = (Vec::new(), Vec::new());
        while failures.len() < at_once && (failures.is_empty() || has_line(&input)) {
            let Some(is_whole) = read_line(&mut input, &mut line)? else {
                is_over = true;
                break;
            };
            let query = if is_whole {
                parse(&line, now)
            } else {
                Err(format!("the line is over {LINE_OCTETS_MAX} octets"))
            };
            failures.push(query.map(|query| asked.push(query)).err());
        }
        let answers = if asked.is_empty() { Vec::new() } else { explain(&asked)? };
        let mut answers = answers.into_iter();
        for failure in failures {
            summary.lines += 1;
            summary.failed += u64::from(failure.is_some());
            let line = match failure {
                Some(error) => {
                    let line = summary.lines;
                    serde_json::to_string(&Failure { error, line }).map_err(io::Error::from)?
                }
                None => answers.next().expect("every query is answered"),
            };
            writeln!(output, "{line}")?;
        }
    }
    output.flush()?;
    Ok(summary)
}

/// Whether a line can be read without waiting for the one who writes them.
fn has_line(input: &BufReader<impl Read>) -> bool {
    input.buffer().contains(&b'\n')
}

fn parse(line: &[u8], now: UnixMs) -> Result<Asked, String> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    match line.trim_ascii_start().first() {
        None => return Err("no query: the line is blank".to_owned()),
        Some(b'{') => {}
        Some(_) => return Err("no query: a query is one JSON object, such as {\"to\":\"33612345678\"}".to_owned()),
    }
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

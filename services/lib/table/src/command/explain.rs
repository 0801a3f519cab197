//! `table explain`: how one message would be decided, or each of a batch.

use std::{
    io::{self, Read, Write},
    path::Path,
};

use sms::UnixMs;
use source::Problems;

use super::{EXIT_NEGATIVE, EXIT_USAGE, Output, json_line, unread, unusable, unusable_json};
use crate::{
    Explanation, Table, batch, files,
    request::{Request, RequestError},
    table::build,
};

/// `table explain DIR --to N … [--json]`: how one message would be decided. `now` stands for an absent `at`.
pub fn explain(dir: &Path, request: Request, json: bool, now: UnixMs) -> Output {
    explain_with(dir, request, json, now, |_| {})
}

/// The same, with what `finish` adds to the explanation.
pub fn explain_with(
    dir: &Path,
    request: Request,
    json: bool,
    now: UnixMs,
    finish: impl FnOnce(&mut Explanation),
) -> Output {
    let asked = match request.resolve(now) {
        Ok(asked) => asked,
        Err(error) => return no_query(&error),
    };
    match load(dir) {
        Err(problems) if json => unusable_json(dir, &problems),
        Err(problems) => unusable(dir, &problems),
        Ok((table, stderr)) => {
            let mut explanation = table.explain(&asked.query());
            finish(&mut explanation);
            let stdout = if json {
                json_line(&explanation)
            } else {
                format!("{explanation}\n")
            };
            Output {
                stdout,
                stderr,
                ..Output::default()
            }
        }
    }
}

/// `table explain DIR --batch FILE|-`: a query a line in, an explanation a line out. The text of what it gives back goes
/// to standard error; the explanations are in `output` already.
///
/// # Errors
/// Reading or writing failed.
pub fn explain_batch(dir: &Path, input: impl Read, output: impl Write, now: UnixMs) -> io::Result<Output> {
    let (table, stderr) = match load(dir) {
        Ok(loaded) => loaded,
        Err(problems) => return Ok(unusable(dir, &problems)),
    };
    let answered = answered(batch::explain(&table, input, output, now)?);
    Ok(Output {
        stderr: stderr + &answered.stderr,
        ..answered
    })
}

/// The table in `dir`, and what is said beside its answers.
fn load(dir: &Path) -> Result<(Table, String), Problems> {
    let files = files::read(dir)?;
    Ok((build(&files)?.0, unread(&files)))
}

/// What is said of a query that is refused.
pub fn no_query(error: &RequestError) -> Output {
    Output {
        stderr: format!("error: {error}\n"),
        code: EXIT_USAGE,
        ..Output::default()
    }
}

/// What a batch came to, for people.
pub fn answered(summary: batch::Summary) -> Output {
    if summary.failed == 0 {
        return Output::default();
    }
    let stderr = format!(
        "{} of {} lines are no query, see their error\n",
        summary.failed, summary.lines
    );
    Output {
        stderr,
        code: EXIT_NEGATIVE,
        ..Output::default()
    }
}

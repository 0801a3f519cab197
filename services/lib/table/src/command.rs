//! The commands over tables as functions: what they print and how they exit.

use std::{
    fmt::Write as _,
    io::{self, BufRead, Write},
    path::Path,
};

use sms::UnixMs;
use source::{Code, Problems, Severity};

use crate::{
    Table, batch,
    request::{Request, RequestError},
    table::{counted, load},
};

/// Everything is fine.
pub const EXIT_FINE: u8 = 0;
/// The finding is negative: an invalid table, a line that was no query.
pub const EXIT_NEGATIVE: u8 = 1;
/// The command was called wrongly.
pub const EXIT_USAGE: u8 = 64;

/// What a command prints and how it exits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// The finding.
    pub stdout: String,
    /// What went wrong.
    pub stderr: String,
    /// Exit code.
    pub code: u8,
}

/// `table check DIR [--json]`: every problem at once. Warnings alone exit 0.
pub fn check(dir: &Path, json: bool) -> Output {
    let (table, problems) = match load(dir) {
        Ok((table, warnings)) => (Some(table), warnings),
        Err(problems) => (None, problems),
    };
    if is_usage(dir, &problems) {
        return refused(&problems, EXIT_USAGE);
    }
    let code = if table.is_some() { EXIT_FINE } else { EXIT_NEGATIVE };
    let stdout = if json {
        json_line(&problems)
    } else {
        check_text(table.as_ref(), &problems)
    };
    Output {
        stdout,
        stderr: String::new(),
        code,
    }
}

/// `table explain DIR --to N … [--json]`: how one message would be decided. `now` stands for an absent `at`.
pub fn explain(dir: &Path, request: Request, json: bool, now: UnixMs) -> Output {
    let asked = match request.resolve(now) {
        Ok(asked) => asked,
        Err(error) => return no_query(&error),
    };
    match load(dir) {
        Err(problems) => refused(
            &problems,
            if is_usage(dir, &problems) {
                EXIT_USAGE
            } else {
                EXIT_NEGATIVE
            },
        ),
        Ok((table, _)) => {
            let explanation = table.explain(&asked.query());
            let stdout = if json {
                json_line(&explanation)
            } else {
                format!("{explanation}\n")
            };
            Output {
                stdout,
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
pub fn explain_batch(dir: &Path, input: impl BufRead, output: impl Write, now: UnixMs) -> io::Result<Output> {
    let table = match load(dir) {
        Ok((table, _)) => table,
        Err(problems) => {
            return Ok(refused(
                &problems,
                if is_usage(dir, &problems) {
                    EXIT_USAGE
                } else {
                    EXIT_NEGATIVE
                },
            ));
        }
    };
    batch::explain(&table, input, output, now).map(answered)
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

fn check_text(table: Option<&Table>, problems: &Problems) -> String {
    let mut text = String::new();
    if !problems.is_empty() {
        let _ = writeln!(text, "{problems}");
    }
    let _ = match table {
        Some(table) => {
            let name = if table.name().is_empty() { "table" } else { table.name() };
            writeln!(text, "{name} is fine: {}, version {}", table.summary(), table.version())
        }
        None => {
            let errors = counted(problems.count(Severity::Error), "error", "errors");
            let warnings = counted(problems.count(Severity::Warning), "warning", "warnings");
            writeln!(text, "{errors}, {warnings}")
        }
    };
    text
}

/// The directory itself was named wrongly.
fn is_usage(dir: &Path, problems: &Problems) -> bool {
    !dir.is_dir() && problems.iter().any(|problem| problem.code.number == Code::FILE)
}

fn refused(problems: &Problems, code: u8) -> Output {
    Output {
        stdout: String::new(),
        stderr: format!("{problems}\n"),
        code,
    }
}

fn json_line(value: &impl serde::Serialize) -> String {
    let mut line = serde_json::to_string(value).expect("reports hold nothing that JSON cannot");
    line.push('\n');
    line
}

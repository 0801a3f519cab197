//! The commands over tables as functions: what they print and how they exit.

mod check;
mod diff;
mod explain;
mod test;

use std::path::Path;

use serde::Serialize;
use source::{Code, Problems};

pub use self::{
    check::{check, explain_code},
    diff::{DiffForm, diff},
    explain::{answered, explain, explain_batch, explain_with, no_query},
    test::test,
};
use crate::files::Files;

/// Everything is fine.
pub const EXIT_FINE: u8 = 0;
/// The finding is negative: an invalid table, a line that was no query, a failed case.
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

/// The directory itself was named wrongly.
fn is_usage(dir: &Path, problems: &Problems) -> bool {
    !dir.is_dir() && problems.iter().any(|problem| problem.code.number == Code::FILE)
}

/// What is said where the table in `dir` is none, or unsound.
fn unusable(dir: &Path, problems: &Problems) -> Output {
    let code = if is_usage(dir, problems) {
        EXIT_USAGE
    } else {
        EXIT_NEGATIVE
    };
    refused(problems, code)
}

/// The same, with `{"problems":[…]}` besides where there is a directory to be wrong.
fn unusable_json(dir: &Path, problems: &Problems) -> Output {
    let mut output = unusable(dir, problems);
    if output.code == EXIT_NEGATIVE {
        output.stdout = json_line(&Invalid { problems });
    }
    output
}

/// Said beside what a sound table answers: whoever misnamed a file would look for the slip in it.
fn unread(files: &Files) -> String {
    if files.strays().is_empty() {
        return String::new();
    }
    format!("{}\n", files.strays())
}

/// An invalid table in the place of a report.
#[derive(Serialize)]
struct Invalid<T> {
    problems: T,
}

fn refused(problems: &Problems, code: u8) -> Output {
    Output {
        stdout: String::new(),
        stderr: format!("{problems}\n"),
        code,
    }
}

fn json_line(value: &impl Serialize) -> String {
    let mut line = serde_json::to_string(value).expect("reports hold nothing that JSON cannot");
    line.push('\n');
    line
}

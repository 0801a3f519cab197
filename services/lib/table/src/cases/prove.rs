//! The way into force: a table is built, and its cases must pass. What is told of cases that fail fits a log: bounded, without
//! numbers and texts.

use std::fmt;

use source::Problems;

use super::{CaseResult, Failure, judge};
use crate::{Table, check::checked, compile::compile, files::Files, spec::CaseSpec, table::counted};

/// Failed cases that are told; the others are counted.
const CASES_TOLD: usize = 5;
/// Expectations told of one failed case.
const FAILURES_TOLD: usize = 5;
/// Longest list of expected or found values that is told, in characters.
const VALUES_CHARS_MAX: usize = 200;
/// Expectations about numbers and texts of messages, which no log holds.
const WITHHELD: [&str; 3] = ["sent.to", "sent.text", "copies"];

/// Why a table does not come into force. Displayed, lines for a log.
#[derive(Clone, Debug)]
pub enum Unproven {
    /// Everything that is wrong with the files; no case was run.
    Invalid(Problems),
    /// The table is sound, and does not decide as its cases say.
    Failed(FailedCases),
}

/// The cases that failed: how many, and the first few.
#[derive(Clone, Debug)]
pub struct FailedCases {
    /// Cases that were run.
    run: usize,
    /// Cases that failed.
    failed: usize,
    /// The first of them in file order, without explanations: those of 20,000 cases would not fit in memory.
    first: Vec<CaseResult>,
    /// Names of files that were not read: a case may fail for want of one.
    strays: Box<Problems>,
}

/// Checks and compiles the table in `files` and runs its cases, if it has some. Beside it come its warnings.
///
/// # Errors
/// Everything that is wrong with the files, or else the cases that fail; no table is made.
pub fn prove(files: &Files) -> Result<(Table, Problems), Unproven> {
    let (checked, warnings) = checked(files).map_err(Unproven::Invalid)?;
    let table = compile(&checked);
    let failed = run(&table, &checked.spec().cases);
    if failed.failed > 0 {
        let strays = Box::new(files.strays().clone());
        return Err(Unproven::Failed(FailedCases { strays, ..failed }));
    }
    Ok((table, warnings))
}

fn run(table: &Table, cases: &[CaseSpec]) -> FailedCases {
    let mut found = FailedCases {
        run: cases.len(),
        failed: 0,
        first: Vec::new(),
        strays: Box::default(),
    };
    for case in cases {
        let result = judge(table, case, table.explain(&case.asked.query()));
        if result.passed {
            continue;
        }
        found.failed += 1;
        if found.first.len() < CASES_TOLD {
            found.first.push(CaseResult {
                explanation: None,
                ..result
            });
        }
    }
    found
}

impl fmt::Display for Unproven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(problems) => problems.fmt(f),
            Self::Failed(failed) => failed.fmt(f),
        }
    }
}

impl fmt::Display for FailedCases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.strays.is_empty() {
            writeln!(f, "{}", self.strays)?;
        }
        for case in &self.first {
            write!(f, "cases.toml:{}: case \"{}\" fails", case.line, case.name)?;
            for (at, failure) in case.failures.iter().take(FAILURES_TOLD).enumerate() {
                f.write_str(if at == 0 { ": " } else { "; " })?;
                write_failure(failure, f)?;
            }
            match case.failures.len().saturating_sub(FAILURES_TOLD) {
                0 => writeln!(f)?,
                more => writeln!(f, "; and {more} more")?,
            }
        }
        let of = counted(self.run, "case", "cases");
        write!(f, "{} of {of} failed; `signalbox table test` tells why", self.failed)
    }
}

fn write_failure(failure: &Failure, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let key = &failure.key;
    if WITHHELD.contains(&key.as_str()) {
        return write!(f, "{key} is not as expected");
    }
    write!(
        f,
        "{key} expected {}, found {}",
        list(&failure.expected),
        list(&failure.found)
    )
}

/// Values as far as they fit.
fn list(values: &[String]) -> String {
    if values.is_empty() {
        return "none".to_owned();
    }
    let mut text = String::new();
    for value in values {
        if !text.is_empty() {
            text += ", ";
        }
        text += value;
        if let Some((end, _)) = text.char_indices().nth(VALUES_CHARS_MAX) {
            text.truncate(end);
            return text + "…";
        }
    }
    text
}

#[cfg(test)]
mod tests;

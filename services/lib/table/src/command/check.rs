//! `table check`: every problem of a table at once.

use std::{fmt::Write as _, path::Path};

use source::{Problems, Severity};

use super::{EXIT_FINE, EXIT_NEGATIVE, EXIT_USAGE, Output, is_usage, json_line, refused};
use crate::{
    Table, code,
    table::{counted, load},
};

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

/// `table check --explain T0xx`: the page of a code, whatever the case of its letter.
pub fn explain_code(code: &str) -> Output {
    if let Some(page) = code::page(code) {
        return Output {
            stdout: page.to_owned(),
            ..Output::default()
        };
    }
    let mut stderr = format!("error: {code:?} is no code of table check; these are:\n");
    for (number, page) in code::PAGES {
        let _ = writeln!(stderr, "  T{number:03}  {}", code::title(page));
    }
    Output {
        stderr,
        code: EXIT_USAGE,
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

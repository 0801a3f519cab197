//! `table test`: the cases of a table.

use std::path::Path;

use super::{EXIT_NEGATIVE, Output, json_line, unread, unusable, unusable_json};
use crate::{cases, files};

/// `table test DIR [--fail-under PCT] [--json]`: runs `cases.toml`. A failed case, a coverage of policies below `fail_under`
/// percent and a table without cases exit 1.
pub fn test(dir: &Path, fail_under: Option<u8>, json: bool) -> Output {
    let tested = files::read(dir).and_then(|files| Ok((cases::test(&files)?.0, unread(&files))));
    let (mut report, stderr) = match tested {
        Ok(tested) => tested,
        Err(problems) if json => return unusable_json(dir, &problems),
        Err(problems) => return unusable(dir, &problems),
    };
    report.require(fail_under);
    let mut output = Output {
        stdout: if json { json_line(&report) } else { report.to_string() },
        stderr,
        ..Output::default()
    };
    if !report.passed {
        output.code = EXIT_NEGATIVE;
    }
    for reason in &report.reasons {
        output.stderr += &format!("{reason}\n");
    }
    output
}

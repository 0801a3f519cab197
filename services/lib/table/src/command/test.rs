//! `table test`: the cases of a table.

use std::path::Path;

use super::{EXIT_NEGATIVE, Output, json_line, refused, unusable};
use crate::{cases, files};

/// `table test DIR [--fail-under PCT] [--json]`: runs `cases.toml`. A failed case, a coverage of policies below `fail_under`
/// percent and a table without cases exit 1.
pub fn test(dir: &Path, fail_under: Option<u8>, json: bool) -> Output {
    let tested = files::read(dir).and_then(|files| cases::test(&files));
    let report = match tested {
        Ok((report, _)) => report,
        Err(problems) if json && dir.is_dir() => {
            return Output {
                stdout: json_line(&problems),
                ..refused(&problems, EXIT_NEGATIVE)
            };
        }
        Err(problems) => return unusable(dir, &problems),
    };
    let mut output = Output {
        stdout: if json { json_line(&report) } else { report.to_string() },
        ..Output::default()
    };
    if !report.passed {
        output.code = EXIT_NEGATIVE;
    }
    if report.cases.is_empty() {
        // Cases that a merge lost must not look like cases that pass.
        output.stderr += "there are no cases: add cases.toml\n";
        output.code = EXIT_NEGATIVE;
    }
    if let Some(wanted) = fail_under.filter(|wanted| report.coverage.percent < *wanted) {
        let found = report.coverage.percent;
        output.stderr += &format!("coverage is {found} %, wanted are {wanted} %\n");
        output.code = EXIT_NEGATIVE;
    }
    output
}

//! `cases.toml` of any content over policies of any content: problems, or a report in which everything adds up and which says
//! the same as the way into force.
#![no_main]

use libfuzzer_sys::fuzz_target;
use table::{
    cases::{self, CaseReport, CaseResult, Unproven},
    files::Files,
};

fuzz_target!(|input: &[u8]| {
    let files = table_fuzz::files(input, |name| {
        matches!(name, "cases.toml" | "policies.toml") || name.starts_with("sets/")
    });
    let Ok((mut report, warnings)) = cases::test(&files) else {
        assert!(table_fuzz::build(&files).is_none(), "a sound table has no report");
        assert!(matches!(cases::prove(&files), Err(Unproven::Invalid(_))));
        return;
    };
    assert!(!warnings.has_errors(), "cases of a table with errors ran:\n{warnings}");
    adds_up(&report);
    is_proven_alike(&report, &files);
    report.require(Some(100));
    let is_whole = !report.cases.is_empty() && report.coverage.percent == 100;
    assert_eq!(report.passed, report.failed() == 0 && is_whole, "{report}");
});

fn adds_up(report: &CaseReport) {
    let coverage = &report.coverage;
    assert_eq!(coverage.covered + coverage.uncovered.len(), coverage.policies);
    assert_eq!(coverage.percent == 100, coverage.uncovered.is_empty());
    let is_told =
        |case: &CaseResult| case.passed == case.failures.is_empty() && case.passed == case.explanation.is_none();
    assert!(report.cases.iter().all(is_told), "{report}");
    assert_eq!(report.passed, report.failed() == 0);
    assert!(!report.to_string().is_empty());
    serde_json::to_string(report).expect("a report is JSON");
}

/// The same cases fail, and what is told of them can be shown.
fn is_proven_alike(report: &CaseReport, files: &Files) {
    match cases::prove(files) {
        Ok((table, _)) => assert_eq!((report.failed(), table.version()), (0, &*report.table)),
        Err(Unproven::Failed(failed)) => {
            let end = format!("{} of {} case", report.failed(), report.cases.len());
            assert!(failed.to_string().contains(&end), "{failed}\nis not\n{report}");
        }
        Err(Unproven::Invalid(problems)) => panic!("refused, yet its cases ran:\n{problems}"),
    }
}

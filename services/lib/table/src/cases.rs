//! Cases: messages with what the table is to decide of each, and which policies they reach.

mod found;
mod prove;
mod report;

use std::collections::BTreeSet;

use serde::Serialize;
use source::Problems;

use self::found::Found;
pub use self::prove::{FailedCases, Unproven, prove};
use crate::{
    Table,
    check::checked,
    compile::compile,
    explain::Explanation,
    files::Files,
    spec::{CaseSpec, PolicySpec},
};

/// What the cases of a table came to. Serialized, it is the JSON of `table test`; displayed, its text.
#[derive(Clone, Debug, Serialize)]
pub struct CaseReport {
    /// Content hash of the table.
    pub table: String,
    /// Whether no case failed and, once [`CaseReport::require`] was asked, nothing else is wanting.
    pub passed: bool,
    /// Coverage that was wanted, in percent; `None` = none was.
    pub fail_under: Option<u8>,
    /// What is wanting although no case failed: there are no cases, or too few policies are covered.
    pub reasons: Vec<String>,
    /// Each case in file order.
    pub cases: Vec<CaseResult>,
    /// Which policies the cases reach.
    pub coverage: Coverage,
}

/// What one case came to.
#[derive(Clone, Debug, Serialize)]
pub struct CaseResult {
    /// Its name.
    pub name: String,
    /// Line of `cases.toml`.
    pub line: u32,
    /// Whether everything was as expected.
    pub passed: bool,
    /// What was not as expected.
    pub failures: Vec<Failure>,
    /// How it was decided; `None` = it passed.
    pub explanation: Option<Explanation>,
}

/// One thing that was not as expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The key that expects it.
    pub key: String,
    /// As the case says.
    pub expected: Vec<String>,
    /// As the table decided.
    pub found: Vec<String>,
    /// Why it is so; may be empty.
    pub why: String,
}

/// Which policies applied in at least one case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Policies of the table.
    pub policies: usize,
    /// Those that applied, be it that they ended the walk or acted and let it go on.
    pub covered: usize,
    /// Whole percent, rounded down; 100 where there are no policies.
    pub percent: u8,
    /// The others, in their order.
    pub uncovered: Vec<Uncovered>,
}

/// A policy that applied in no case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Uncovered {
    /// Its name.
    pub policy: String,
    /// Line of `policies.toml`.
    pub line: u32,
}

/// Checks and compiles the table in `files` and runs its cases. Beside the report come the table's warnings.
///
/// # Errors
/// Everything that is wrong with the table, its cases included, at once; no case was run.
pub fn test(files: &Files) -> Result<(CaseReport, Problems), Problems> {
    let (checked, warnings) = checked(files)?;
    let spec = checked.spec();
    Ok((run(&compile(&checked), &spec.cases, &spec.policies), warnings))
}

/// Decides every case.
fn run(table: &Table, cases: &[CaseSpec], policies: &[PolicySpec]) -> CaseReport {
    let mut applied = BTreeSet::new();
    let mut results = Vec::with_capacity(cases.len());
    for case in cases {
        let explanation = table.explain(&case.asked.query());
        applied.extend(explanation.policies.iter().cloned());
        results.push(judge(table, case, explanation));
    }
    let covers = |policy: &&PolicySpec| !applied.contains(&policy.name);
    let uncovered: Vec<Uncovered> = policies
        .iter()
        .filter(covers)
        .map(|policy| Uncovered {
            policy: policy.name.clone(),
            line: policy.place.line,
        })
        .collect();
    let covered = policies.len() - uncovered.len();
    CaseReport {
        table: table.version().to_owned(),
        passed: results.iter().all(|result| result.passed),
        fail_under: None,
        reasons: Vec::new(),
        cases: results,
        coverage: Coverage {
            policies: policies.len(),
            covered,
            percent: (covered * 100).checked_div(policies.len()).map_or(100, |percent| {
                u8::try_from(percent).expect("what is covered is a part of the whole")
            }),
            uncovered,
        },
    }
}

fn judge(table: &Table, case: &CaseSpec, explanation: Explanation) -> CaseResult {
    let found = Found::new(table, &case.asked, &explanation);
    let failures: Vec<Failure> = case
        .expected
        .iter()
        .filter_map(|expectation| found.compare(expectation))
        .collect();
    CaseResult {
        name: case.name.clone(),
        line: case.place.line,
        passed: failures.is_empty(),
        explanation: (!failures.is_empty()).then_some(explanation),
        failures,
    }
}

impl CaseReport {
    /// Wants at least one case, and `fail_under` percent of the policies covered: without them nothing passed.
    pub fn require(&mut self, fail_under: Option<u8>) {
        self.fail_under = fail_under;
        if self.cases.is_empty() {
            // Cases that a merge lost must not look like cases that pass.
            self.reasons.push("there are no cases: add cases.toml".to_owned());
        }
        let found = self.coverage.percent;
        if let Some(wanted) = fail_under.filter(|wanted| found < *wanted) {
            self.reasons
                .push(format!("coverage is {found} %, wanted are {wanted} %"));
        }
        self.passed &= self.reasons.is_empty();
    }

    /// How many cases failed.
    pub fn failed(&self) -> usize {
        self.cases.iter().filter(|case| !case.passed).count()
    }
}

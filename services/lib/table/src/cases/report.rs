//! The report of a test as text: what failed first, then what no case reaches.

use std::fmt;

use super::{CaseReport, CaseResult, Failure};
use crate::table::counted;

/// Most policies without a case that the text names.
const UNCOVERED_SHOWN: usize = 20;

impl fmt::Display for CaseReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for case in self.cases.iter().filter(|case| !case.passed) {
            writeln!(f, "{case}\n")?;
        }
        let failed = self.failed();
        if failed > 0 {
            writeln!(f, "{failed} of {} failed", counted(self.cases.len(), "case", "cases"))?;
        } else {
            let passed = if self.cases.len() == 1 { "passes" } else { "pass" };
            writeln!(f, "{} {passed}", counted(self.cases.len(), "case", "cases"))?;
        }
        let coverage = &self.coverage;
        let of = counted(coverage.policies, "policy", "policies");
        writeln!(
            f,
            "coverage {} %: {} of {of} applied",
            coverage.percent, coverage.covered
        )?;
        for uncovered in coverage.uncovered.iter().take(UNCOVERED_SHOWN) {
            writeln!(
                f,
                "  policies.toml:{}: {} applied in no case",
                uncovered.line, uncovered.policy
            )?;
        }
        match coverage.uncovered.len().checked_sub(UNCOVERED_SHOWN) {
            None | Some(0) => Ok(()),
            Some(more) => writeln!(f, "  and {more} more"),
        }
    }
}

/// A case that failed, with the command that tells all about it.
impl fmt::Display for CaseResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cases.toml:{}: {}", self.line, self.name)?;
        for failure in &self.failures {
            write!(f, "\n{failure}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |values: &[String]| match values {
            [] => "none".to_owned(),
            values => values.join(", "),
        };
        writeln!(f, "  {}: expected {}", self.key, list(&self.expected))?;
        let width = self.key.chars().count() + 2 + "expected".len();
        write!(f, "  {:>width$} {}", "found", list(&self.found))?;
        if self.why.is_empty() {
            Ok(())
        } else {
            write!(f, "\n    {}", self.why)
        }
    }
}

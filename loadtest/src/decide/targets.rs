//! The numbers to reach, and which of them this run did.

use serde::Serialize;

use super::report::Report;

/// Rows up to which compile time and size have targets.
const ROWS_MAX: usize = 610_000;

/// One number to reach.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Target {
    pub(crate) what: &'static str,
    /// The bound and its unit.
    pub(crate) target: &'static str,
    pub(crate) found: f64,
    pub(crate) is_met: bool,
}

/// The targets that the run says something about.
pub(crate) fn targets(report: &Report) -> Vec<Target> {
    let (deciding, compiled) = (&report.deciding, &report.compiled);
    let least = |what, target, found: f64, bound: f64| Target {
        what,
        target,
        found,
        is_met: found >= bound,
    };
    let most = |what, target, found: f64, bound: f64| Target {
        what,
        target,
        found,
        is_met: found <= bound,
    };
    let mut targets = vec![
        least(
            "decisions a second on one core",
            ">= 2000000",
            deciding.decisions_per_second,
            2e6,
        ),
        most("p99 of a decision", "<= 2000 ns", deciding.latency.p99_ns, 2_000.0),
        most("allocations of a decision", "0", deciding.allocations.per_decision, 0.0),
        least("faster than the reference", ">= 10 times", report.reference.ratio, 10.0),
    ];
    if report.rows <= ROWS_MAX {
        targets.push(most("check and compile", "<= 1 s", compiled.seconds, 1.0));
        targets.push(most(
            "compiled table",
            "<= 60 MB",
            compiled.table_bytes as f64 / 1e6,
            60.0,
        ));
    }
    if let Some(growth) = &report.growth {
        targets.push(most(
            "growth over 100 times the rows",
            "<= 1.5 times",
            growth.ratio,
            1.5,
        ));
    }
    if let Some(swapping) = &report.swapping {
        targets.push(most(
            "p99.9 while swapping",
            "<= 2 times quiet",
            swapping.p999_ratio,
            2.0,
        ));
    }
    targets
}

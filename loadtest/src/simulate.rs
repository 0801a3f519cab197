//! The pipeline simulated over many seeds: what was promised to customers is held against what came of it.
//!
//! Ingest, routers, connectors and carriers run in one process under virtual time, with faults; a seed fixes all of it. One
//! seed by itself is told step by step.

pub mod args;
mod report;

use std::{io::Write, process::ExitCode};

use service::time;
use testkit::{Report as Run, Scenario};

use crate::printed;

pub use args::Args;
pub use report::Report;

/// How often the number of seeds done is said while they run.
const SAID_EVERY: u64 = 500;
/// Failing seeds that are told in full; of the others the number is.
const TOLD_MAX: usize = 5;
/// Messages over which the cost of one is taken.
const BUDGET_MESSAGES: u64 = 300;

/// Runs what `args` ask for and prints it. Exit code 1: a promise was broken.
///
/// # Errors
/// The output cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let report = match args.seed {
        Some(seed) => one(seed, args)?,
        None => many(args),
    };
    printed::print(&report, args.json)?;
    Ok(if report.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// One seed, step by step.
fn one(seed: u64, args: &Args) -> anyhow::Result<Report> {
    let started = time::now();
    let run = testkit::run(&Scenario::draw(seed).told());
    let mut report = Report::default();
    if !args.json {
        let mut out = std::io::stdout().lock();
        let is_wanted = |step: &&testkit::Step| args.message.as_ref().is_none_or(|id| step.concerns(id));
        for step in run.steps.iter().filter(is_wanted) {
            writeln!(out, "{step}")?;
        }
    }
    report.add(run, TOLD_MAX);
    report.close(started.elapsed());
    Ok(report)
}

fn many(args: &Args) -> Report {
    let started = time::now();
    let mut report = Report::default();
    testkit::simulate_all(args.first..args.first.saturating_add(args.seeds), |run: Run| {
        if !run.findings.is_empty() {
            eprintln!("seed {} broke {} promises", run.seed, run.findings.len());
        }
        report.add(run, TOLD_MAX);
        if report.seeds.is_multiple_of(SAID_EVERY) {
            eprintln!(
                "{} of {} seeds, {:.0} s",
                report.seeds,
                args.seeds,
                started.elapsed().as_secs_f64()
            );
        }
        !args.fail_fast || report.is_clean()
    });
    report.close(started.elapsed());
    report.budget = Some(testkit::budget(BUDGET_MESSAGES));
    report
}

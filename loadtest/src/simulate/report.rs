//! What many runs came to, for people and as JSON.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::Serialize;
use testkit::{Budget, Report as Run};

/// What many runs came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Runs.
    pub seeds: u64,
    /// Broken promises, of all runs.
    pub violations: usize,
    /// The same by rule.
    pub by_rule: BTreeMap<&'static str, usize>,
    /// Runs with a broken promise, in order.
    pub failing_seeds: Vec<u64>,
    /// By the clock of the runs, all together.
    pub simulated_hours: f64,
    /// By ours.
    pub real_seconds: f64,
    /// How much faster than real time this is.
    pub simulated_hours_per_second: f64,
    /// What the runs consisted of, all together, by name.
    pub counts: BTreeMap<String, usize>,
    /// Of the messages that carriers took, the percentage that they took under more than one order.
    pub taken_twice_percent: f64,
    /// What a delivered message costs; absent = not counted.
    pub budget: Option<Budget>,
    /// The first runs with a broken promise, for people.
    #[serde(skip)]
    told: Vec<Run>,
}

impl Report {
    /// Adds a run. `told_max` = runs with a finding that are kept for people.
    pub(super) fn add(&mut self, run: Run, told_max: usize) {
        self.seeds += 1;
        self.simulated_hours += run.simulated.as_secs_f64() / 3_600.0;
        for (name, count) in &run.counts {
            *self.counts.entry(name.clone()).or_insert(0) += count;
        }
        if run.findings.is_empty() {
            return;
        }
        self.violations += run.findings.len();
        for finding in &run.findings {
            *self.by_rule.entry(finding.rule).or_insert(0) += 1;
        }
        self.failing_seeds.push(run.seed);
        self.failing_seeds.sort_unstable();
        if self.told.len() < told_max {
            self.told.push(run);
        }
    }

    /// No run is added any more; they took `real`.
    pub(super) fn close(&mut self, real: Duration) {
        self.real_seconds = real.as_secs_f64();
        self.simulated_hours_per_second = self.simulated_hours / self.real_seconds.max(f64::MIN_POSITIVE);
        let (taken, twice) = (self.count("taken"), self.count("taken_twice"));
        self.taken_twice_percent = 100.0 * twice as f64 / taken.max(1) as f64;
    }

    fn count(&self, name: &str) -> usize {
        self.counts.get(name).copied().unwrap_or(0)
    }

    /// Whether every promise was kept.
    pub fn is_clean(&self) -> bool {
        self.violations == 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.told.iter().try_for_each(|run| write!(f, "{run}"))?;
        for (name, count) in &self.counts {
            writeln!(f, "{name:<24} {count:>10}")?;
        }
        if let Some(budget) = &self.budget {
            write!(f, "{budget}")?;
        }
        let (taken, twice, percent) = (self.count("taken"), self.count("taken_twice"), self.taken_twice_percent);
        writeln!(
            f,
            "carriers took {taken} messages, {twice} of them twice: {percent:.1} %"
        )?;
        let (seeds, violations) = (self.seeds, self.violations);
        writeln!(f, "{seeds} seeds, {violations} violations {:?}", self.by_rule)?;
        if !self.failing_seeds.is_empty() {
            writeln!(f, "failing seeds: {:?}", self.failing_seeds)?;
        }
        let (hours, seconds) = (self.simulated_hours, self.real_seconds);
        let speed = self.simulated_hours_per_second;
        writeln!(
            f,
            "{hours:.1} hours simulated in {seconds:.1} s: {speed:.2} hours a second"
        )
    }
}

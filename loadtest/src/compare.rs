//! Two results of [`bench`](crate::bench) beside each other: what changed, and whether by more than runs differ among themselves.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use serde::Serialize;

use crate::{bench::Report, printed, spread::Spread};

/// Say what changed from one result of `bench` to another.
///
/// A change stands out where every run of the one lies beyond every run of the other. Whether it is for the better is not judged.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The bench.json of before
    pub before: PathBuf,
    /// The bench.json of now
    pub after: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What changed between two results.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// On and with what the first was measured.
    pub before: String,
    /// The same of the second.
    pub after: String,
    /// Whether both were measured on machines that are alike; if not, only figures relative to the floor say something.
    pub is_same_machine: bool,
    /// What both measured.
    pub changes: Vec<Change>,
    /// What only the first measured.
    pub only_before: Vec<String>,
    /// What only the second measured.
    pub only_after: Vec<String>,
}

/// One figure, twice.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// What was measured, with its unit.
    pub what: String,
    /// The first time.
    pub before: Spread,
    /// The second time.
    pub after: Spread,
    /// Change of the median in percent; absent = it was 0 before.
    pub percent: Option<f64>,
    /// Whether all runs of the one lie beyond all runs of the other.
    pub stands_out: bool,
}

/// Compares as `args` say, and prints what changed.
///
/// # Errors
/// A file cannot be read, or is none of `bench`.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let comparison = Comparison::of(&read(&args.before)?, &read(&args.after)?);
    printed::print(&comparison, args.json)?;
    Ok(ExitCode::SUCCESS)
}

fn read(path: &Path) -> anyhow::Result<Report> {
    let text = fs::read(path).with_context(|| path.display().to_string())?;
    serde_json::from_slice(&text).with_context(|| format!("{}: not a bench.json of this version", path.display()))
}

impl Comparison {
    /// What changed from `before` to `after`.
    pub fn of(before: &Report, after: &Report) -> Self {
        let (names, first) = figures(before);
        let (names_after, second) = figures(after);
        let known: BTreeSet<_> = names.iter().collect();
        let change = |what: &String| Some(Change::of(what, *first.get(what)?, *second.get(what)?));
        Self {
            before: before.setting.to_string(),
            after: after.setting.to_string(),
            is_same_machine: before.setting.machine == after.setting.machine,
            changes: names.iter().filter_map(change).collect(),
            only_before: names
                .iter()
                .filter(|what| !second.contains_key(*what))
                .cloned()
                .collect(),
            only_after: names_after
                .iter()
                .filter(|what| !known.contains(what))
                .cloned()
                .collect(),
        }
    }
}

impl Change {
    fn of(what: &str, before: Spread, after: Spread) -> Self {
        let percent = 100.0 * (after.median - before.median) / before.median;
        Self {
            what: what.to_owned(),
            percent: percent.is_finite().then_some(percent),
            stands_out: after.low > before.high || after.high < before.low,
            before,
            after,
        }
    }
}

/// Every figure of `report` by its name, and the names in their order: the rows, then what a message costs in each process.
fn figures(report: &Report) -> (Vec<String>, BTreeMap<String, Spread>) {
    let rows = report
        .rows
        .iter()
        .map(|row| (format!("{} {}", row.what, row.unit).trim_end().to_owned(), row.measured));
    let costs = report.buses.iter().flat_map(|bus| {
        let named = move |(name, cost)| (format!("{}: {name}, µs of a message", bus.word()), cost);
        let floor = ("the floor".to_owned(), bus.floor.processor_us_all);
        bus.processor_us().into_iter().chain([floor]).map(named)
    });
    let figures: Vec<_> = rows.chain(costs).collect();
    let names = figures.iter().map(|(name, _)| name.clone()).collect();
    (names, figures.into_iter().collect())
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "before: {}\nnow:    {}",
            self.before.trim_end(),
            self.after.trim_end()
        )?;
        if !self.is_same_machine {
            writeln!(
                f,
                "\nThe machines differ: only what is a multiple of the floor can be compared."
            )?;
        }
        writeln!(f, "\n{:<76} {:>34} {:>34} {:>9}", "what", "before", "now", "change")?;
        for Change {
            what,
            before,
            after,
            percent,
            stands_out,
        } in &self.changes
        {
            let percent = percent.map_or_else(|| "-".to_owned(), |percent| format!("{percent:+.1} %"));
            let mark = if *stands_out { " *" } else { "" };
            let (before, after) = (shown(before), shown(after));
            writeln!(f, "{what:<76} {before:>34} {after:>34} {percent:>9}{mark}")?;
        }
        writeln!(f, "\n* all runs of the one lie beyond all runs of the other")?;
        for (word, whats) in [("before", &self.only_before), ("now", &self.only_after)] {
            for what in whats {
                writeln!(f, "only {word}: {what}")?;
            }
        }
        Ok(())
    }
}

/// With as many places as its size asks for.
fn shown(spread: &Spread) -> String {
    let places = if spread.median < 100.0 { 2 } else { 0 };
    format!("{spread:.places$}")
}

#[cfg(test)]
mod tests;

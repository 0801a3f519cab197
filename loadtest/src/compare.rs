//! Two results of [`bench`](mod@crate::bench), or of one [`scenario`], beside each other: what changed, and whether by more than runs
//! differ among themselves.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use crate::{bench, printed, scenario, setting::Setting, spread::Spread};

/// Say what changed from one result of `bench`, or of a scenario, to another.
///
/// A change stands out where every run of the one lies beyond every run of the other; of single runs none does. Whether it is for
/// the better is not judged.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The bench.json of before, or that of a scenario
    pub before: PathBuf,
    /// The same of now
    pub after: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// A result of either kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Measured {
    /// Of [`bench`](mod@bench).
    Bench(Box<bench::Report>),
    /// Of a scenario.
    Scenario(Box<scenario::Report>),
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
/// A file cannot be read, or is no result, or the two are of different things.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (before, after) = (read(&args.before)?, read(&args.after)?);
    let [first, second] = [before.what(), after.what()];
    ensure!(
        first == second,
        "{} is of {first} and {} of {second}: give two of the same",
        args.before.display(),
        args.after.display()
    );
    let comparison = Comparison::of(&before, &after);
    printed::print(&comparison, args.json)?;
    Ok(ExitCode::SUCCESS)
}

fn read(path: &Path) -> anyhow::Result<Measured> {
    let text = fs::read(path).with_context(|| path.display().to_string())?;
    serde_json::from_slice(&text).with_context(|| {
        format!(
            "{}: no result of bench or of a scenario of this version",
            path.display()
        )
    })
}

impl Measured {
    /// What it is of.
    fn what(&self) -> String {
        match self {
            Self::Bench(_) => "bench".to_owned(),
            Self::Scenario(report) => format!("{} over {}", report.scenario, report.bus.words()),
        }
    }

    fn setting(&self) -> &Setting {
        match self {
            Self::Bench(report) => &report.setting,
            Self::Scenario(report) => &report.setting,
        }
    }

    /// Every figure by its name, and the names in their order.
    fn figures(&self) -> (Vec<String>, BTreeMap<String, Spread>) {
        let figures = match self {
            Self::Bench(report) => report.figures(),
            Self::Scenario(report) => report.figures(),
        };
        let names = figures.iter().map(|(name, _)| name.clone()).collect();
        (names, figures.into_iter().collect())
    }
}

impl Comparison {
    /// What changed from `before` to `after`.
    pub fn of(before: &Measured, after: &Measured) -> Self {
        let (names, first) = before.figures();
        let (names_after, second) = after.figures();
        let known: BTreeSet<_> = names.iter().collect();
        let change = |what: &String| Some(Change::of(what, *first.get(what)?, *second.get(what)?));
        Self {
            before: before.setting().to_string(),
            after: after.setting().to_string(),
            is_same_machine: before.setting().machine == after.setting().machine,
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
        // Of two single runs one always lies beyond the other.
        let has_runs = before.runs + after.runs > 2;
        Self {
            what: what.to_owned(),
            percent: percent.is_finite().then_some(percent),
            stands_out: has_runs && (after.low > before.high || after.high < before.low),
            before,
            after,
        }
    }
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

//! The rows of the routing table, measured by `decide` in processes of its own: no other's memory is in the way.

use std::{collections::BTreeMap, env, process::Stdio};

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use tokio::process::Command;

use super::Args;
use crate::{
    row::{Bound, Row},
    spread::Spread,
};

/// Rounds of each of its runs, as its figures are medians themselves.
const ROUNDS: &str = "3";

/// What one run of `decide` says of the numbers to reach.
#[derive(Deserialize)]
struct Decided {
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    what: String,
    target: String,
    found: f64,
}

/// Runs it as often as everything else.
pub(super) async fn rows(args: &Args) -> anyhow::Result<Vec<Row>> {
    let mut runs = Vec::new();
    for number in 1..=args.runs {
        super::say(&format!("deciding: run {number} of {}", args.runs));
        runs.push(run(args).await?);
    }
    gather(&runs)
}

async fn run(args: &Args) -> anyhow::Result<Decided> {
    let program = match &args.loadtest {
        Some(named) => named.clone(),
        None => env::current_exe()?,
    };
    let output = Command::new(program)
        .args(["decide", "--growth", "--swap", "--json", "--rounds", ROUNDS])
        .args(["--seed", &args.seed.to_string()])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "decide ended with {}: {said}", output.status);
    serde_json::from_slice(&output.stdout).context("decide said something else")
}

/// Reads `>= 10 times`, `<= 1 s`, or a bare number that may not be passed.
fn bound(target: &str) -> Option<(Bound, String)> {
    let (sign, rest) = target.split_once(' ').unwrap_or(("<=", target));
    let (number, unit) = rest.split_once(' ').unwrap_or((rest, ""));
    let number = number.parse().ok()?;
    let bound = match sign {
        ">=" => Bound::AtLeast(number),
        "<=" => Bound::AtMost(number),
        _ => return None,
    };
    Some((bound, unit.to_owned()))
}

/// One row for each number, in the order in which they are told.
fn gather(runs: &[Decided]) -> anyhow::Result<Vec<Row>> {
    let mut figures: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for target in runs.iter().flat_map(|run| &run.targets) {
        figures.entry(&target.what).or_default().push(target.found);
    }
    let row = |target: &Target| {
        let (bound, unit) = bound(&target.target).with_context(|| format!("decide asks for \"{}\"", target.target))?;
        let measured = Spread::of(figures.remove(target.what.as_str()).unwrap_or_default());
        Ok(Row {
            what: format!("deciding: {}", target.what),
            bound,
            unit,
            measured: measured.with_context(|| format!("decide tells \"{}\" twice", target.what))?,
            places: if target.found < 100.0 { 2 } else { 0 },
        })
    };
    runs.first().into_iter().flat_map(|run| &run.targets).map(row).collect()
}

#[cfg(test)]
mod tests;

//! A figure that was measured several times.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::decide::clock::median;

/// The median of a figure over several runs, and how far apart these were.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// In the middle; of an even number of runs the upper of both.
    pub median: f64,
    /// The lowest.
    pub low: f64,
    /// The highest.
    pub high: f64,
    /// How many runs there were.
    pub runs: usize,
}

impl Spread {
    /// Of `figures`; `None` = there are none.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let figures: Vec<f64> = figures.into_iter().collect();
        let runs = figures.len();
        let low = figures.iter().copied().min_by(f64::total_cmp)?;
        let high = figures.iter().copied().max_by(f64::total_cmp)?;
        Some(Self {
            median: median(figures),
            low,
            high,
            runs,
        })
    }

    /// Of each name over runs; one that a run does not know was 0 there.
    pub fn by_name<'a>(runs: impl Iterator<Item = &'a BTreeMap<String, f64>> + Clone) -> BTreeMap<String, Self> {
        let names = runs.clone().flat_map(BTreeMap::keys);
        let of = |name: &String| Self::of(runs.clone().map(|run| run.get(name).copied().unwrap_or(0.0)));
        names.filter_map(|name| Some((name.clone(), of(name)?))).collect()
    }
}

impl fmt::Display for Spread {
    /// With as many places as the formatter is told, or none: `20113 (19800 to 20400)`; of one run the figure alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self { median, low, high, .. }, places) = (self, f.precision().unwrap_or(0));
        if self.runs == 1 {
            return write!(f, "{median:.places$}");
        }
        write!(f, "{median:.places$} ({low:.places$} to {high:.places$})")
    }
}

#[cfg(test)]
mod tests;

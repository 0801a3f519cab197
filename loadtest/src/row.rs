//! A number to reach, and whether it was.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::spread::Spread;

/// One number to reach.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// What was measured.
    pub what: String,
    /// The bound.
    pub bound: Bound,
    /// The unit of both.
    pub unit: String,
    /// What this machine did.
    pub measured: Spread,
    /// Digits behind the point.
    pub places: usize,
}

/// What a figure must be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// No less.
    AtLeast(f64),
    /// No more.
    AtMost(f64),
}

impl Row {
    /// Whether the median reached it.
    pub fn is_met(&self) -> bool {
        match self.bound {
            Bound::AtLeast(bound) => self.measured.median >= bound,
            Bound::AtMost(bound) => self.measured.median <= bound,
        }
    }

    /// The verdict in a word.
    pub fn verdict(&self) -> &'static str {
        if self.is_met() { "met" } else { "MISSED" }
    }

    /// The bound with its unit.
    pub fn target(&self) -> String {
        let (sign, bound) = match self.bound {
            Bound::AtLeast(bound) => ("≥", bound),
            Bound::AtMost(bound) => ("≤", bound),
        };
        format!("{sign} {bound} {}", self.unit).trim_end().to_owned()
    }

    /// What was measured, with its spread.
    pub fn found(&self) -> String {
        let places = self.places;
        format!("{:.places$}", self.measured)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, target, found) = (&self.what, self.target(), self.found());
        write!(f, "{what:<62} {target:<18} {found:<34} {}", self.verdict())
    }
}

#[cfg(test)]
mod tests;

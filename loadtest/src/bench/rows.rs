//! The numbers to reach, and whether this run did.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    Args,
    report::{Occasion, OnBus, memory_growth},
};
use crate::{chaos::args::Bus, spread::Spread};

/// Messages a second from end to end.
const EMBEDDED_MIN: f64 = 20_000.0;
const KAFKA_MIN: f64 = 8_000.0;
/// Milliseconds from accepted to the carrier at half that load.
const P50_MS_MAX: f64 = 5.0;
const P99_MS_MAX: f64 = 25.0;
/// Megabytes of a service at full load.
const MEMORY_MB_MAX: f64 = 300.0;
/// What is as much more at the end is still flat.
const GROWTH_MAX: f64 = 1.1;
/// What a message may cost, as a multiple of the floor.
const RATIO_MAX: f64 = 3.0;

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

/// The rows that the runs say something about: those of the routing table first.
pub(super) fn rows(buses: &[OnBus], decide: Vec<Row>, args: &Args) -> Vec<Row> {
    let mut rows = decide;
    for bus in buses {
        rows.extend(of_bus(bus, args).into_iter().flatten());
    }
    rows
}

fn of_bus(bus: &OnBus, args: &Args) -> [Option<Row>; 6] {
    let word = bus.word();
    let throughput = match bus.bus {
        Bus::Embedded => EMBEDDED_MIN,
        Bus::Kafka => KAFKA_MIN,
    };
    let row = |what: String, bound, unit: &str, places, measured: Option<Spread>| {
        Some(Row {
            what,
            bound,
            unit: unit.to_owned(),
            measured: measured?,
            places,
        })
    };
    // Over Kafka nothing is promised of latency.
    let half = || bus.steady(Occasion::HalfLoad).filter(|_| bus.bus == Bus::Embedded);
    let rate = args.steady_rate;
    let growth = Spread::of(bus.steady(Occasion::Soak).filter_map(memory_growth));
    [
        row(
            format!("{word}: gRPC in → SMPP carrier → receipt back"),
            Bound::AtLeast(throughput),
            "messages/s",
            0,
            bus.per_second(),
        ),
        row(
            format!("{word}: accepted → carrier has it, at {rate}/s, p50"),
            Bound::AtMost(P50_MS_MAX),
            "ms",
            1,
            Spread::of(half().map(|run| run.to_carrier.p50_ms)),
        ),
        row(
            format!("{word}: accepted → carrier has it, at {rate}/s, p99"),
            Bound::AtMost(P99_MS_MAX),
            "ms",
            1,
            Spread::of(half().map(|run| run.to_carrier.p99_ms)),
        ),
        row(
            format!("{word}: most memory of a service at full load"),
            Bound::AtMost(MEMORY_MB_MAX),
            "MB",
            0,
            bus.memory_mb_max(),
        ),
        row(
            format!(
                "{word}: memory at the end ÷ at the beginning, {} min",
                args.soak_minutes
            ),
            Bound::AtMost(GROWTH_MAX),
            "",
            2,
            growth,
        ),
        row(
            format!("{word}: processor time of a message ÷ the floor's"),
            Bound::AtMost(RATIO_MAX),
            "",
            2,
            bus.ratio(),
        ),
    ]
}

#[cfg(test)]
mod tests;

//! What was found, for people and as JSON.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::pipeline::Run;
use crate::{chaos::args::Bus, relay::Floor, row::Row, setting::Setting, spread::Spread, watch::largest_service};

/// Processes that make the load and take it: what they cost is not the router's.
const WORLD: [&str; 3] = ["bench", "load", "carriers"];

/// Everything that was found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// On what, and with what.
    pub setting: Setting,
    /// The numbers to reach.
    pub rows: Vec<Row>,
    /// Every run, by what carried messages.
    pub buses: Vec<OnBus>,
}

/// What was found over one log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OnBus {
    /// Which one.
    pub bus: Bus,
    /// Runs with more messages at once than can be carried.
    pub full: Vec<Run>,
    /// Runs at a steady rate.
    pub steady: Vec<Steady>,
    /// What moving the octets costs.
    pub floor: Floor,
}

/// A run at a steady rate.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Steady {
    /// What for.
    pub what: Occasion,
    /// What was found.
    pub run: Run,
}

/// What a steady run is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// Latency where the router has time.
    HalfLoad,
    /// Memory over a long time.
    Soak,
}

impl fmt::Display for Occasion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HalfLoad => "half load",
            Self::Soak => "a long time at four fifths",
        })
    }
}

impl OnBus {
    /// What carried messages, in a word.
    pub fn word(&self) -> &'static str {
        match self.bus {
            Bus::Embedded => "embedded",
            Bus::Kafka => "Kafka, Redis",
        }
    }

    /// Messages a second at full load; absent = there was no run.
    pub fn per_second(&self) -> Option<Spread> {
        Spread::of(self.full.iter().map(|run| run.per_second))
    }

    /// Microseconds of one core for each message at full load, by process, without those of the world.
    pub fn processor_us(&self) -> BTreeMap<String, Spread> {
        let mut spreads = Spread::by_name(self.full.iter().map(|run| &run.processor_us));
        spreads.retain(|name, _| is_counted(name));
        spreads
    }

    /// Those of all of them; absent = there was no run.
    pub fn processor_us_all(&self) -> Option<Spread> {
        Spread::of(self.full.iter().map(cost))
    }

    /// How many times the floor a message costs; absent = there was no run.
    pub fn ratio(&self) -> Option<Spread> {
        let floor = self.floor.processor_us_all.median;
        Spread::of(self.full.iter().map(|run| cost(run) / floor))
    }

    /// The throughput as a share of the floor's; absent = there was no run.
    pub fn share(&self) -> Option<Spread> {
        let floor = self.floor.per_second.median;
        Spread::of(self.full.iter().map(|run| run.per_second / floor))
    }

    /// The most memory that one of our processes had in each run at full load; absent = there was no run.
    pub fn memory_mb_max(&self) -> Option<Spread> {
        Spread::of(self.full.iter().map(memory_mb_max))
    }

    /// What was not as it should be in any run, in words; empty = nothing.
    pub fn blemishes(&self) -> Vec<String> {
        let steady = self.steady.iter().map(|steady| &steady.run);
        let runs = self.full.iter().chain(steady);
        let told = runs.filter(|run| run.undelivered + run.doubled > 0).map(|run| {
            let (rate, undelivered, doubled) = (run.load.rate_asked, run.undelivered, run.doubled);
            format!("NOT CLEAN: a run with {rate} messages/s asked: {undelivered} not delivered, {doubled} at a carrier twice")
        });
        told.collect()
    }

    /// The runs for `what`.
    pub fn steady(&self, what: Occasion) -> impl Iterator<Item = &Run> + Clone {
        let of_it = move |steady: &&Steady| steady.what == what;
        self.steady.iter().filter(of_it).map(|steady| &steady.run)
    }
}

/// Whether what a process costs is paid for the messages.
fn is_counted(name: &str) -> bool {
    !WORLD.contains(&name)
}

/// Microseconds of one core for each message, without those of the world.
fn cost(run: &Run) -> f64 {
    let counted = run.processor_us.iter().filter(|(name, _)| is_counted(name));
    counted.map(|(_, micros)| micros).sum()
}

fn memory_mb_max(run: &Run) -> f64 {
    largest_service(&run.memory_mb_max)
}

/// How much more memory our largest process had in the last fifth of the samples than in the second; 1 = as much; absent = there
/// are too few.
pub(super) fn memory_growth(run: &Run) -> Option<f64> {
    let largest = run.samples.iter().map(|sample| largest_service(&sample.memory_mb));
    let memory: Vec<f64> = largest.collect();
    let fifth = memory.len() / 5;
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    (fifth > 0).then(|| mean(&memory[memory.len() - fifth..]) / mean(&memory[fifth..2 * fifth]))
}

impl Report {
    /// Every figure with its name: the rows, then what a message costs in each process.
    pub fn figures(&self) -> Vec<(String, Spread)> {
        let rows = self
            .rows
            .iter()
            .map(|row| (format!("{} {}", row.what, row.unit).trim_end().to_owned(), row.measured));
        let costs = self.buses.iter().flat_map(|bus| {
            let named = move |(name, cost)| (format!("{}: {name}, µs of a message", bus.word()), cost);
            let floor = ("the floor".to_owned(), bus.floor.processor_us_all);
            bus.processor_us().into_iter().chain([floor]).map(named)
        });
        rows.chain(costs).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.setting)?;
        writeln!(f, "{:<62} {:<18} {:<34} verdict", "what", "target", "measured")?;
        for row in &self.rows {
            writeln!(f, "{row}")?;
        }
        for bus in &self.buses {
            writeln!(f)?;
            write!(f, "{bus}")?;
        }
        writeln!(
            f,
            "\nMedians, and in brackets the lowest and the highest run. Simulated: the customer and the carriers, whose answers take 2 to\n\
             8 ms and whose receipts come 50 to 250 ms later. Messages have one segment. Both ran on the same cores as what is measured."
        )
    }
}

impl fmt::Display for OnBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "processor time of a message over {}, µs of one core", self.word())?;
        for (name, cost) in self.processor_us() {
            writeln!(f, "  {name:<24} {cost:.1}")?;
        }
        if let (Some(all), Some(ratio)) = (self.processor_us_all(), self.ratio()) {
            writeln!(f, "  {:<24} {all:.1}", "all")?;
            writeln!(
                f,
                "  {:<24} {:.1}, at {:.0} messages/s",
                "the floor", self.floor.processor_us_all, self.floor.per_second
            )?;
            writeln!(f, "  {:<24} {ratio:.2}", "times the floor")?;
        }
        self.blemishes()
            .iter()
            .try_for_each(|blemish| writeln!(f, "  {blemish}"))?;
        let Some(run) = self.steady(Occasion::HalfLoad).next() else {
            return Ok(());
        };
        writeln!(f, "where messages were at {} a second, first run", run.load.rate_asked)?;
        writeln!(f, "  {:<58} {}", "due → OK", run.load.latency)?;
        for hop in &run.hops {
            writeln!(f, "  {:<58} {}", hop.what, hop.latency)?;
        }
        if let Some(receipts) = &run.load.receipts {
            writeln!(f, "  {:<58} {}", "due → receipt", receipts.latency_delivered)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

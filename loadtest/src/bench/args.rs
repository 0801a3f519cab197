//! What is to be measured.

use std::path::PathBuf;

use anyhow::ensure;

use super::{
    pipeline::{Load, Run},
    report::Occasion,
};
use crate::{chaos::args::Bus, relay};

/// Messages a second of the row about latency: half of the throughput that is to be reached.
const STEADY_RATE: u32 = 10_000;
/// Share of its own throughput at which a router is watched for long, in hundredths.
const SOAK_PERCENT: f64 = 80.0;
/// Most messages of a run that is to be quick.
const QUICK_MESSAGES: u64 = 100_000;

/// Measure the numbers to reach, each beside the floor: throughput from end to end, latency at half load, memory, deciding.
///
/// Load generator and carriers are processes of their own on this machine; the messages have one segment and want a receipt.
/// Writes bench.json and report.html. Whether a number is reached changes nothing of the exit code, as machines differ.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Two minutes: full load and its floor alone; over the embedded log, if no other is asked for, they are held against what is
    /// committed, and a regression fails
    #[arg(long)]
    pub quick: bool,
    /// What carries messages; Kafka, one broker of it, and Redis are started for it. Both if not given
    #[arg(long, value_enum, value_delimiter = ',')]
    pub bus: Vec<Bus>,
    /// Runs of each kind; every figure is the median over them
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub runs: usize,
    /// Messages of a run at full load over the embedded log; over Kafka two fifths of them
    #[arg(long, value_name = "N", default_value_t = 200_000)]
    pub messages: u64,
    /// Messages a second that are handed over at full load: more than can be carried
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub rate: u32,
    /// Messages a second at which latency is measured over the embedded log; half of what was reached over Kafka
    #[arg(long, value_name = "N", default_value_t = STEADY_RATE)]
    pub steady_rate: u32,
    /// Seconds of each of these runs; 0 = none
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub steady_seconds: u64,
    /// Minutes at four fifths of the throughput that was reached, to see whether memory is flat; 0 = none
    #[arg(long, value_name = "N", default_value_t = 0.0)]
    pub soak_minutes: f64,
    /// Leave out the routing table by itself
    #[arg(long)]
    pub no_decide: bool,
    /// Seed of recipients and texts
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Where the report is written
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    pub out: PathBuf,
    /// What `--quick` is held against
    #[arg(long, value_name = "FILE", default_value = "loadtest/results/quick.toml")]
    pub baseline: PathBuf,
    /// Write what was found as what later runs are held against
    #[arg(long, value_name = "FILE", requires = "quick")]
    pub write_baseline: Option<PathBuf>,
    /// The binary to measure; `signalbox` beside this one if not given. Times want a release build
    #[arg(long, value_name = "FILE")]
    pub signalbox: Option<PathBuf>,
    /// The binary of load generator and carriers; this one if not given
    #[arg(long, value_name = "FILE")]
    pub loadtest: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl Args {
    /// Refuses what cannot be measured.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        ensure!(
            self.runs > 0 && self.messages > 0 && self.rate > 0,
            "runs, messages and rate are from 1 up"
        );
        ensure!(self.steady_rate > 0, "the steady rate is from 1 up");
        ensure!(
            self.soak_minutes.is_finite() && self.soak_minutes >= 0.0,
            "minutes are from 0 up"
        );
        Ok(())
    }

    /// These with `--quick` carried out.
    #[must_use]
    pub fn settled(mut self) -> Self {
        if self.bus.is_empty() {
            self.bus = match self.quick {
                true => vec![Bus::Embedded],
                false => vec![Bus::Embedded, Bus::Kafka],
            };
        }
        if self.quick {
            self.messages = self.messages.min(QUICK_MESSAGES);
            self.steady_seconds = 0;
            self.soak_minutes = 0.0;
            self.no_decide = true;
        }
        self
    }

    /// Messages of a run at full load.
    pub(super) fn messages(&self, bus: Bus) -> u64 {
        match bus {
            Bus::Embedded => self.messages,
            // The ratio of the two throughputs that are to be reached, so that runs take as long.
            Bus::Kafka => (self.messages * 2).div_ceil(5),
        }
    }

    /// Loads at which latency and memory are measured once the throughput is known from `full`.
    pub(super) fn steady_loads(&self, bus: Bus, full: &[Run]) -> Vec<(Occasion, Load)> {
        let reached = full.iter().map(|run| run.per_second);
        let reached = crate::spread::Spread::of(reached).map_or(0.0, |spread| spread.median);
        let load = |per_second: u32, seconds: f64| Load {
            messages: (f64::from(per_second) * seconds).ceil() as u64,
            per_second,
            seed: self.seed,
        };
        let half = match bus {
            Bus::Embedded => self.steady_rate,
            Bus::Kafka => self.steady_rate.min((reached / 2.0) as u32).max(1),
        };
        let mut loads = Vec::new();
        if self.steady_seconds > 0 {
            loads.push((Occasion::HalfLoad, load(half, self.steady_seconds as f64)));
        }
        if self.soak_minutes > 0.0 {
            let rate = ((reached * SOAK_PERCENT / 100.0) as u32).max(1);
            loads.push((Occasion::Soak, load(rate, self.soak_minutes * 60.0)));
        }
        loads
    }

    /// Runs of that kind.
    pub(super) fn runs_of(&self, what: Occasion) -> usize {
        match what {
            Occasion::HalfLoad => self.runs,
            Occasion::Soak => 1,
        }
    }

    /// Whether the routing table is measured by itself.
    pub(super) fn decides(&self) -> bool {
        !self.no_decide
    }

    /// The floor of the same run.
    pub(super) fn relay(&self, bus: Bus) -> relay::Args {
        relay::Args {
            bus,
            messages: self.messages(bus),
            rounds: self.runs,
            seed: self.seed,
            json: false,
        }
    }
}

#[cfg(test)]
mod tests;

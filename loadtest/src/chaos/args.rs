//! What the run is told.

use std::path::PathBuf;

use super::fault::Kind;

/// What carries messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bus {
    /// The log in the process: `signalbox standalone`.
    Embedded,
    /// Three brokers of Apache Kafka, and Redis; roles in processes of their own, two of each.
    Kafka,
}

impl Bus {
    /// What it is, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Embedded => "the embedded log",
            Self::Kafka => "Kafka and Redis",
        }
    }
}

/// Break real processes, links, brokers and disks under load, and check the books afterwards.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// What carries messages
    #[arg(long, value_enum, default_value = "embedded")]
    pub bus: Bus,
    /// How long faults come, in minutes
    #[arg(long, default_value_t = 1.0)]
    pub minutes: f64,
    /// Messages a second
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub rate: u32,
    /// Seconds between two faults
    #[arg(long, default_value_t = 5.0)]
    pub every: f64,
    /// Seed of messages and faults
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Only these faults, such as kill,link-cut; all that there can be if not given
    #[arg(long, value_delimiter = ',')]
    pub faults: Vec<Kind>,
    /// The binary under test; `signalbox` beside this one if not given
    #[arg(long)]
    pub signalbox: Option<PathBuf>,
    /// Leaves logs, configurations and carriers' logs in this folder
    #[arg(long)]
    pub keep: Option<PathBuf>,
    /// Writes the report for programs
    #[arg(long)]
    pub json: bool,
}

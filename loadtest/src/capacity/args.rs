//! What the measurement is told.

use std::path::PathBuf;

/// Measure what a message costs over a real Apache Kafka and Redis, which are started for it: one process of each role, a carrier that
/// takes everything.
///
/// What is found is committed as loadtest/src/capacity/measured.toml, which `signalbox capacity` computes from.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Messages of each kind whose octets are measured
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(500..=1_000_000))]
    pub messages: u32,
    /// Messages a second of these; the slower, the smaller are batches and the less they are compressed
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(10..=20_000))]
    pub rate: u32,
    /// Messages whose processor time is measured
    #[arg(long, value_name = "N", default_value_t = 60_000, value_parser = clap::value_parser!(u32).range(500..=1_000_000))]
    pub busy_messages: u32,
    /// Messages a second of these
    #[arg(long, value_name = "N", default_value_t = 3_000, value_parser = clap::value_parser!(u32).range(10..=20_000))]
    pub busy_rate: u32,
    /// Seed of texts
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// The binary to measure; `signalbox` beside this one if not given. Processor times want a release build
    #[arg(long, value_name = "FILE")]
    pub signalbox: Option<PathBuf>,
    /// Print JSON
    #[arg(long, conflicts_with = "toml")]
    pub json: bool,
    /// Print what is to be committed
    #[arg(long)]
    pub toml: bool,
}

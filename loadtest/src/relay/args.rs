//! What the relay is told.

use crate::chaos::args::Bus;

/// Move the octets of real messages through as many durable hops as the router has, and decide nothing.
///
/// A closed loop: its throughput and its processor time are a floor, and it says nothing of latencies.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// What carries messages; Kafka, one broker of it, and Redis are started for it
    #[arg(long, value_enum, default_value = "embedded")]
    pub bus: Bus,
    /// Messages of each round
    #[arg(long, value_name = "N", default_value_t = 200_000)]
    pub messages: u64,
    /// Rounds; every figure is the median over them
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub rounds: usize,
    /// Seed of texts
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

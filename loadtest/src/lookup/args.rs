//! `signalbox-loadtest lookup`: how fast it is known who serves a number.

/// Looks numbers up in memory, in the shared store, and at a steady rate with a simulated provider behind.
///
/// Nobody is asked but this machine. Whether a target is met changes nothing of the exit code, as machines differ.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Numbers in memory
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub numbers: usize,
    /// Numbers on the list of ported ones
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub ported: usize,
    /// Numbers in the shared store
    #[arg(long, value_name = "N", default_value_t = 500_000)]
    pub stored: usize,
    /// Rounds over memory and store; every figure is the median over them
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub rounds: usize,
    /// Messages a second at the steady rate
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub rate: u64,
    /// How long that goes on
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub seconds: u64,
    /// Of a hundred of these messages, those to numbers in memory
    #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(u64).range(0..=100))]
    pub hits: u64,
    /// What the simulated provider takes for an answer
    #[arg(long, value_name = "MS", default_value_t = 100)]
    pub latency: u64,
    /// Also with the shared store in this Redis, which must be a fresh one
    #[arg(long, value_name = "URL", env = "SIGNALBOX_REDIS", hide_env_values = true)]
    pub redis: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

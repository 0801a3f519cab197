//! `signalbox-loadtest link`: how fast PDUs are written and read, and how fast one link is.

/// Writes and reads PDUs on one core, and submits messages over one SMPP link to a carrier in this process that answers at once.
///
/// Exits 1 where a target is missed: 2,000,000 PDUs a second each way, and 40,000 messages a second with a window of 1,000.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// PDUs of each kind written, and read, in a round
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub pdus: usize,
    /// Messages submitted in a round
    #[arg(long, value_name = "N", default_value_t = 400_000)]
    pub messages: u64,
    /// Messages that may be unanswered
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub window: u32,
    /// Rounds; every figure is the median over them
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub rounds: usize,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

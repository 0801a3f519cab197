//! `signalbox-loadtest simulate`: seeds, and how much is told of them.

/// Runs the whole pipeline under faults, in virtual time, once for each seed, and judges what became of every message.
///
/// Exit code 1: a promise was broken; the first seeds that broke one are told with the lives of their messages.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Seeds to run
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub seeds: u64,
    /// The first of them
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub first: u64,
    /// Run this seed alone, and tell every step of it
    #[arg(long, env = "SIM_SEED", value_name = "N")]
    pub seed: Option<u64>,
    /// With --seed: tell only the steps of this message
    #[arg(long, value_name = "ID", requires = "seed")]
    pub message: Option<sms::MessageId>,
    /// Begin no further seed once one broke a promise
    #[arg(long)]
    pub fail_fast: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

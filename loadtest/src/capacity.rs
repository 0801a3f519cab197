//! What a message costs: octets of the log, memory of the store and processor time of each role, measured on real processes over
//! Apache Kafka and Redis and committed, so that what an installation needs is computed from what was found and not from guesses.

pub mod args;
mod costs;
mod letters;
mod report;
mod rig;
mod rounds;

use std::process::ExitCode;

pub use args::Args;
pub use costs::{Cost, Costs, Mix, StoreCosts, Taken, Work};
use rig::Rig;
pub use rounds::encoded;

/// Messages of the simulation by which octets before compression are counted.
pub const ENCODED_MESSAGES: u64 = 100;

/// Measures as `args` say, and prints what was found.
///
/// # Errors
/// Something cannot be had or started, or is too slow for the rate that was asked for.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    // In a runtime of its own, under virtual time.
    let encoded = encoded();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let costs = runtime.block_on(async {
        let mut rig = Rig::start(args).await?;
        let costs = rounds::measure(&mut rig, args, encoded).await;
        rig.stop().await?;
        costs
    })?;
    report::print(&costs, args)?;
    Ok(ExitCode::SUCCESS)
}

//! The floor: the octets of real messages through as many durable hops as the router has, with the same operations of the store in
//! the same batches, and nothing else. What the router costs beyond it is its own doing; what it costs is not.

pub mod args;
mod engines;
mod hops;
mod letters;
mod report;
mod rounds;
mod topics;

use std::process::ExitCode;

use anyhow::ensure;

pub use args::Args;
pub use engines::Engines;
pub use report::{Floor, Round};

use crate::{chaos::args::Bus, printed, stage};

/// Records of one message.
pub const RECORDS: u64 = 5;

/// Measures as `args` say, and prints what was found.
///
/// # Errors
/// Those of [`measure`], or what it runs on cannot be had or started.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let floor = runtime.block_on(async {
        match args.bus {
            Bus::Embedded => measure(Engines::embedded()?, args).await,
            Bus::Kafka => {
                // Kept until everything that uses them has ended.
                let (kafka, redis) = stage::start_backing().await?;
                measure(Engines::apart(&kafka.bootstrap(), &redis.url()).await?, args).await
            }
        }
    })?;
    printed::print(&floor, args.json)?;
    Ok(ExitCode::SUCCESS)
}

/// Moves messages over `engines`, first a round that makes everything warm, then those that count.
///
/// # Errors
/// A size is out of range, log or store is away, or a message did not arrive as often as it should.
pub async fn measure(engines: Engines, args: &Args) -> anyhow::Result<Floor> {
    ensure!(
        args.messages > 0 && args.rounds > 0,
        "messages and rounds are from 1 up"
    );
    rounds::measure(engines, args).await
}

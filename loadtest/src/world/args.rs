//! `signalbox-loadtest world`: writes a routing table of invented carriers over the real numbering plan.

use std::path::PathBuf;

use anyhow::Result;

use super::{carriers, write_table};

/// Writes a routing table: the real mobile numbering plan, and carriers, prices and policies that are invented.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Carriers, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 24)]
    pub carriers: usize,
    /// Directory to write into; made if it is not there
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Share of the plan's prefixes that each carrier prices by themselves, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.85)]
    pub coverage: f64,
    /// The same seed gives the same table
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

/// Writes the table and says what is in it.
///
/// # Errors
/// Those of [`write_table`].
pub fn run(args: &Args) -> Result<()> {
    let written = write_table(&args.out, &carriers(args.carriers)?, args.coverage, args.seed)?;
    println!(
        "{}: {} carriers (invented), {} prefixes (real), {} rates (invented)",
        args.out.display(),
        written.carriers,
        written.prefixes,
        written.rates
    );
    Ok(())
}

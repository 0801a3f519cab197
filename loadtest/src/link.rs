//! SMPP under measurement: PDUs written and read, and one link of the connector to a carrier that answers at once.

pub mod args;
mod carrier;
mod codec;
mod flow;
mod messages;
mod report;

use std::process::ExitCode;

use anyhow::{Result, ensure};

pub use args::Args;
pub use report::Report;

use crate::{decide::clock, printed};

/// Runs the measurement that `args` ask for and prints it. Exit code 0 only if every target is met.
///
/// # Errors
/// Those of [`measure`].
pub fn run(args: &Args) -> Result<ExitCode> {
    let report = measure(args)?;
    printed::print(&report, args.json)?;
    Ok(ExitCode::from(u8::from(!report.is_met())))
}

/// Runs the measurement and returns what it found, to be printed or serialized.
///
/// # Errors
/// Sizes out of range, a PDU that is not read as it was written, or a link that does not come up or loses a message.
pub fn measure(args: &Args) -> Result<Report> {
    ensure!(args.pdus > 0 && args.rounds > 0, "pdus and rounds are from 1 up");
    ensure!(args.messages > 0, "messages are from 1 up");
    let load_average = clock::load_average();
    let codec = codec::codec(args.pdus, args.rounds)?;
    let flow = flow::flow(args)?;
    Ok(Report {
        load_average,
        targets: report::targets(&codec, &flow),
        codec,
        flow,
    })
}

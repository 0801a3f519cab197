//! `signalbox-loadtest`: writes routing tables of invented carriers, plays a carrier, and submits messages in open loop.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use signalbox_loadtest::{smsc, submit, world};

/// Load generator and carrier simulator of Signalbox. Talks to this machine only.
#[derive(Debug, Parser)]
#[command(name = "signalbox-loadtest", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Play a carrier that speaks SMPP
    Smsc(Box<smsc::args::Args>),
    /// Submit messages at a steady rate and report latencies
    Submit(Box<submit::args::Args>),
    /// Write a routing table of invented carriers over the real numbering plan
    World(world::args::Args),
}

fn main() -> anyhow::Result<ExitCode> {
    match Cli::parse().command {
        Command::Smsc(args) => smsc::args::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Submit(args) => runtime()?.block_on(submit::args::run(*args)),
        Command::World(args) => world::args::run(&args).map(|()| ExitCode::SUCCESS),
    }
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

//! `signalbox-loadtest`: writes routing tables of invented carriers, plays a carrier, and submits messages in open loop.

use clap::{Parser, Subcommand};
use signalbox_loadtest::world;

/// Load generator and carrier simulator of Signalbox. Talks to this machine only.
#[derive(Debug, Parser)]
#[command(name = "signalbox-loadtest", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a routing table of invented carriers over the real numbering plan
    World(world::args::Args),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::World(args) => world::args::run(&args),
    }
}

//! `signalbox-loadtest`: writes routing tables of invented carriers, plays a carrier, submits messages in open
//! loop, measures how fast a routing table decides and numbers are looked up, and simulates the whole pipeline under faults.

use std::process::ExitCode;

use cap::Cap;
use clap::{Parser, Subcommand};
use mimalloc::MiMalloc;
use signalbox_loadtest::{
    bench, capacity, chaos, compare, decide, link, lookup, relay, scenario, simulate, smsc, submit, world,
};

/// The allocator of the router, and counters around it: a table's size and what a decision allocates are counted, not guessed.
#[global_allocator]
static HEAP: Cap<MiMalloc> = Cap::new(MiMalloc, usize::MAX);

/// Load generator and carrier simulator of Signalbox. Talks to this machine only.
#[derive(Debug, Parser)]
#[command(name = "signalbox-loadtest", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure the numbers to reach, each beside the floor: throughput, latency, memory, deciding
    Bench(Box<bench::Args>),
    /// Measure what a message costs over Apache Kafka and Redis: octets of the log, memory of the store, processor time
    Capacity(capacity::Args),
    /// Break real processes, links, brokers and disks under load, and check the books afterwards
    Chaos(chaos::Args),
    /// Say what changed from one result of bench to another
    Compare(compare::Args),
    /// Measure how fast a large routing table compiles and decides, against a straightforward reference
    Decide(decide::Args),
    /// Measure how fast PDUs of SMPP are written and read, and messages submitted over one link
    Link(link::Args),
    /// Measure how fast it is known who serves a number
    Lookup(lookup::Args),
    /// Measure the floor: the octets of messages through as many durable hops, and nothing decided
    Relay(relay::Args),
    /// Play scenarios from files: load, carriers, mishaps and goals, judged by the books
    Scenario(scenario::Args),
    /// Run the whole pipeline under faults in virtual time, and judge what became of every message
    Simulate(simulate::Args),
    /// Play a carrier that speaks SMPP
    Smsc(Box<smsc::args::Args>),
    /// Submit messages at a steady rate and report latencies
    Submit(Box<submit::args::Args>),
    /// Write a routing table of invented carriers over the real numbering plan
    World(world::args::Args),
}

fn main() -> anyhow::Result<ExitCode> {
    match Cli::parse().command {
        Command::Bench(args) => bench::run(*args),
        Command::Capacity(args) => capacity::run(&args),
        Command::Chaos(args) => chaos::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Decide(args) => decide::run(&args, &HEAP),
        Command::Link(args) => link::run(&args),
        Command::Lookup(args) => lookup::run(&args, &HEAP),
        Command::Relay(args) => relay::run(&args),
        Command::Scenario(args) => scenario::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Smsc(args) => smsc::args::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Submit(args) => runtime()?.block_on(submit::args::run(*args)),
        Command::World(args) => world::args::run(&args).map(|()| ExitCode::SUCCESS),
    }
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

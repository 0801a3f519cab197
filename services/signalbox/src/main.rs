//! The one binary: every role of the router, and the tools around it.

use std::process::ExitCode;

use clap::Parser;

mod ask;
mod capacity;
mod cli;
mod client;
mod config;
mod dead;
mod demo;
mod inbound;
mod link;
mod lookup;
mod quote;
mod roles;
mod send;
mod table;
mod terminal;
mod topics;
mod trace;
mod traces;

/// A message makes and drops dozens of small values on several threads, which the system's allocator pays dearly for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit codes, as `sysexits.h` names them where it does.
pub(crate) mod exit {
    /// The finding is negative: an invalid table, a failed case, a message that was not delivered.
    pub(crate) const NEGATIVE: u8 = 1;
    /// Wrong usage or configuration.
    pub(crate) const USAGE: u8 = 64;
    /// A dependency is away.
    pub(crate) const UNAVAILABLE: u8 = 69;
}

fn main() -> ExitCode {
    let arguments = match cli::Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { exit::USAGE } else { 0 });
        }
    };
    let done = match arguments.command {
        cli::Command::Ingest(service) => roles::main(service, roles::Roles::INGEST),
        cli::Command::Router(service) => roles::main(service, roles::Roles::ROUTER),
        cli::Command::Connector(service) => roles::main(service, roles::Roles::CONNECTOR),
        cli::Command::Standalone(service) => roles::main(service, roles::Roles::ALL),
        cli::Command::Table(command) => table::main(command),
        cli::Command::Quote(quote) => quote::main(quote),
        cli::Command::Lookup(lookup) => lookup::main(lookup),
        cli::Command::Send(send) => send::main(send),
        cli::Command::Inbound(command) => inbound::main(command),
        cli::Command::Trace(trace) => trace::main(trace),
        cli::Command::Dead(command) => dead::main(command),
        cli::Command::Link(command) => link::main(command),
        cli::Command::Topics(command) => topics::main(command),
        cli::Command::Capacity(asked) => capacity::main(&asked),
        cli::Command::Demo(demo) => demo::main(demo),
    };
    done.unwrap_or_else(|error| {
        eprintln!("signalbox: {error:#}");
        ExitCode::from(if is_away(&error) {
            exit::UNAVAILABLE
        } else {
            exit::USAGE
        })
    })
}

/// Whether what went wrong may go well another time with the same words and files: a server is away, or a disk is full. Those who
/// start a process again leave it be where its configuration is wrong.
fn is_away(error: &anyhow::Error) -> bool {
    let is_of_disk =
        |cause: &(dyn std::error::Error + 'static)| matches!(cause.downcast_ref(), Some(disk::DiskError::Failed(_)));
    error.is::<client::Away>() || error.chain().any(is_of_disk)
}

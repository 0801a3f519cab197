//! A carrier of one's own: speaks SMPP over TCP, answers and sends receipts as told, errs as told, and keeps a log of
//! all it was given.
//!
//! [`Smsc::start`] runs it in this process, [`args::run`] as a process that can be killed. What it decides follows from
//! its seed. Before an answer leaves, its message is in the log, so a killed carrier's log holds all it answered for.
//! Receipts wait while no client is bound and come again until a client takes them; a carrier started again on the log
//! of a killed one sends those that are missing.

pub mod args;
mod carrier;
mod config;
mod counts;
mod inbound;
mod link;
mod log;
mod manners;
mod reassembly;
mod receipts;
mod received;
mod run;

pub use config::{Arrival, Behaviour, Config, ConfigError, Delay, IdStyle, IdStyles, ReceiptMix};
pub use counts::Counts;
pub use inbound::inbound;
pub use log::{LogError, read_log, read_receipts, scan_log};
pub use manners::{ReceiptChances, Wave};
pub use reassembly::{Reassembled, Taken, reassemble};
pub use received::{Receipted, Received};
pub use run::{Handle, Smsc};

#[cfg(test)]
mod tests;

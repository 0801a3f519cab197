//! Holds the links to carriers: takes orders from the log, submits them, reports what became of them and hands receipts
//! on.
//!
//! Each link has a pump, which owns the order of things, and a task behind it, which moves octets and time. An order is
//! claimed in the store before a part of it may reach a carrier; its batch is acked once its outcome is safe on the log;
//! a receipt is replied to once it is. What a kind of link must do stands in `CONNECTORS.md`.

mod absent;
mod account;
mod action;
mod alphabet;
mod aside;
mod backoff;
pub mod caretaker;
mod claims;
mod config;
mod control;
mod correlations;
mod directive;
mod epochs;
mod fault;
#[cfg(test)]
mod fixture;
mod flight;
mod grpc;
mod grpc_link;
mod heartbeat;
mod http_link;
mod inbound;
mod intake;
mod lanes;
mod lease;
mod ledger;
mod link;
mod links;
mod maps;
mod meter;
mod metrics;
mod origin;
mod outbox;
mod outcome;
mod parts;
pub mod probe;
mod pump;
mod quota;
mod rate;
mod receipts;
mod roster;
mod run;
mod silence;
pub mod simulator;
mod smpp_link;
mod spans;
mod trouble;
mod vitals;
mod window;

pub use action::{Action, ActionError, Rule};
pub use alphabet::Alphabet;
pub use config::{
    CARRIERS_PER_LINK_MAX, Config, DRAIN_LIMIT_DEFAULT, LINKS_MAX, LinkConfig, LinkKind, RATE_MAX,
    WINDOW_SLOTS_DEFAULT, WINDOW_SLOTS_MAX,
};
pub use fault::FaultMap;
pub use grpc::{LinkControl, Listener};
pub use grpc_link::GrpcConfig;
pub use heartbeat::HEARTBEAT;
pub use http_link::HttpConfig;
pub use inbound::InboundRules;
pub use lease::{Incarnation, LEASE, LEASE_RENEWAL};
pub use links::read_links;
pub use outcome::{GrpcAnswer, HttpCode, OutcomeMap, Outcomes, UNMAPPED};
pub use parts::Concatenation;
pub use run::{Deps, Error, run, run_on};
pub use smpp_link::{BINDS_MAX, Binds, Numbering, SmppConfig, TlsConfig, Validity};

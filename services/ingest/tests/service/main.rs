//! The service as a customer meets it: a real server on a real socket and a real client, over a bus and a store in memory.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod auth;
mod away;
mod busy;
mod fields;
mod idempotency;
mod inbound;
mod limits;
mod receipts;
mod rig;
mod server;
mod status;
mod stream;

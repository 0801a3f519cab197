//! One process on the embedded log, and its carriers over sockets.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod failover;
mod http_carrier;
mod inbound;
mod link;
mod passwords;
mod rig;

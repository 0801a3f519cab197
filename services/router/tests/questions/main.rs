//! `RoutingService` over a real socket: a router on log and store in memory, asked as a client asks.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod answers;
mod dead;
mod lookups;
mod refusals;
mod rig;
mod server;
mod tables;

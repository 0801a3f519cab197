//! What processes say of themselves while messages flow: metrics to a real Prometheus, logs, and traces to a collector.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod collector;
mod load;
mod logs;
mod rig;
mod scrape;
mod traces;

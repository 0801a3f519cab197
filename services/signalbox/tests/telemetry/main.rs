//! What processes say of themselves while messages flow: metrics to a real Prometheus, and logs.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod load;
mod logs;
mod rig;
mod scrape;

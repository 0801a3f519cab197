//! The store in a Redis keeps every guarantee.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

#[path = "rig/fixture.rs"]
mod fixture;

use fixture::{OnRedis, durable};

store::conformance_suite!(OnRedis::new(durable()));

//! The chain under virtual time: who is asked, how often, and what is remembered.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod asking;
mod keeping;
mod limits;
mod scene;
mod sharing;

//! How a measurement is told: to people, or as JSON.

use std::fmt::Display;

use anyhow::Result;
use serde::Serialize;

/// Prints `report`, as JSON if `is_json`.
///
/// # Errors
/// It cannot be written as JSON.
pub(crate) fn print(report: &(impl Display + Serialize), is_json: bool) -> Result<()> {
    if is_json {
        println!("{}", serde_json::to_string_pretty(report)?);
    } else {
        print!("{report}");
    }
    Ok(())
}

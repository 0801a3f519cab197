//! `signalbox capacity`: what an installation needs for so many messages a second, computed from what a message was measured to cost.

use std::process::ExitCode;

use signalbox_loadtest::capacity::Costs;

use crate::cli::Capacity;

mod plan;
mod shown;

use plan::Plan;

/// Prints the plan, with how it was computed.
///
/// # Errors
/// What is asked for is beyond what the roles take, with what to ask for instead.
pub(crate) fn main(asked: &Capacity) -> anyhow::Result<ExitCode> {
    let costs = Costs::committed()?;
    let plan = Plan::new(asked, &costs)?;
    if asked.json {
        println!(
            "{}",
            serde_json::to_string_pretty(&shown::object(asked, &plan, &costs))?
        );
    } else {
        print!(
            "{}",
            shown::Page {
                plan: &plan,
                costs: &costs
            }
        );
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests;

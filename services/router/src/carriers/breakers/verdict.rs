//! What an answer says about the carrier that gave it.

use std::time::Duration;

use journey::{Cause, OrderAnswer, Outcome};

/// Who had less time to answer was not silent: the link was lost, or the connector died with its orders.
const SILENCE: Duration = Duration::from_secs(1);

/// Causes that speak of the carrier. Others speak of the message (a bad number, a sender that is not allowed) or ask for
/// patience, and words that an operator's map brings say nothing here.
const FAULTS: [&str; 8] = [
    "delivery_failed",
    "queue_full",
    "submit_failed",
    "system_error",
    "temporary",
    "throttled",
    "unknown_error",
    "unmapped",
];

/// What an answer says about whoever gave it: true = it takes messages; `None` = nothing.
pub(super) fn verdict(answer: &OrderAnswer) -> Option<bool> {
    let speaks_of_carrier = |cause: &Cause| FAULTS.contains(&cause.code.as_str());
    match &answer.outcome {
        Outcome::Accepted { .. } => Some(true),
        Outcome::Unknown { since } => (answer.at.since(*since) >= SILENCE).then_some(false),
        Outcome::Next { cause } => speaks_of_carrier(cause).then_some(false),
        // A hold asks for patience, a failure speaks of the message, and of links their connectors speak.
        Outcome::Hold { .. } | Outcome::Fail { .. } | Outcome::LinkDown { .. } => None,
    }
}

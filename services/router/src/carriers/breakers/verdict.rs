//! What an answer says about the carrier that gave it.

use journey::{Cause, Outcome};

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
pub(super) fn verdict(outcome: &Outcome) -> Option<bool> {
    let speaks_of_carrier = |cause: &Cause| FAULTS.contains(&cause.code.as_str());
    match outcome {
        Outcome::Accepted { .. } => Some(true),
        Outcome::Unknown { .. } => Some(false),
        Outcome::Next { cause } => speaks_of_carrier(cause).then_some(false),
        // A hold asks for patience, a failure speaks of the message, and of links their connectors speak.
        Outcome::Hold { .. } | Outcome::Fail { .. } | Outcome::LinkDown { .. } => None,
    }
}

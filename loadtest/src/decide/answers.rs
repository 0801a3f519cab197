//! What a decision comes to, read in one place.

use table::Decision;

/// A number that follows from the answer, so that no compiler can leave the work out.
pub(crate) fn trace(decision: &Decision<'_>) -> u64 {
    let first = decision.candidates.first().map_or(0, |one| one.cost.0 as u64);
    first + decision.candidates.len() as u64
}

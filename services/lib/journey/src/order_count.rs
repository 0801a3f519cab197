//! Keeps the history of a message bounded.

use crate::{ATTEMPTS_KEPT_MAX, Attempt};

/// Leaves out the oldest attempts that spent nothing until the history fits.
pub(crate) fn trim(attempts: &mut Vec<Attempt>) {
    let mut surplus = attempts.len().saturating_sub(ATTEMPTS_KEPT_MAX);
    attempts.retain(|attempt| {
        let goes = surplus > 0 && !attempt.spent;
        surplus -= usize::from(goes);
        !goes
    });
}

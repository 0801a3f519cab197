//! What a customer was promised against what came of it: [`Evidence`] is what carriers and the log say of each message, [`Verdict`]
//! holds it against the customer's ledger. What was accepted ends once, and nothing goes twice but where an answer was lost and the
//! class allows it.

mod evidence;
mod verdict;

pub(crate) use evidence::{Evidence, Take};
pub(crate) use verdict::Verdict;

//! What a call of a carrier says of parts it took.

use std::time::Duration;

use sms::{Receipt, ReceiptState};

use super::{
    answer,
    fields::Entry,
    hook::{Field, ReceiptShape},
};
use crate::{maps::Maps, metrics};

/// Characters kept of the carrier's own words, each.
const WORD_CHARS_MAX: usize = 32;

/// Words for states that mean the same wherever they are used, in lower case. A link's `receipt_states` come before them.
const STATES: &[(&str, ReceiptState)] = &[
    ("accepted", ReceiptState::Accepted),
    ("acceptd", ReceiptState::Accepted),
    ("queued", ReceiptState::Accepted),
    ("pending", ReceiptState::Accepted),
    ("buffered", ReceiptState::Enroute),
    ("dispatched", ReceiptState::Enroute),
    ("enroute", ReceiptState::Enroute),
    ("sending", ReceiptState::Enroute),
    ("sent", ReceiptState::Enroute),
    ("submitted", ReceiptState::Enroute),
    ("delivered", ReceiptState::Delivered),
    ("delivrd", ReceiptState::Delivered),
    ("expired", ReceiptState::Expired),
    ("deleted", ReceiptState::Deleted),
    ("failed", ReceiptState::Undeliverable),
    ("undelivered", ReceiptState::Undeliverable),
    ("undeliverable", ReceiptState::Undeliverable),
    ("undeliv", ReceiptState::Undeliverable),
    ("rejected", ReceiptState::Rejected),
    ("rejectd", ReceiptState::Rejected),
    ("unknown", ReceiptState::Unknown),
];

/// The id of the part and the receipt; `None` = the entry names no message or no state.
pub(super) fn read(shape: &ReceiptShape, link: &str, maps: &Maps, entry: Entry<'_>) -> Option<(String, Receipt)> {
    let id = answer::id(entry.text(&shape.id).map(|id| id.into_owned()))?;
    let id = shape.ids.of_receipt(&id);
    let word = entry.text(&shape.status)?;
    if id.is_empty() {
        return None;
    }
    let own = maps.faults.word(&word);
    let said = own.map(|(state, _)| state).or_else(|| common(&word));
    if said.is_none() {
        metrics::unmapped(link, "receipt_state");
    }
    // A word that nobody knows ends nothing: it may well mean that the message is on its way.
    let state = said.unwrap_or(ReceiptState::Enroute);
    let error = short(&entry.text(&shape.error).unwrap_or_default());
    let blamed = own.and_then(|(_, fault)| fault);
    if blamed.is_none() && maps.faults.is_unmapped(state, &error, None) {
        metrics::unmapped(link, "receipt_error");
    }
    let fault = blamed.unwrap_or_else(|| maps.faults.fault(state, &error, None));
    let raw = match error.is_empty() {
        true => short(&word),
        false => format!("{} {error}", short(&word)),
    };
    let done_at = match shape.done_at {
        Field::None => None,
        _ => entry.text(&shape.done_at).and_then(|text| shape.times.read(&text)),
    };
    let receipt = Receipt {
        state,
        fault,
        raw,
        error,
        done_at,
        vendor: Vec::new(),
    };
    Some((id, receipt))
}

fn common(word: &str) -> Option<ReceiptState> {
    let found = STATES.iter().find(|(known, _)| known.eq_ignore_ascii_case(word));
    found.map(|(_, state)| *state)
}

fn short(word: &str) -> String {
    word.chars().filter(|c| !c.is_control()).take(WORD_CHARS_MAX).collect()
}

/// How long a call is waited for at the most: carriers give up after 10 to 30 s.
pub(crate) const ANSWER_WITHIN_DEFAULT: Duration = Duration::from_secs(8);

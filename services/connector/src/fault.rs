//! Whom a negative receipt blames: a default by state and by the network's own error, and what one link's configuration
//! says of its carrier's codes.

use std::{borrow::Cow, collections::BTreeMap};

use smpp::NetworkError;
use sms::{ReceiptFault, ReceiptState};

/// `network_type` of GSM, whose errors are those of MAP (3GPP TS 29.002).
const GSM: u8 = 3;

/// Errors of MAP that blame something else than the handset.
const MAP_ERRORS: &[(u16, ReceiptFault)] = &[
    (1, ReceiptFault::Number),
    (9, ReceiptFault::Recipient),
    (11, ReceiptFault::Recipient),
    (12, ReceiptFault::Recipient),
    (13, ReceiptFault::Recipient),
    (21, ReceiptFault::Recipient),
    (34, ReceiptFault::Route),
    (35, ReceiptFault::Route),
    (36, ReceiptFault::Route),
];

/// Whom receipts of one link blame, and what its carrier's own words for states mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaultMap {
    errors: BTreeMap<String, ReceiptFault>,
    /// By the word in upper case.
    words: BTreeMap<String, (ReceiptState, Option<ReceiptFault>)>,
}

impl FaultMap {
    /// Says whom the carrier's code `error` blames. Leading zeros do not matter.
    pub fn set(&mut self, error: &str, fault: ReceiptFault) {
        self.errors.insert(canonical(error).into_owned(), fault);
    }

    /// Says which state the carrier means by `word`, and whom it blames; absent = what the code or the state says.
    pub fn set_word(&mut self, word: &str, state: ReceiptState, fault: Option<ReceiptFault>) {
        self.words.insert(word.to_ascii_uppercase(), (state, fault));
    }

    /// The state that the carrier means by `word`, and whom it blames; absent = the word says what it always says.
    pub fn word(&self, word: &str) -> Option<(ReceiptState, Option<ReceiptFault>)> {
        if self.words.is_empty() {
            return None;
        }
        self.words.get(&word.to_ascii_uppercase()).copied()
    }

    /// Whom a receipt blames: what the link says of its code, else what the network's error means, else the state: a
    /// rejection is the route's, anything else the handset's, so that doubt never sends a message twice.
    pub fn fault(&self, state: ReceiptState, error: &str, network: Option<NetworkError>) -> ReceiptFault {
        self.named(error, network).unwrap_or(match state {
            ReceiptState::Rejected => ReceiptFault::Route,
            _ => ReceiptFault::Handset,
        })
    }

    /// Whom the link says that its carrier's code `error` blames; absent = it says nothing of it.
    pub(crate) fn of_error(&self, error: &str) -> Option<ReceiptFault> {
        self.errors.get(&*canonical(error)).copied()
    }

    /// Whether a negative receipt brings a code of which nobody here knows whom it blames.
    pub fn is_unmapped(&self, state: ReceiptState, error: &str, network: Option<NetworkError>) -> bool {
        let is_negative = state.is_final() && state != ReceiptState::Delivered;
        is_negative && !error.trim_matches('0').is_empty() && self.named(error, network).is_none()
    }

    /// Whom the codes of a receipt name; absent = nobody.
    fn named(&self, error: &str, network: Option<NetworkError>) -> Option<ReceiptFault> {
        let mapped = || self.of_error(error);
        let by_network = || {
            let code = network.filter(|network| network.network == GSM)?.code;
            let named = MAP_ERRORS.iter().find(|(known, _)| *known == code);
            Some(named.map_or(ReceiptFault::Handset, |(_, fault)| *fault))
        };
        mapped().or_else(by_network)
    }
}

/// In lower case and without leading zeros; zeros alone are one.
fn canonical(error: &str) -> Cow<'_, str> {
    let digits = error.trim_start_matches('0');
    if digits.is_empty() && !error.is_empty() {
        Cow::Borrowed("0")
    } else if digits.bytes().any(|octet| octet.is_ascii_uppercase()) {
        Cow::Owned(digits.to_ascii_lowercase())
    } else {
        Cow::Borrowed(digits)
    }
}

#[cfg(test)]
mod tests;

//! Whom a negative receipt blames: a default by state and by the network's own error, and what one link's configuration
//! says of its carrier's codes.

use std::collections::BTreeMap;

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

/// Whom receipts of one link blame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaultMap(BTreeMap<String, ReceiptFault>);

impl FaultMap {
    /// Says whom the carrier's code `error` blames. Leading zeros do not matter.
    pub fn set(&mut self, error: &str, fault: ReceiptFault) {
        self.0.insert(canonical(error), fault);
    }

    /// Whom a receipt blames: what the link says of its code, else what the network's error means, else the state: a
    /// rejection is the route's, anything else the handset's, so that doubt never sends a message twice.
    pub fn fault(&self, state: ReceiptState, error: &str, network: Option<NetworkError>) -> ReceiptFault {
        let mapped = self.0.get(&canonical(error)).copied();
        let by_network = || {
            let code = network.filter(|network| network.network == GSM)?.code;
            Some(
                MAP_ERRORS
                    .iter()
                    .find(|(known, _)| *known == code)
                    .map_or(ReceiptFault::Handset, |(_, fault)| *fault),
            )
        };
        mapped.or_else(by_network).unwrap_or(match state {
            ReceiptState::Rejected => ReceiptFault::Route,
            _ => ReceiptFault::Handset,
        })
    }
}

fn canonical(error: &str) -> String {
    let digits = error.trim_start_matches('0');
    if digits.is_empty() && !error.is_empty() {
        "0".to_owned()
    } else {
        digits.to_ascii_lowercase()
    }
}

#[cfg(test)]
mod tests;

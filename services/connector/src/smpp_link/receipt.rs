//! What a `deliver_sm` says, in our words.

use smpp::{Deliver, DeliveryReceipt};
use sms::{Receipt, ReceiptState, VendorField};

use super::{Dialect, VENDOR_TAGS};
use crate::{maps::Maps, metrics};

/// Characters kept of the carrier's own words, each: real ones are under ten, and a body may hold 64 KiB of one.
const WORD_CHARS_MAX: usize = 32;

/// Fields of a carrier's own that are kept of one receipt, the first ones, and octets of each: they travel with the message.
const VENDOR_FIELDS_MAX: usize = 8;
const VENDOR_OCTETS_MAX: usize = 64;

/// The id of the part and the receipt; `None` = an inbound message.
pub(super) fn read(dialect: &Dialect, maps: &Maps, deliver: &Deliver) -> Option<(String, Receipt)> {
    let written = dialect
        .smpp
        .receipts
        .read(deliver)
        .or_else(|| unmarked(dialect, maps, deliver))?;
    let own = maps.faults.word(&written.stat);
    let said = own.map(|(state, _)| state).or(written.state);
    if said.is_none() {
        metrics::unmapped(&dialect.link, "receipt_state");
    }
    // A word that nobody knows ends nothing: carriers have their own for "on its way", and taking one for the end would
    // send a password again or lose the word that follows.
    let state = match said.unwrap_or(ReceiptState::Enroute) {
        // A notification on the way is told in the words of a receipt, and is none.
        state if deliver.is_intermediate() && state.is_final() => ReceiptState::Enroute,
        state => state,
    };
    let error = short(&written.error_code());
    let blamed = own.and_then(|(_, fault)| fault);
    if blamed.is_none() && maps.faults.is_unmapped(state, &error, written.network_error) {
        metrics::unmapped(&dialect.link, "receipt_error");
    }
    let fault = blamed.unwrap_or_else(|| maps.faults.fault(state, &error, written.network_error));
    let remote_id = written
        .id
        .as_deref()
        .map(|id| dialect.smpp.ids.of_receipt(id))
        .unwrap_or_default();
    let receipt = Receipt {
        state,
        fault,
        raw: raw(&written, &error),
        error,
        done_at: written.done_at,
        vendor: vendor(deliver),
    };
    Some((remote_id, receipt))
}

/// What the carrier says in fields of its own.
fn vendor(deliver: &Deliver) -> Vec<VendorField> {
    let own = deliver.tlvs.iter().filter(|tlv| VENDOR_TAGS.contains(&tlv.tag));
    own.take(VENDOR_FIELDS_MAX)
        .map(|tlv| VendorField {
            tag: tlv.tag,
            value: tlv.value.iter().copied().take(VENDOR_OCTETS_MAX).collect(),
        })
        .collect()
}

/// A receipt that does not say in `esm_class` that it is one, on links that have such.
fn unmarked(dialect: &Dialect, maps: &Maps, deliver: &Deliver) -> Option<DeliveryReceipt> {
    if !dialect.smpp.unmarked_receipts {
        return None;
    }
    let read = dialect.smpp.receipts.read_text(deliver.body.octets());
    let has_state = read.state.is_some() || maps.faults.word(&read.stat).is_some();
    (read.id.is_some() && has_state).then_some(read)
}

fn raw(written: &DeliveryReceipt, error: &str) -> String {
    let stat = short(&written.stat);
    if error.is_empty() {
        stat
    } else {
        format!("{stat} {error}")
    }
}

fn short(word: &str) -> String {
    word.chars().take(WORD_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests;

//! Delivery receipts: a text that every carrier writes its own way, and TLVs that mean what they say.
//!
//! The text is read by key and never by position; where a TLV tells the same thing, the TLV wins.

use sms::{ReceiptState, UnixMs};

use crate::pdu::{Deliver, Tlv, tag};
use crate::validity::unix_ms;

/// What a receipt says; everything the carrier left out is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryReceipt {
    /// The carrier's id of the message as it wrote it; see [`crate::IdFormats`].
    pub id: Option<String>,
    /// The state it reports.
    pub state: Option<ReceiptState>,
    /// `stat` as written, else the name of the TLV's state; empty = neither.
    pub stat: String,
    /// `err` as written, often a vendor's own code.
    pub error: Option<String>,
    /// The error code of the network, from its TLV.
    pub network_error: Option<NetworkError>,
    /// When the message was submitted, read as UTC.
    pub submitted_at: Option<UnixMs>,
    /// When it reached its state, read as UTC.
    pub done_at: Option<UnixMs>,
    /// How many parts were submitted.
    pub submitted_parts: Option<u32>,
    /// How many parts were delivered.
    pub delivered_parts: Option<u32>,
    /// First characters of the message, as the carrier repeats them.
    pub text: Option<String>,
}

/// The TLV `network_error_code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkError {
    /// Kind of network: 3 = GSM.
    pub network: u8,
    /// Its code.
    pub code: u16,
}

impl DeliveryReceipt {
    /// The error to show and to map: `err` if written, else the network's code in decimal; empty = none.
    pub fn error_code(&self) -> String {
        match (&self.error, self.network_error) {
            (Some(error), _) => error.clone(),
            (None, Some(network)) => network.code.to_string(),
            (None, None) => String::new(),
        }
    }
}

/// Reads a receipt or intermediate notification; absent where the `deliver_sm` is an ordinary message. For carriers that
/// do not mark their receipts in `esm_class`, see [`parse_receipt_text`].
pub fn parse_receipt(deliver: &Deliver) -> Option<DeliveryReceipt> {
    if !deliver.is_receipt() && !deliver.is_intermediate() {
        return None;
    }
    let mut receipt = parse_receipt_text(deliver.body.octets());
    apply_tlvs(&mut receipt, &deliver.tlvs);
    Some(receipt)
}

fn apply_tlvs(receipt: &mut DeliveryReceipt, tlvs: &[Tlv]) {
    if let Some(tlv) = Tlv::find(tlvs, tag::RECEIPTED_MESSAGE_ID) {
        let id = String::from_utf8_lossy(&tlv.value);
        let id = id.trim_matches(['\0', ' ']);
        if !id.is_empty() {
            receipt.id = Some(id.to_owned());
        }
    }
    let state = Tlv::find(tlvs, tag::MESSAGE_STATE).and_then(Tlv::as_number);
    if let Some((state, name)) = state.and_then(state_of_number) {
        receipt.state = Some(state);
        if receipt.stat.is_empty() {
            receipt.stat = name.to_owned();
        }
    }
    if let Some([network, high, low]) = Tlv::find(tlvs, tag::NETWORK_ERROR_CODE).map(|tlv| &*tlv.value) {
        receipt.network_error = Some(NetworkError {
            network: *network,
            code: u16::from_be_bytes([*high, *low]),
        });
    }
}

/// Reads the text of a receipt, whoever says that it is one; fields that are missing stay absent.
pub fn parse_receipt_text(octets: &[u8]) -> DeliveryReceipt {
    let text = String::from_utf8_lossy(octets);
    let text = text.trim_end_matches('\0');
    let mut receipt = DeliveryReceipt::default();
    let keys = keys(text);
    for (at, (key, start, _)) in keys.iter().enumerate() {
        let end = keys.get(at + 1).map_or(text.len(), |(_, _, next)| *next);
        set(&mut receipt, *key, text[*start..end].trim());
    }
    receipt
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Id,
    Sub,
    Delivered,
    SubmitDate,
    DoneDate,
    Stat,
    Error,
    Text,
}

/// Every spelling in use; longer ones before those they contain.
const SPELLINGS: &[(&str, Key)] = &[
    ("submit date:", Key::SubmitDate),
    ("submit_date:", Key::SubmitDate),
    ("submitdate:", Key::SubmitDate),
    ("done date:", Key::DoneDate),
    ("done_date:", Key::DoneDate),
    ("donedate:", Key::DoneDate),
    ("dlvrd:", Key::Delivered),
    ("status:", Key::Stat),
    ("stat:", Key::Stat),
    ("error:", Key::Error),
    ("err:", Key::Error),
    ("text:", Key::Text),
    ("sub:", Key::Sub),
    ("id:", Key::Id),
];

/// The keys in the text: what they are, where their value starts, and where they start themselves. `text` ends the
/// search, as what follows is the sender's own words, which may look like keys.
fn keys(text: &str) -> Vec<(Key, usize, usize)> {
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    let mut at = 0;
    while at < lower.len() {
        let is_start = at == 0
            || matches!(
                lower.as_bytes()[at - 1],
                b' ' | b'\t' | b'\r' | b'\n' | b',' | b';' | b'\0'
            );
        let spelled = SPELLINGS
            .iter()
            .find(|(name, _)| is_start && lower.as_bytes()[at..].starts_with(name.as_bytes()));
        let Some((name, key)) = spelled else {
            at += 1;
            continue;
        };
        found.push((*key, at + name.len(), at));
        if *key == Key::Text {
            break;
        }
        at += name.len();
    }
    found
}

/// Keeps the first value of each key.
fn set(receipt: &mut DeliveryReceipt, key: Key, value: &str) {
    let word = value
        .split([' ', ',', ';', '\r', '\n', '\t'])
        .next()
        .unwrap_or_default();
    if word.is_empty() && key != Key::Text {
        return;
    }
    match key {
        Key::Id => _ = receipt.id.get_or_insert_with(|| word.to_owned()),
        Key::Error => _ = receipt.error.get_or_insert_with(|| word.to_owned()),
        Key::Text => receipt.text = Some(value.to_owned()),
        Key::Stat if receipt.stat.is_empty() => {
            receipt.stat = word.to_owned();
            receipt.state = state_of_word(word);
        }
        Key::Stat => {}
        Key::Sub => receipt.submitted_parts = receipt.submitted_parts.or(word.parse().ok()),
        Key::Delivered => receipt.delivered_parts = receipt.delivered_parts.or(word.parse().ok()),
        Key::SubmitDate => receipt.submitted_at = receipt.submitted_at.or_else(|| receipt_date(word)),
        Key::DoneDate => receipt.done_at = receipt.done_at.or_else(|| receipt_date(word)),
    }
}

/// Reads a date of 10 (`YYMMDDhhmm`), 12 (`YYMMDDhhmmss`, or `YYYYMMDDhhmm` where that is the only reading) or 14
/// digits (`YYYYMMDDhhmmss`) as UTC; absent where it is none of them. Carriers do not tell their time zone.
pub fn receipt_date(text: &str) -> Option<UnixMs> {
    if !text.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, to: usize| text[from..to].parse::<u64>().ok();
    let short = |seconds: u64| {
        unix_ms(
            2000 + number(0, 2)?,
            number(2, 4)?,
            number(4, 6)?,
            number(6, 8)?,
            number(8, 10)?,
            seconds,
        )
    };
    let long = |seconds: u64| {
        unix_ms(
            number(0, 4)?,
            number(4, 6)?,
            number(6, 8)?,
            number(8, 10)?,
            number(10, 12)?,
            seconds,
        )
    };
    let ms = match text.len() {
        10 => short(0),
        12 => short(number(10, 12)?).or_else(|| long(0)),
        14 => long(number(12, 14)?),
        _ => None,
    };
    ms.map(UnixMs)
}

/// The state of `stat`, in any case and as far as carriers cut it.
fn state_of_word(word: &str) -> Option<ReceiptState> {
    let upper = word.to_ascii_uppercase();
    let stems = [
        ("DELIV", ReceiptState::Delivered),
        ("EXPIR", ReceiptState::Expired),
        ("DELET", ReceiptState::Deleted),
        ("UNDEL", ReceiptState::Undeliverable),
        ("ACCEP", ReceiptState::Accepted),
        ("ACKED", ReceiptState::Accepted),
        ("BUFFE", ReceiptState::Enroute),
        ("ENROU", ReceiptState::Enroute),
        ("SCHED", ReceiptState::Enroute),
        ("REJEC", ReceiptState::Rejected),
        ("FAILE", ReceiptState::Undeliverable),
        ("SKIPP", ReceiptState::Undeliverable),
        ("UNKNO", ReceiptState::Unknown),
    ];
    stems
        .into_iter()
        .find(|(stem, _)| upper.starts_with(stem))
        .map(|(_, state)| state)
}

/// The state of the TLV `message_state` (3.4 §5.2.28, 5.0 §4.7.15), with the word a receipt uses for it.
fn state_of_number(number: u32) -> Option<(ReceiptState, &'static str)> {
    let state = match number {
        0 => return Some((ReceiptState::Enroute, "SCHEDULED")),
        1 => ReceiptState::Enroute,
        2 => ReceiptState::Delivered,
        3 => ReceiptState::Expired,
        4 => ReceiptState::Deleted,
        5 => ReceiptState::Undeliverable,
        6 => ReceiptState::Accepted,
        7 => ReceiptState::Unknown,
        8 => ReceiptState::Rejected,
        9 => return Some((ReceiptState::Undeliverable, "SKIPPED")),
        _ => return None,
    };
    Some((state, state_name(state).0))
}

/// The word and the `message_state` number with which a receipt reports a state.
pub fn state_name(state: ReceiptState) -> (&'static str, u8) {
    match state {
        ReceiptState::Enroute => ("ENROUTE", 1),
        ReceiptState::Delivered => ("DELIVRD", 2),
        ReceiptState::Expired => ("EXPIRED", 3),
        ReceiptState::Deleted => ("DELETED", 4),
        ReceiptState::Undeliverable => ("UNDELIV", 5),
        ReceiptState::Accepted => ("ACCEPTD", 6),
        ReceiptState::Unknown => ("UNKNOWN", 7),
        ReceiptState::Rejected => ("REJECTD", 8),
    }
}

#[cfg(test)]
mod tests;

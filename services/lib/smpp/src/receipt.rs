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

/// How a carrier writes receipts where it differs from everybody's; the default is how most do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceiptFormat {
    /// What stands before a value, in lower case with its `:` or `=`, longest first.
    keys: Vec<(String, ReceiptKey)>,
    /// Minutes that its clock is ahead of UTC.
    zone_minutes: i32,
}

impl ReceiptFormat {
    /// Has the text before a value of `key` be `spelling` too, such as `msgid=`, in any case.
    pub fn spell(&mut self, key: ReceiptKey, spelling: &str) {
        self.keys.push((spelling.to_ascii_lowercase(), key));
        self.keys
            .sort_by(|(one, _), (other, _)| other.len().cmp(&one.len()).then(one.cmp(other)));
    }

    /// Takes dates for local time so many minutes ahead of UTC.
    pub fn set_zone(&mut self, minutes: i32) {
        self.zone_minutes = minutes;
    }

    /// Reads a receipt as [`parse_receipt`] does.
    pub fn read(&self, deliver: &Deliver) -> Option<DeliveryReceipt> {
        if !deliver.is_receipt() && !deliver.is_intermediate() {
            return None;
        }
        let mut receipt = self.read_text(deliver.body.octets());
        apply_tlvs(&mut receipt, &deliver.tlvs);
        Some(receipt)
    }

    /// Reads a text as [`parse_receipt_text`] does.
    pub fn read_text(&self, octets: &[u8]) -> DeliveryReceipt {
        let text = String::from_utf8_lossy(octets);
        let text = text.trim_end_matches('\0');
        let mut receipt = DeliveryReceipt::default();
        let keys = self.keys_in(text);
        for (at, (key, start, _)) in keys.iter().enumerate() {
            let end = keys.get(at + 1).map_or(text.len(), |(_, _, next)| *next);
            set(&mut receipt, *key, text[*start..end].trim());
        }
        for date in [&mut receipt.submitted_at, &mut receipt.done_at].into_iter().flatten() {
            let ahead_ms = i64::from(self.zone_minutes) * 60_000;
            date.0 = date.0.saturating_add_signed(-ahead_ms);
        }
        receipt
    }

    /// The keys in the text: what they are, where their value starts, and where they start themselves. `text` ends the
    /// search, as what follows is the sender's own words, which may look like keys.
    fn keys_in(&self, text: &str) -> Vec<(ReceiptKey, usize, usize)> {
        let lower = text.to_ascii_lowercase();
        let lower = lower.as_bytes();
        let own = self.keys.iter().map(|(name, key)| (name.as_str(), *key));
        let spellings = own.chain(SPELLINGS.iter().copied());
        let mut found = Vec::new();
        let mut at = 0;
        while at < lower.len() {
            let is_start = at == 0 || SEPARATORS.contains(&char::from(lower[at - 1]));
            let spelled = spellings
                .clone()
                .find(|(name, _)| is_start && lower[at..].starts_with(name.as_bytes()));
            let Some((name, key)) = spelled else {
                at += 1;
                continue;
            };
            found.push((key, at + name.len(), at));
            if key == ReceiptKey::Text {
                break;
            }
            at += name.len();
        }
        found
    }
}

/// Reads a receipt or intermediate notification; absent where the `deliver_sm` is an ordinary message. For carriers that
/// do not mark their receipts in `esm_class`, see [`parse_receipt_text`].
pub fn parse_receipt(deliver: &Deliver) -> Option<DeliveryReceipt> {
    ReceiptFormat::default().read(deliver)
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
    ReceiptFormat::default().read_text(octets)
}

/// What a value of a receipt's text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptKey {
    /// The carrier's id of the message.
    Id,
    /// How many parts were submitted.
    Sub,
    /// How many parts were delivered.
    Delivered,
    /// When it was submitted.
    SubmitDate,
    /// When it reached its state.
    DoneDate,
    /// Its state.
    Stat,
    /// The error.
    Error,
    /// First characters of the message; everything behind it belongs to it.
    Text,
}

/// What parts one value from the next.
const SEPARATORS: &[char] = &[' ', '\t', '\r', '\n', ',', ';', '&', '|', '\0'];

/// Every spelling in use; longer ones before those they contain.
const SPELLINGS: &[(&str, ReceiptKey)] = &[
    ("submit date:", ReceiptKey::SubmitDate),
    ("submit_date:", ReceiptKey::SubmitDate),
    ("submitdate:", ReceiptKey::SubmitDate),
    ("done date:", ReceiptKey::DoneDate),
    ("done_date:", ReceiptKey::DoneDate),
    ("donedate:", ReceiptKey::DoneDate),
    ("dlvrd:", ReceiptKey::Delivered),
    ("status:", ReceiptKey::Stat),
    ("stat:", ReceiptKey::Stat),
    ("error:", ReceiptKey::Error),
    ("err:", ReceiptKey::Error),
    ("text:", ReceiptKey::Text),
    ("sub:", ReceiptKey::Sub),
    ("id:", ReceiptKey::Id),
];

/// Keeps the first value of each key.
fn set(receipt: &mut DeliveryReceipt, key: ReceiptKey, value: &str) {
    let word = value
        .trim_start_matches(SEPARATORS)
        .split(SEPARATORS)
        .next()
        .unwrap_or_default();
    if word.is_empty() && key != ReceiptKey::Text {
        return;
    }
    match key {
        ReceiptKey::Id => _ = receipt.id.get_or_insert_with(|| word.to_owned()),
        ReceiptKey::Error => _ = receipt.error.get_or_insert_with(|| word.to_owned()),
        ReceiptKey::Text => receipt.text = Some(value.to_owned()),
        ReceiptKey::Stat if receipt.stat.is_empty() => {
            receipt.stat = word.to_owned();
            receipt.state = state_of_word(word);
        }
        ReceiptKey::Stat => {}
        ReceiptKey::Sub => receipt.submitted_parts = receipt.submitted_parts.or(word.parse().ok()),
        ReceiptKey::Delivered => receipt.delivered_parts = receipt.delivered_parts.or(word.parse().ok()),
        ReceiptKey::SubmitDate => receipt.submitted_at = receipt.submitted_at.or_else(|| receipt_date(word)),
        ReceiptKey::DoneDate => receipt.done_at = receipt.done_at.or_else(|| receipt_date(word)),
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

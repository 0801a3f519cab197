//! The lines of a carrier's log: what it received, and which receipts a client took.

use std::fmt::Write as _;

use bytes::Bytes;
use smpp::{Concatenation, Status, Submit, state_name};
use sms::{ReceiptState, UnixUs};

/// Names of the columns, for people.
pub(super) const HEADER: &str = "#time_us\tid\tanswer\tsource\tdestination\tesm_class\tregistered_delivery\tdata_coding\t\
                                 octets\treference\tpart\n#receipt\ttime_us\tid\tstate\n";

/// First word of a line that tells of a receipt.
const RECEIPT: &str = "receipt";

/// User data header indicator of `esm_class` (3.4 §5.2.12).
pub(super) const UDHI: u8 = 0x40;

/// Word for an answer that was never sent.
const DROPPED: &str = "dropped";

/// One `submit_sm` as the carrier saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// When.
    pub at: UnixUs,
    /// The carrier's id as its response writes it; empty where it refused.
    pub id: String,
    /// What it answered; absent where it took the message and kept silent.
    pub answer: Option<Status>,
    /// Who sent.
    pub source: String,
    /// Who shall receive.
    pub destination: String,
    /// `esm_class`.
    pub esm_class: u8,
    /// `registered_delivery`.
    pub registered_delivery: u8,
    /// `data_coding`.
    pub data_coding: u8,
    /// The content as it came, with its user data header.
    pub octets: Bytes,
    /// The TLV `user_message_reference`; absent = none.
    pub user_reference: Option<u16>,
    /// Which part of a long message it is; absent = of none.
    pub concatenation: Option<Concatenation>,
}

/// One receipt that a client took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipted {
    /// When the client took it.
    pub at: UnixUs,
    /// The id of its message, written as in [`Received::id`].
    pub id: String,
    /// What it said.
    pub state: ReceiptState,
}

/// One line of a log.
pub(super) enum Line {
    Received(Received),
    Receipted(Receipted),
}

impl Line {
    /// Absent = not a line of a log.
    pub(super) fn parse(line: &str) -> Option<Self> {
        match line.strip_prefix(RECEIPT) {
            Some(line) => Receipted::parse(line).map(Self::Receipted),
            None => Received::parse(line).map(Self::Received),
        }
    }
}

impl Receipted {
    pub(super) fn write_to(&self, line: &mut String) {
        let (state, _) = state_name(self.state);
        let _ = writeln!(line, "{RECEIPT}\t{}\t{}\t{state}", self.at.0, self.id);
    }

    fn parse(line: &str) -> Option<Self> {
        let ["", at, id, state] = line.split('\t').collect::<Vec<_>>()[..] else {
            return None;
        };
        let state = smpp::parse_receipt_text(format!("stat:{state}").as_bytes()).state?;
        Some(Self {
            at: UnixUs(at.parse().ok()?),
            id: id.to_owned(),
            state,
        })
    }
}

impl Received {
    pub(super) fn new(at: UnixUs, id: String, answer: Option<Status>, submit: &Submit) -> Self {
        Self {
            at,
            id,
            answer,
            source: submit.source.value.clone(),
            destination: submit.destination.value.clone(),
            esm_class: submit.esm_class,
            registered_delivery: submit.registered_delivery,
            data_coding: submit.data_coding,
            octets: submit.body.octets().clone(),
            user_reference: submit.user_reference(),
            concatenation: submit.concatenation(),
        }
    }

    /// Whether the carrier took it, told or not.
    pub fn was_taken(&self) -> bool {
        self.answer.is_none_or(Status::is_ok)
    }

    /// The octets behind the user data header.
    pub fn payload(&self) -> Bytes {
        let has_header = self.esm_class & UDHI != 0;
        let length = self.octets.first().filter(|_| has_header);
        let header = length.map_or(0, |length| usize::from(*length) + 1);
        self.octets.slice(header.min(self.octets.len())..)
    }

    pub(super) fn write_to(&self, line: &mut String) {
        let answer = self
            .answer
            .map_or_else(|| DROPPED.to_owned(), |status| status.to_string());
        let _ = write!(line, "{}\t{}\t{answer}\t{}\t", self.at.0, self.id, plain(&self.source));
        let Self {
            esm_class,
            registered_delivery,
            data_coding,
            ..
        } = self;
        let _ = write!(
            line,
            "{}\t{esm_class}\t{registered_delivery}\t{data_coding}\t",
            plain(&self.destination)
        );
        hex(line, &self.octets);
        line.push('\t');
        if let Some(reference) = self.user_reference {
            let _ = write!(line, "{reference}");
        }
        line.push('\t');
        if let Some(Concatenation { reference, total, part }) = self.concatenation {
            let _ = write!(line, "{reference}/{total}/{part}");
        }
        line.push('\n');
    }

    fn parse(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.split('\t').collect();
        let [
            at,
            id,
            answer,
            source,
            destination,
            esm_class,
            registered,
            data_coding,
            octets,
            reference,
            part,
        ] = fields[..]
        else {
            return None;
        };
        Some(Self {
            at: UnixUs(at.parse().ok()?),
            id: id.to_owned(),
            answer: if answer == DROPPED {
                None
            } else {
                Some(answer.parse().ok()?)
            },
            source: source.to_owned(),
            destination: destination.to_owned(),
            esm_class: esm_class.parse().ok()?,
            registered_delivery: registered.parse().ok()?,
            data_coding: data_coding.parse().ok()?,
            octets: unhex(octets)?,
            user_reference: if reference.is_empty() {
                None
            } else {
                Some(reference.parse().ok()?)
            },
            concatenation: if part.is_empty() { None } else { Some(parse_part(part)?) },
        })
    }
}

/// The text without what would break a line; addresses hold none of it unless a peer is broken.
fn plain(text: &str) -> String {
    text.replace(|c: char| c.is_control(), "?")
}

fn parse_part(text: &str) -> Option<Concatenation> {
    let mut fields = text.split('/');
    let mut next = || fields.next();
    let (reference, total, part) = (next()?.parse().ok()?, next()?.parse().ok()?, next()?.parse().ok()?);
    Some(Concatenation { reference, total, part })
}

fn hex(line: &mut String, octets: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for octet in octets {
        line.push(char::from(DIGITS[usize::from(octet >> 4)]));
        line.push(char::from(DIGITS[usize::from(octet & 15)]));
    }
}

fn unhex(text: &str) -> Option<Bytes> {
    let digit = |octet: u8| char::from(octet).to_digit(16);
    let octet = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(digit(*high)? << 4 | digit(*low)?).ok(),
        _ => None,
    };
    text.as_bytes().chunks(2).map(octet).collect()
}

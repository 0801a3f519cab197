//! Messages from handsets: what a carrier hands over, and what is made of it.

use std::{collections::BTreeMap, fmt};

use bytes::Bytes;

use crate::{Carriers, Charset, Concatenation, MessageId, UnixMs};

/// Longest address kept, in characters: SMPP has 20, and links of other kinds may hand over anything.
pub const INBOUND_ADDRESS_CHARS_MAX: usize = 32;

/// One message of a carrier, or one part of a long one, as it came over a link.
#[derive(Clone, PartialEq, Eq)]
pub struct InboundPart {
    /// Who sent it: digits without a plus where it is a number, else as the carrier wrote it.
    pub from: String,
    /// The number that was called, likewise.
    pub to: String,
    /// How its octets stand for characters.
    pub charset: Charset,
    /// The same in the carrier's word: `data_coding` of SMPP; 0 where it has none.
    pub data_coding: u8,
    /// The user data header without its length octet; empty = none.
    pub header: Bytes,
    /// Its content behind the header.
    pub octets: Bytes,
    /// Its place in a long message; `None` = it stands alone.
    pub place: Option<Concatenation>,
    /// What the carrier calls it, the same in every repeat; empty = nothing.
    pub name: String,
}

/// An inbound message, as it is published.
#[derive(Clone, PartialEq, Eq)]
pub struct Inbound {
    /// Its id: the same in every repeat.
    pub id: MessageId,
    /// The carriers whose link it came over.
    pub carriers: Carriers,
    /// Who sent it: digits without a plus where it is a number, else as the carrier wrote it.
    pub from: String,
    /// The number that was called, likewise.
    pub to: String,
    /// What it says; `None` = it is no text, or in a character set that is not known.
    pub text: Option<String>,
    /// Its content as it came, where the text is absent or does not say all of it; else empty.
    pub octets: Bytes,
    /// What the carrier said of its coding.
    pub data_coding: u8,
    /// The user data header without its length octet, of the first part that came; empty = none.
    pub header: Bytes,
    /// Parts it was sent in, 1 to 255.
    pub parts: u8,
    /// Numbers of the parts that did not come, rising; empty = it is complete.
    pub missing: Vec<u8>,
    /// When its first part came.
    pub received_at: UnixMs,
}

impl Inbound {
    /// The message of `parts`, octets by number, as its `first` part describes it. Missing are those of `total` that are not
    /// among them; what stands on both sides of a gap is joined.
    pub fn join(
        (id, carriers, received_at): (MessageId, Carriers, UnixMs),
        first: &InboundPart,
        total: u8,
        parts: &BTreeMap<u8, Bytes>,
    ) -> Self {
        let missing = (1..=total).filter(|number| !parts.contains_key(number)).collect();
        let read: Option<Vec<_>> = runs(parts).map(|run| first.charset.read(&run)).collect();
        // A header may say more of the characters, such as a national table, than is read here.
        let is_exact =
            read.as_ref().is_some_and(|runs| runs.iter().all(|run| run.is_exact)) && !has_language(&first.header);
        let octets = match is_exact {
            true => Bytes::new(),
            false => parts.values().flatten().copied().collect(),
        };
        Self {
            id,
            carriers,
            from: first.from.clone(),
            to: first.to.clone(),
            text: read.map(|runs| runs.into_iter().map(|run| run.text).collect()),
            octets,
            data_coding: first.data_coding,
            header: first.header.clone(),
            parts: total,
            missing,
            received_at,
        }
    }
}

/// The octets of parts that follow each other, joined: a character may be cut between them, but not over a gap.
fn runs(parts: &BTreeMap<u8, Bytes>) -> impl Iterator<Item = Vec<u8>> {
    let mut runs: Vec<Vec<u8>> = Vec::new();
    let mut next = None;
    for (number, octets) in parts {
        match runs.last_mut() {
            Some(run) if next == Some(*number) => run.extend_from_slice(octets),
            _ => runs.push(octets.to_vec()),
        }
        next = number.checked_add(1);
    }
    runs.into_iter()
}

/// Whether the header names a national language table (3GPP TS 23.040 §9.2.3.24.15 and .16), none of which is known here.
fn has_language(header: &[u8]) -> bool {
    let mut elements = header;
    while let [kind, length, rest @ ..] = elements {
        if matches!(kind, 0x24 | 0x25) {
            return true;
        }
        elements = rest.get(usize::from(*length)..).unwrap_or_default();
    }
    false
}

/// Digits without a plus where `address` is a number, else as it is; at most [`INBOUND_ADDRESS_CHARS_MAX`] characters.
pub fn inbound_address(address: &str) -> String {
    let trimmed = address.trim();
    let digits = trimmed.strip_prefix('+').unwrap_or(trimmed);
    let is_number = !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit());
    let kept = if is_number { digits } else { trimmed };
    kept.chars().take(INBOUND_ADDRESS_CHARS_MAX).collect()
}

impl fmt::Debug for InboundPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboundPart")
            .field("charset", &self.charset)
            .field("octets", &self.octets.len())
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Inbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbound")
            .field("id", &self.id)
            .field("carriers", &self.carriers)
            .field("text", &self.text.as_ref().map(String::len))
            .field("octets", &self.octets.len())
            .field("parts", &self.parts)
            .field("missing", &self.missing)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

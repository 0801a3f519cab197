//! What tells one inbound message from others: hashes, as no number and no content may stand in a key.
//!
//! Parts of one long message agree in carrier, sender, called number, character set, reference and count of parts. A message
//! that stands alone is told by all that it says, and by the carrier's name for it if there is one.

use sms::{Concatenation, InboundPart, Reference};

/// A hash over fields, each behind its length.
struct Hash(blake3::Hasher);

impl Hash {
    fn new(part: &InboundPart) -> Self {
        let mut hash = Self(blake3::Hasher::new());
        hash.field(part.from.as_bytes()).field(part.to.as_bytes());
        hash.field(&[part.charset as u8, part.data_coding]);
        hash
    }

    fn field(&mut self, octets: &[u8]) -> &mut Self {
        self.0.update(&(octets.len() as u64).to_le_bytes());
        self.0.update(octets);
        self
    }

    fn first<const N: usize>(&self) -> [u8; N] {
        let mut octets = [0; N];
        self.0.finalize_xof().fill(&mut octets);
        octets
    }
}

/// What the key of a message under its carrier is made of.
pub(super) fn of(part: &InboundPart, is_alone: bool) -> [u8; 16] {
    let mut hash = Hash::new(part);
    match part.place {
        Some(place) if !is_alone => hash.field(&reference(place)).field(&[place.total]),
        place => {
            let place = place.map(|place| [&reference(place)[..], &[place.total, place.part]].concat());
            hash.field(&place.unwrap_or_default())
                .field(&part.header)
                .field(&part.octets)
                .field(part.name.as_bytes())
        }
    };
    hash.first()
}

/// Digest of a part's content, by which its repeat is told from another part.
pub(super) fn digest(part: &InboundPart) -> u64 {
    let mut hash = Hash::new(part);
    hash.field(&part.header).field(&part.octets);
    u64::from_le_bytes(hash.first())
}

/// Key of a message's record on the log: messages to one number keep their order.
pub(super) fn record_key(to: &str) -> u64 {
    let hash = blake3::hash(to.as_bytes());
    let (front, _) = hash.as_bytes().split_first_chunk().expect("a hash has 32 octets");
    u64::from_le_bytes(*front)
}

/// References of 8 and of 16 bits are told apart.
fn reference(place: Concatenation) -> [u8; 3] {
    match place.reference {
        Reference::Short(reference) => [0, 0, reference],
        Reference::Long(reference) => {
            let [high, low] = reference.to_be_bytes();
            [1, high, low]
        }
    }
}

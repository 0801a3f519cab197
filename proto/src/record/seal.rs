//! The seal in front of every record and value: which format it is written in, and a checksum that tells damage.
//!
//! A seal is one or two protobuf fields whose numbers every record of this package leaves alone, so that a reader which knows
//! nothing of seals skips it as it skips any field of a later version:
//!
//! - field 2046, a varint: the format of the body. Only written where the body cannot be understood by readers of the format
//!   before it; absent = format 1. The seal of a record keeps its form in every format.
//! - field 2047, a fixed32: CRC-32 (that of IEEE 802.3) of all octets after it, begun with the kind of the record in its low
//!   octet and the format less one in the others, so that a record of one kind is never taken for one of another.
//!
//! Octets that begin with a field below 16 have no seal: an older version wrote them, and they are read as ever. None at all are
//! no record: no version writes one that is empty.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use prost::{
    Message,
    encoding::{decode_varint, encode_varint},
};

use super::invalid::Invalid;

/// The newest format that is read here, and the one that is written.
pub const FORMAT: u32 = 1;

/// Key of field 2046 as a varint.
const FORMAT_KEY: [u8; 2] = [0xF0, 0x7F];
/// Key of field 2047 as a fixed32.
const CHECKSUM_KEY: [u8; 2] = [0xFD, 0x7F];
/// Octets of a seal of format 1.
const SEAL_OCTETS: usize = CHECKSUM_KEY.len() + size_of::<u32>();
/// The first octet of a field of number 16 and above has this bit; no record of a version without seals begins with one. A seal
/// that lost it looks like a short field, and is still told: no version wrote a fixed32 in field 15, nor begins with field 14.
const LONG_KEY: u8 = 0x80;

/// What a record is; its number is part of the checksum and never given to another kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Accepted = 1,
    Order = 2,
    Outcome = 3,
    Receipt = 4,
    Unmatched = 5,
    Delayed = 6,
    Event = 7,
    Carrier = 8,
    Dead = 9,
    Rebuilt = 10,
    State = 11,
    Correlation = 12,
    LookedUp = 13,
    Inbound = 14,
    Gathering = 15,
    Table = 16,
}

impl Kind {
    pub(super) const ALL: [Self; 16] = [
        Self::Accepted,
        Self::Order,
        Self::Outcome,
        Self::Receipt,
        Self::Unmatched,
        Self::Delayed,
        Self::Event,
        Self::Carrier,
        Self::Dead,
        Self::Rebuilt,
        Self::State,
        Self::Correlation,
        Self::LookedUp,
        Self::Inbound,
        Self::Gathering,
        Self::Table,
    ];

    /// The message of the storage format that it is.
    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::Order => "Order",
            Self::Outcome => "OrderAnswer",
            Self::Receipt => "MatchedReceipt",
            Self::Unmatched => "Unmatched",
            Self::Delayed => "Delayed",
            Self::Event => "Event",
            Self::Carrier => "CarrierReport",
            Self::Dead => "Dead",
            Self::Rebuilt => "Rebuilt",
            Self::State => "State",
            Self::Correlation => "Correlation",
            Self::LookedUp => "LookedUp",
            Self::Inbound => "Inbound",
            Self::Gathering => "Gathering",
            Self::Table => "TableWord",
        }
    }

    /// What people call it.
    const fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted message",
            Self::Order => "order",
            Self::Outcome => "outcome",
            Self::Receipt => "receipt",
            Self::Unmatched => "unmatched receipt",
            Self::Delayed => "delayed message or receipt",
            Self::Event => "event",
            Self::Carrier => "word about carriers",
            Self::Dead => "dead record",
            Self::Rebuilt => "note of a rebuilt store",
            Self::State => "state",
            Self::Correlation => "correlation",
            Self::LookedUp => "looked up number",
            Self::Inbound => "inbound message",
            Self::Gathering => "gathering of an inbound message",
            Self::Table => "word about tables",
        }
    }
}

/// The octets of `body` behind a seal.
pub(super) fn seal(kind: Kind, body: &impl Message) -> Bytes {
    // Most of an encoding is written octet by octet, for which `BytesMut` makes a call each.
    let mut octets = Vec::with_capacity(SEAL_OCTETS + body.encoded_len());
    octets.put_slice(&CHECKSUM_KEY);
    octets.put_u32_le(0);
    body.encode(&mut octets).expect("a growing buffer has room");
    let checksum = checksum(kind, FORMAT, &octets[SEAL_OCTETS..]);
    octets[CHECKSUM_KEY.len()..SEAL_OCTETS].copy_from_slice(&checksum.to_le_bytes());
    octets.into()
}

/// A body that was encoded before, behind a seal.
pub(super) fn seal_octets(kind: Kind, body: &[u8]) -> Bytes {
    let mut octets = BytesMut::with_capacity(SEAL_OCTETS + body.len());
    octets.put_slice(&CHECKSUM_KEY);
    octets.put_u32_le(checksum(kind, FORMAT, body));
    octets.put_slice(body);
    octets.freeze()
}

/// The body in `octets`, which is what was written if there is a seal.
///
/// # Errors
/// The octets end within the seal, are not those that were sealed, are of another kind, or of a later format.
pub(super) fn open<M: Message + Default>(kind: Kind, octets: &Bytes) -> Result<M, Invalid> {
    Ok(M::decode(body(kind, octets)?)?)
}

fn body(kind: Kind, octets: &Bytes) -> Result<Bytes, Invalid> {
    let first = *octets.first().ok_or_else(|| truncated(octets))?;
    if first & LONG_KEY == 0 {
        let is_seal = [CHECKSUM_KEY, FORMAT_KEY].map(|key| [key[0] ^ LONG_KEY, key[1]]);
        if octets.first_chunk::<2>().is_some_and(|front| is_seal.contains(front)) {
            return Err(Invalid::Damaged("begins with a seal that was changed".to_owned()));
        }
        return Ok(octets.clone());
    }
    let mut rest = octets.clone();
    let format = if take_key(&mut rest, FORMAT_KEY, octets)? {
        let format = decode_varint(&mut rest).map_err(|_| truncated(octets))?;
        u32::try_from(format).unwrap_or(u32::MAX)
    } else {
        FORMAT
    };
    if !take_key(&mut rest, CHECKSUM_KEY, octets)? {
        return Err(Invalid::Damaged(
            "begins with neither a seal nor a field that records begin with".to_owned(),
        ));
    }
    let written = rest.try_get_u32_le().map_err(|_| truncated(octets))?;
    let given = checksum(kind, format, &rest);
    if written != given {
        return Err(damaged(kind, format, written, &rest));
    }
    if format > FORMAT {
        return Err(Invalid::Newer { format, known: FORMAT });
    }
    Ok(rest)
}

/// Takes `key` off the front of `rest`, if it is there.
fn take_key(rest: &mut Bytes, key: [u8; 2], octets: &Bytes) -> Result<bool, Invalid> {
    let front = rest.first_chunk::<2>().ok_or_else(|| truncated(octets))?;
    let is_there = *front == key;
    if is_there {
        rest.advance(key.len());
    }
    Ok(is_there)
}

fn truncated(octets: &Bytes) -> Invalid {
    Invalid::Truncated { octets: octets.len() }
}

/// Says what is known of octets whose checksum is wrong: perhaps they are sound, and stand where another kind belongs.
#[cold]
fn damaged(kind: Kind, format: u32, written: u32, body: &[u8]) -> Invalid {
    let given = checksum(kind, format, body);
    let other = Kind::ALL
        .into_iter()
        .find(|other| checksum(*other, format, body) == written);
    Invalid::Damaged(match other {
        Some(other) => format!("is of another kind: {}, not {}", other.word(), kind.word()),
        None => format!("was cut short or changed: checksum is {written:08x}, octets give {given:08x}"),
    })
}

fn checksum(kind: Kind, format: u32, body: &[u8]) -> u32 {
    let seed = format.wrapping_sub(FORMAT_FIRST) << 8 | kind as u32;
    let mut hasher = crc32fast::Hasher::new_with_initial(seed);
    hasher.update(body);
    hasher.finalize()
}

/// The format of a body without a number.
const FORMAT_FIRST: u32 = 1;

/// The kind and the body of `octets` that stand behind a sound seal of this format; `None` = there is none.
pub(super) fn sealed(octets: &Bytes) -> Option<(Kind, Bytes)> {
    let written = octets.strip_prefix(&CHECKSUM_KEY)?.first_chunk()?;
    let body = octets.slice(SEAL_OCTETS..);
    let is_of = |kind: &Kind| checksum(*kind, FORMAT, &body) == u32::from_le_bytes(*written);
    let kind = Kind::ALL.into_iter().find(is_of)?;
    Some((kind, body))
}

/// The octets that a later version would write for `body`: what it says cannot be understood here.
#[doc(hidden)]
pub fn of_a_later_format(octets: &Bytes) -> Bytes {
    let format = FORMAT + 1;
    let (kind, body) = sealed(octets).expect("the octets are sealed");
    let mut sealed = BytesMut::from(&FORMAT_KEY[..]);
    encode_varint(u64::from(format), &mut sealed);
    sealed.put_slice(&CHECKSUM_KEY);
    sealed.put_u32_le(checksum(kind, format, &body));
    sealed.put_slice(&body);
    sealed.freeze()
}

#[cfg(test)]
mod tests;

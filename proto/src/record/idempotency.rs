//! Idempotency keys, on the log and in the store.

use bytes::Bytes;
use sms::MessageId;
use uuid::Uuid;

use super::invalid::{Invalid, field};
use crate::pb::signalbox::bus::v1 as pb;

/// The idempotency key of an accepted message, as hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyMark {
    /// Hash of the key.
    pub key_hash: [u8; 32],
    /// Hash of all that the customer said about the message.
    pub digest: [u8; 32],
}

/// What an idempotency key stands for; the value under [`keys::idempotency`](crate::keys::idempotency).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyEntry {
    /// Whether the message is on the log for certain.
    pub is_final: bool,
    /// The message.
    pub id: MessageId,
    /// Hash of all that the customer said about it.
    pub digest: [u8; 32],
}

/// The format that is written: with a checksum of all before it at the end.
const FORMAT: u8 = 2;
/// The format of versions that wrote no checksum.
const FORMAT_BARE: u8 = 1;
/// Octets of an entry without a checksum.
const BARE_OCTETS: usize = 2 + 16 + 32;

impl KeyMark {
    /// The key's hash as it stands in the name of its entry.
    pub fn hex(&self) -> String {
        self.key_hash.iter().map(|octet| format!("{octet:02x}")).collect()
    }

    pub(super) fn to_pb(&self) -> pb::Idempotency {
        pb::Idempotency {
            key_hash: self.key_hash.to_vec(),
            digest: self.digest.to_vec(),
        }
    }

    pub(super) fn from_pb(mark: &pb::Idempotency) -> Result<Self, Invalid> {
        Ok(Self {
            key_hash: field("idempotency.key_hash", <[u8; 32]>::try_from(&mark.key_hash[..]))?,
            digest: field("idempotency.digest", <[u8; 32]>::try_from(&mark.digest[..]))?,
        })
    }
}

impl KeyEntry {
    /// Format, state, 16 octets of id, 32 of digest, CRC-32 of those, least octet first. Only ever extended by another format
    /// number.
    pub fn to_bytes(&self) -> Bytes {
        let mut octets = Vec::with_capacity(BARE_OCTETS + size_of::<u32>());
        octets.extend([FORMAT, u8::from(self.is_final)]);
        octets.extend_from_slice(self.id.0.as_bytes());
        octets.extend_from_slice(&self.digest);
        let checksum = crc32fast::hash(&octets);
        octets.extend(checksum.to_le_bytes());
        octets.into()
    }

    /// The entry in `octets`; `None` = a newer version wrote them, or they are damaged.
    pub fn from_bytes(octets: &[u8]) -> Option<Self> {
        let (bare, checksum) = octets.split_at_checked(BARE_OCTETS)?;
        let ([format, state], rest) = bare.split_first_chunk::<2>()?;
        let is_sound = match *format {
            FORMAT => checksum == crc32fast::hash(bare).to_le_bytes(),
            FORMAT_BARE => checksum.is_empty(),
            _ => false,
        };
        let (id, digest) = rest.split_first_chunk::<16>()?;
        is_sound.then_some(Self {
            is_final: *state == 1,
            id: MessageId(Uuid::from_bytes(*id)),
            digest: digest.try_into().ok()?,
        })
    }
}

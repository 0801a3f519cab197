//! Records that were put aside, because nobody could read them or knew what to do with them, and notes of those put back.

use std::{fmt, str::FromStr};

use bus::Stored;
use bytes::Bytes;
use sms::UnixMs;

use super::{
    invalid::{Fault, Invalid, field, need},
    seal::{self, Kind},
};
use crate::pb::signalbox::bus::v1 as pb;

/// Octets kept of a record: what stands beside them fits into one record too.
const OCTETS_MAX: usize = bus::RECORD_OCTETS_MAX - 8 * 1024;
/// Characters kept of a reason, which may tell what the record holds.
const REASON_CHARS_MAX: usize = 1_000;

/// A record that was put aside. Its dead record has the same key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadRecord {
    /// The topic it stood on.
    pub topic: String,
    /// Its octets, from the first on.
    pub octets: Bytes,
    /// What is wrong with it, in a sentence.
    pub reason: String,
    /// The same in a word.
    pub fault: Fault,
    /// When the log took it on its topic; `None` = not known, or it stood on none.
    pub stored_at: Option<UnixMs>,
    /// Octets at its end that were too many to be kept; what lacks some cannot be put back.
    pub omitted: u64,
}

/// Names a dead record for people: when the log took it, and a checksum of what it says. The same on every log, and after a
/// restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeadId {
    /// When the log took the dead record.
    pub at: UnixMs,
    checksum: u32,
}

/// What a record of the dead topic says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeadWord {
    /// A record was put aside.
    Aside(Box<DeadRecord>),
    /// The one with this id was put back.
    Replayed(DeadId),
}

impl DeadRecord {
    /// One that stood on `topic` as `stored`, where `invalid` says what is wrong with it.
    pub fn of(topic: &str, stored: &Stored, invalid: &Invalid) -> Self {
        Self {
            stored_at: Some(UnixMs(stored.stored_at_ms)),
            ..Self::new(topic, stored.value.clone(), invalid.fault(), &invalid.to_string())
        }
    }

    /// One of `topic` that is not known to have stood there.
    pub fn new(topic: &str, octets: Bytes, fault: Fault, reason: &str) -> Self {
        let kept = octets.len().min(OCTETS_MAX);
        Self {
            topic: topic.to_owned(),
            omitted: (octets.len() - kept) as u64,
            octets: octets.slice(..kept),
            reason: reason.chars().take(REASON_CHARS_MAX).collect(),
            fault,
            stored_at: None,
        }
    }
}

impl DeadId {
    /// The id of the record of the dead topic that reads as `stored`.
    pub fn of(stored: &Stored) -> Self {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&stored.key.to_le_bytes());
        hasher.update(&stored.value);
        Self {
            at: UnixMs(stored.stored_at_ms),
            checksum: hasher.finalize(),
        }
    }
}

impl fmt::Display for DeadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{:08x}", self.at.0, self.checksum)
    }
}

impl FromStr for DeadId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (at, checksum) = text.split_once('-')?;
            let (at, checksum) = (
                u64::from_str_radix(at, 16).ok()?,
                u32::from_str_radix(checksum, 16).ok()?,
            );
            let id = Self {
                at: UnixMs(at),
                checksum,
            };
            (id.to_string() == text).then_some(id)
        };
        read().ok_or_else(|| "is no id of a dead record, such as 19aaa5b4c00-0f1e2d3c".to_owned())
    }
}

/// Octets of a dead record.
pub fn dead_to_bytes(dead: &DeadRecord) -> Bytes {
    let DeadRecord {
        topic,
        octets,
        reason,
        fault,
        stored_at,
        omitted,
    } = dead.clone();
    let dead = pb::Dead {
        topic,
        octets,
        reason,
        fault: fault.as_str().to_owned(),
        stored_at: stored_at.map(|at| at.0),
        omitted,
        replayed: None,
    };
    seal::seal(Kind::Dead, &dead)
}

/// Octets of the note that the dead record `id` was put back.
pub fn replayed_to_bytes(id: DeadId) -> Bytes {
    let replayed = Some(pb::Replayed { id: id.to_string() });
    let note = pb::Dead {
        replayed,
        ..pb::Dead::default()
    };
    seal::seal(Kind::Dead, &note)
}

/// Octets of the instant at which a dead record was put back.
pub fn replayed_at_to_bytes(at: UnixMs) -> Bytes {
    at.0.to_string().into()
}

/// The instant in `octets`.
///
/// # Errors
/// They are none.
pub fn replayed_at_from_bytes(octets: &[u8]) -> Result<UnixMs, Invalid> {
    let digits = field("replayed", std::str::from_utf8(octets))?;
    field("replayed", digits.parse()).map(UnixMs)
}

/// The dead record in `octets`, or the note that one was put back.
///
/// # Errors
/// The field that is missing or not understood.
pub fn dead_word_from_bytes(octets: &Bytes) -> Result<DeadWord, Invalid> {
    let dead: pb::Dead = seal::open(Kind::Dead, octets)?;
    if let Some(replayed) = dead.replayed {
        return field("replayed.id", replayed.id.parse()).map(DeadWord::Replayed);
    }
    let known = Fault::ALL.into_iter().find(|fault| fault.as_str() == dead.fault);
    Ok(DeadWord::Aside(Box::new(DeadRecord {
        topic: need("topic", Some(dead.topic).filter(|topic| !topic.is_empty()))?,
        octets: dead.octets,
        reason: dead.reason,
        // A version without words put it aside, or a later one for something new.
        fault: known.unwrap_or(Fault::Invalid),
        stored_at: dead.stored_at.map(UnixMs),
        omitted: dead.omitted,
    })))
}

/// The dead record in `octets`.
///
/// # Errors
/// The octets are no dead record.
pub fn dead_from_bytes(octets: &Bytes) -> Result<DeadRecord, Invalid> {
    match dead_word_from_bytes(octets)? {
        DeadWord::Aside(dead) => Ok(*dead),
        DeadWord::Replayed(_) => Err(Invalid::Missing("topic")),
    }
}

#[cfg(test)]
mod tests;

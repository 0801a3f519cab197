//! Names and ids that travel through every service.

use std::{fmt, str::FromStr, sync::Arc};

use uuid::Uuid;

use crate::{UnixMs, UnixUs};

/// Id of one message, a UUID version 7: its first 48 bits are the instant of acceptance in milliseconds, and the 12 after the
/// version what part of the next one had passed (RFC 9562, section 6.2, method 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub Uuid);

/// What a millisecond is parted into in an id.
const PARTS: u64 = 4_096;

/// Hash of account and recipient under a secret key: the key of every bus record of a message. Records of one key keep
/// their order. It never reveals the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey(pub u64);

/// Name of a carrier: `[a-z0-9-]{1,32}`. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CarrierName(Arc<str>);

/// Name of a customer account: `[a-z0-9._-]{1,64}`. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(Arc<str>);

/// Why a name was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The name is empty or too long.
    #[error("{what} has {chars} characters, allowed are 1 to {limit}")]
    Length {
        /// The kind of name.
        what: &'static str,
        /// Its length as given.
        chars: usize,
        /// The longest allowed.
        limit: usize,
    },
    /// A character outside the allowed set.
    #[error("{what} \"{name}\" contains {found:?}, allowed are {allowed}")]
    Character {
        /// The kind of name.
        what: &'static str,
        /// The name as given.
        name: String,
        /// The first offending character.
        found: char,
        /// The allowed set, for people.
        allowed: &'static str,
    },
}

impl MessageId {
    /// The id of what was accepted at `instant`, told apart from others of that millisecond by 74 bits of `rest`.
    pub fn of(instant: UnixMs, rest: [u8; 10]) -> Self {
        Self(uuid::Builder::from_unix_timestamp_millis(instant.0, &rest).into_uuid())
    }

    /// The id of what was accepted at `instant`, told apart from others of that microsecond by 62 bits of `rest`.
    pub fn precisely(instant: UnixUs, mut rest: [u8; 10]) -> Self {
        // Rounded up to 4,096ths, so that rounding down finds the microsecond again.
        let part = (instant.0 % 1_000 * PARTS).div_ceil(1_000) as u16;
        rest[..2].copy_from_slice(&part.to_be_bytes());
        Self::of(instant.millis(), rest)
    }

    /// The instant to the microsecond; in an id of another kind, what is random there looks like a part of a millisecond.
    pub fn precise_instant(&self) -> UnixUs {
        let part = (self.0.as_u128() >> 64) as u64 % PARTS;
        UnixUs(self.instant().0 * 1_000 + part * 1_000 / PARTS)
    }

    /// The instant in its first 48 bits: when the message was accepted.
    pub fn instant(&self) -> UnixMs {
        UnixMs((self.0.as_u128() >> 80) as u64)
    }
}

impl CarrierName {
    /// Checks `name` against `[a-z0-9-]{1,32}`.
    ///
    /// # Errors
    /// The first rule the name breaks.
    pub fn new(name: &str) -> Result<Self, NameError> {
        check(
            "carrier name",
            name,
            32,
            "a-z, 0-9 and -",
            |c| matches!(c, 'a'..='z' | '0'..='9' | '-'),
        )?;
        Ok(Self(name.into()))
    }

    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AccountId {
    /// Checks `name` against `[a-z0-9._-]{1,64}`.
    ///
    /// # Errors
    /// The first rule the name breaks.
    pub fn new(name: &str) -> Result<Self, NameError> {
        check(
            "account",
            name,
            64,
            "a-z, 0-9, '.', '_' and '-'",
            |c| matches!(c, 'a'..='z' | '0'..='9' | '.' | '_' | '-'),
        )?;
        Ok(Self(name.into()))
    }

    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check(
    what: &'static str,
    name: &str,
    limit: usize,
    allowed: &'static str,
    is_allowed: impl Fn(char) -> bool,
) -> Result<(), NameError> {
    let chars = name.chars().count();
    if !(1..=limit).contains(&chars) {
        return Err(NameError::Length { what, chars, limit });
    }
    match name.chars().find(|c| !is_allowed(*c)) {
        Some(found) => Err(NameError::Character {
            what,
            name: name.to_owned(),
            found,
            allowed,
        }),
        None => Ok(()),
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for MessageId {
    type Err = uuid::Error;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(s).map(Self)
    }
}

impl fmt::Display for CarrierName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;

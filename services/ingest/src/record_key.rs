//! The key of a message's bus records.

use std::{fmt, hash::Hasher, str::FromStr};

use siphasher::sip::SipHasher24;
use sms::{AccountId, Msisdn, RecordKey};

/// The secret under which record keys are made, so that a key tells nothing about the number behind it. Debug masks it.
#[derive(Clone, PartialEq, Eq)]
pub struct KeySecret([u8; 16]);

/// A secret that is no 32 hexadecimal digits. The value is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("key secret has {0} characters or others than 0-9 and a-f, wanted are 32 hexadecimal digits")]
pub struct KeySecretError(usize);

impl KeySecret {
    /// The secret made of `octets`.
    pub const fn new(octets: [u8; 16]) -> Self {
        Self(octets)
    }

    /// The secret as 32 hexadecimal digits, for keeping it; never for a log.
    pub fn reveal(&self) -> String {
        self.0.iter().map(|octet| format!("{octet:02x}")).collect()
    }

    /// The key of all records of messages from `account` to `to`.
    pub fn key(&self, account: &AccountId, to: &Msisdn) -> RecordKey {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write(account.as_str().as_bytes());
        // No account has this octet, so no two pairs read the same.
        hasher.write_u8(0xFF);
        hasher.write(to.digits().as_bytes());
        RecordKey(hasher.finish())
    }
}

impl FromStr for KeySecret {
    type Err = KeySecretError;

    fn from_str(text: &str) -> Result<Self, KeySecretError> {
        let refused = KeySecretError(text.chars().count());
        if text.len() != 32 || !text.bytes().all(|octet| octet.is_ascii_hexdigit()) {
            return Err(refused);
        }
        u128::from_str_radix(text, 16)
            .map(|number| Self(number.to_be_bytes()))
            .map_err(|_| refused)
    }
}

impl fmt::Debug for KeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySecret(***)")
    }
}

#[cfg(test)]
mod tests;

//! Recipients and senders.

use std::{fmt, sync::Arc};

/// Longest sender accepted, in characters: an international number with its plus, or a name.
pub const SENDER_CHARS_MAX: usize = 16;

/// A recipient: 3 to 15 digits in international format (E.164) without the plus. Debug and Display mask it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Msisdn(Arc<str>);

/// The sender of a message, as the customer gave it: a name, a long code or a short code. Debug masks a long code, which may
/// be a person's number; Display shows it as it is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sender(Arc<str>);

/// What kind of sender a carrier is asked to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SenderKind {
    /// Anything that is not all digits.
    Alphanumeric,
    /// More than 8 digits, a leading plus aside.
    LongCode,
    /// Up to 8 digits, a leading plus aside.
    ShortCode,
}

/// Why an address was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not 3 to 15 digits.
    #[error("number has {chars} characters, allowed are 3 to 15 digits in international format")]
    Length {
        /// Length without the plus.
        chars: usize,
    },
    /// A character that is no digit.
    #[error("number contains {found:?}, allowed are digits after an optional leading +")]
    Digit {
        /// The first offending character.
        found: char,
    },
    /// Sender too long or empty.
    #[error("sender has {chars} characters, allowed are 1 to {limit} (names: 11)")]
    SenderLength {
        /// Length as given.
        chars: usize,
        /// Longest allowed.
        limit: usize,
    },
    /// A sender character that no handset shows.
    #[error("sender contains {found:?}, allowed are printable characters of the GSM default alphabet")]
    SenderCharacter {
        /// The first offending character.
        found: char,
    },
}

impl Msisdn {
    /// Reads a number in international format; a leading plus is dropped.
    ///
    /// # Errors
    /// Length or the first character that is no digit.
    pub fn new(number: &str) -> Result<Self, AddressError> {
        let digits = number.strip_prefix('+').unwrap_or(number);
        if let Some(found) = digits.chars().find(|c| !c.is_ascii_digit()) {
            return Err(AddressError::Digit { found });
        }
        if !(3..=15).contains(&digits.len()) {
            return Err(AddressError::Length { chars: digits.len() });
        }
        Ok(Self(digits.into()))
    }

    /// The digits, without a plus.
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// The number with its middle hidden, for logs: `+4479*****01`.
    pub fn masked(&self) -> String {
        masked(&self.0)
    }
}

impl Sender {
    /// Reads a sender: digits after an optional plus (up to 15), or a name of up to 11 characters.
    ///
    /// # Errors
    /// Length, or a control or non-GSM character.
    pub fn new(sender: &str) -> Result<Self, AddressError> {
        let chars = sender.chars().count();
        let is_number = !sender.is_empty() && digits_of(sender).is_some();
        let limit = if is_number { SENDER_CHARS_MAX } else { 11 };
        if chars == 0 || chars > limit {
            return Err(AddressError::SenderLength { chars, limit });
        }
        // '@' is octet 0x00 in GSM 03.38 and would end the C-octet string that carries a sender in SMPP.
        if let Some(found) = sender
            .chars()
            .find(|c| c.is_control() || !c.is_ascii() || *c == '@' || *c == '`')
        {
            return Err(AddressError::SenderCharacter { found });
        }
        Ok(Self(sender.into()))
    }

    /// The sender as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What kind of sender this is.
    pub fn kind(&self) -> SenderKind {
        SenderKind::of(&self.0)
    }
}

impl SenderKind {
    /// The kind of `sender`: digits (a leading plus aside) are a short code up to 8 of them and a long code beyond.
    pub fn of(sender: &str) -> Self {
        match digits_of(sender) {
            Some(digits) if digits.len() <= 8 => Self::ShortCode,
            Some(_) => Self::LongCode,
            None => Self::Alphanumeric,
        }
    }

    /// The word used in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alphanumeric => "alphanumeric",
            Self::LongCode => "long_code",
            Self::ShortCode => "short_code",
        }
    }
}

/// At least 3 digits without their middle.
fn masked(digits: &str) -> String {
    let (head, tail) = if digits.len() > 7 { (4, 2) } else { (1, 1) };
    let hidden = "*".repeat(digits.len() - head - tail);
    format!("+{}{hidden}{}", &digits[..head], &digits[digits.len() - tail..])
}

fn digits_of(sender: &str) -> Option<&str> {
    let digits = sender.strip_prefix('+').unwrap_or(sender);
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
}

impl fmt::Display for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl fmt::Debug for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind(), digits_of(&self.0)) {
            (SenderKind::LongCode, Some(digits)) => f.write_str(&masked(digits)),
            _ => write!(f, "{:?}", &*self.0),
        }
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;

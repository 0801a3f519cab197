//! Digit strings of up to 15 digits packed into 64 bits: recipients and the prefixes they are matched against.

use std::fmt;

/// Longest number and longest prefix, in digits (E.164).
pub const DIGITS_MAX: usize = 15;

/// Up to 15 digits, packed so that the order of values is text order and a prefix test is one mask.
///
/// Each digit is a nibble of its value plus one, from the top; an absent digit is zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digits(u64);

impl Digits {
    /// Packs `text`: 1 to 15 ASCII digits, else `None`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::parse_bytes(text.as_bytes())
    }

    /// Packs a number in international format; a leading plus is dropped.
    pub(crate) fn of_number(number: &str) -> Option<Self> {
        Self::parse(number.strip_prefix('+').unwrap_or(number))
    }

    /// Packs ASCII octets, see [`Digits::parse`].
    pub fn parse_bytes(text: &[u8]) -> Option<Self> {
        if text.is_empty() || text.len() > DIGITS_MAX {
            return None;
        }
        let mut packed = 0;
        for (place, octet) in text.iter().enumerate() {
            if !octet.is_ascii_digit() {
                return None;
            }
            packed |= u64::from(octet - b'0' + 1) << Self::shift(place);
        }
        Some(Self(packed))
    }

    /// Digits that [`Digits::head`] tells apart.
    pub(crate) const HEAD_LEN: usize = 3;
    /// How many heads there are.
    pub(crate) const HEADS: usize = 1 << (4 * Self::HEAD_LEN);

    /// The first digits as a number below [`Digits::HEADS`].
    pub(crate) const fn head(self) -> usize {
        (self.0 >> (64 - 4 * Self::HEAD_LEN)) as usize
    }

    /// The digits of a head.
    pub(crate) const fn of_head(head: usize) -> Self {
        Self((head as u64) << (64 - 4 * Self::HEAD_LEN))
    }

    /// The digits from `place` on; none beyond the end.
    pub(crate) const fn from(self, place: usize) -> Self {
        Self(self.0 << (4 * place))
    }

    /// How many digits there are.
    pub const fn len(self) -> usize {
        16 - self.0.trailing_zeros() as usize / 4
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The digit at `place`, from 0; `None` beyond the end.
    pub const fn digit(self, place: usize) -> Option<u8> {
        if place >= DIGITS_MAX {
            return None;
        }
        ((self.0 >> Self::shift(place)) as u8 & 0xf).checked_sub(1)
    }

    /// Whether `prefix` begins this number.
    pub const fn starts_with(self, prefix: Self) -> bool {
        self.first(prefix.len()).0 == prefix.0
    }

    /// The first `count` digits, or all if there are fewer.
    pub const fn first(self, count: usize) -> Self {
        match count {
            0 => Self(0),
            _ if count > DIGITS_MAX => self,
            _ => Self(self.0 & (u64::MAX << Self::shift(count - 1))),
        }
    }

    const fn shift(place: usize) -> u32 {
        60 - 4 * place as u32
    }
}

impl fmt::Display for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (0..DIGITS_MAX)
            .map_while(|place| self.digit(place))
            .try_for_each(|digit| write!(f, "{digit}"))
    }
}

impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digits({self})")
    }
}

#[cfg(test)]
mod tests;

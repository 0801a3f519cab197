//! Digit strings of up to 15 digits packed into 64 bits: recipients and the prefixes they are matched against.

use std::fmt;

use crate::mix::mixed;

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
        match text.len() {
            1..8 => Self::parse_each(text),
            // The last eight begin among the first eight, and say the same of those that both hold.
            8..=DIGITS_MAX => {
                let (first, last) = (eight(&text[..8])?, eight(&text[text.len() - 8..])?);
                Some(Self(first << 32 | last << (64 - 4 * text.len())))
            }
            _ => None,
        }
    }

    fn parse_each(text: &[u8]) -> Option<Self> {
        let mut packed = 0;
        for (place, octet) in text.iter().enumerate() {
            if !octet.is_ascii_digit() {
                return None;
            }
            packed |= u64::from(octet - b'0' + 1) << Self::shift(place);
        }
        Some(Self(packed))
    }

    /// A hash whose lower 48 bits are well mixed.
    pub(crate) const fn hash(self) -> u64 {
        mixed(self.0)
    }

    /// Digits that [`Digits::head`] tells apart.
    pub(crate) const HEAD_LEN: usize = 5;
    /// How many heads there are.
    pub(crate) const HEADS: usize = 100_000;

    /// The first digits as a number below [`Digits::HEADS`]; `None` = there are fewer.
    pub(crate) const fn head(self) -> Option<usize> {
        let nibbles = self.0 >> (64 - 4 * Self::HEAD_LEN);
        if nibbles & 0xF == 0 {
            return None;
        }
        // Each nibble is one more than its digit.
        let digits = nibbles - 0x11111;
        let pairs = (digits >> 4 & 0x0F0F) * 10 + (digits & 0x0F0F);
        let (first, middle, last) = (digits >> 16, pairs >> 8 & 0xFF, pairs & 0xFF);
        Some((first * 10_000 + middle * 100 + last) as usize)
    }

    /// The digits of a head.
    pub(crate) const fn of_head(head: usize) -> Self {
        let (mut packed, mut left, mut place) = (0, head as u64, Self::HEAD_LEN);
        while place > 0 {
            place -= 1;
            packed |= (left % 10 + 1) << Self::shift(place);
            left /= 10;
        }
        Self(packed)
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

    /// Bit `d` for first digit `d`; no bit without digits.
    pub(crate) const fn first_bit(self) -> u16 {
        ((1_u32 << (self.0 >> 60)) >> 1) as u16
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

/// Eight ASCII digits as nibbles of their values plus one, the first one uppermost.
fn eight(text: &[u8]) -> Option<u64> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let octets = u64::from_be_bytes(text.try_into().expect("8 octets"));
    let is_digits = octets & (0xF0 * EACH) == 0x30 * EACH && (octets + 6 * EACH) & (0xF0 * EACH) == 0x30 * EACH;
    let values = (octets & (0x0F * EACH)) + EACH;
    let pairs = (values | values >> 4) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs | pairs >> 8) & 0x0000_FFFF_0000_FFFF;
    is_digits.then_some((fours | fours >> 16) & 0xFFFF_FFFF)
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

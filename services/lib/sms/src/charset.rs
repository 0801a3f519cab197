//! Character sets of inbound messages, and how their octets read as text.

use crate::gsm7;

/// How the octets of an inbound message stand for characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Charset {
    /// The GSM 7-bit default alphabet with its extension table, one septet an octet.
    #[default]
    Gsm7,
    /// IA5, as good as ASCII.
    Ascii,
    /// ISO 8859-1.
    Latin1,
    /// UTF-16, big endian unless a byte order mark says otherwise; the field calls it UCS-2.
    Ucs2,
    /// UTF-8: of links that hand over text.
    Utf8,
    /// No text, or in a character set that is not known here.
    Octets,
}

/// Octets read as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadText {
    /// The text. What is no character reads as U+FFFD.
    pub text: String,
    /// Whether every octet was read; false = the text does not say all that was sent.
    pub is_exact: bool,
}

impl Charset {
    /// Every character set.
    pub const ALL: [Self; 6] = [
        Self::Gsm7,
        Self::Ascii,
        Self::Latin1,
        Self::Ucs2,
        Self::Utf8,
        Self::Octets,
    ];

    /// The text of `octets`; `None` if they are none. Parts of a long message are to be joined before: a character may be cut
    /// between two of them.
    pub fn read(self, octets: &[u8]) -> Option<ReadText> {
        let mut is_exact = true;
        let mut lossy = |character: Option<char>| {
            is_exact &= character.is_some();
            character.unwrap_or(char::REPLACEMENT_CHARACTER)
        };
        let text = match self {
            Self::Gsm7 => {
                let text = gsm7::decode(octets);
                is_exact = !text.contains(char::REPLACEMENT_CHARACTER) && octets.last() != Some(&gsm7::ESCAPE);
                text
            }
            Self::Ascii => octets
                .iter()
                .map(|octet| lossy(octet.is_ascii().then_some(char::from(*octet))))
                .collect(),
            Self::Latin1 => octets.iter().map(|octet| char::from(*octet)).collect(),
            Self::Ucs2 => char::decode_utf16(units(octets))
                .map(|character| lossy(character.ok()))
                .collect(),
            Self::Utf8 => {
                let text = String::from_utf8_lossy(octets);
                is_exact = matches!(text, std::borrow::Cow::Borrowed(_));
                text.into_owned()
            }
            Self::Octets => return None,
        };
        Some(ReadText { text, is_exact })
    }
}

/// The code units of `octets` without their byte order mark. Half a unit at the end reads like a lone surrogate.
fn units(octets: &[u8]) -> impl Iterator<Item = u16> {
    let (octets, unit): (_, fn([u8; 2]) -> u16) = match octets {
        [0xFE, 0xFF, rest @ ..] => (rest, u16::from_be_bytes),
        [0xFF, 0xFE, rest @ ..] => (rest, u16::from_le_bytes),
        _ => (octets, u16::from_be_bytes),
    };
    octets.chunks(2).map(move |pair| match *pair {
        [first, second] => unit([first, second]),
        _ => 0xD800,
    })
}

#[cfg(test)]
mod tests;

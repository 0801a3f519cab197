//! What a message says, and the encoding it needs.

use std::fmt;

use bytes::Bytes;

/// Longest text accepted, in UTF-8 octets.
pub const TEXT_OCTETS_MAX: usize = 4_000;
/// Longest binary payload accepted, in octets, over all segments.
pub const BINARY_OCTETS_MAX: usize = 2_000;

/// What a message says.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// Text; the encoding follows from its characters.
    Text(String),
    /// Octets sent as they are (data_coding 4), with an optional user data header for a single segment.
    Binary {
        /// The octets.
        data: Bytes,
        /// The header without its length octet; absent = none.
        header: Option<Bytes>,
    },
}

/// How the characters of a message become octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Encoding {
    /// The GSM 7-bit default alphabet with its extension table (3GPP TS 23.038 §6.2.1).
    #[default]
    Gsm7,
    /// UTF-16 big endian, as the field uses UCS-2.
    Ucs2,
    /// Octets.
    Binary,
}

impl Encoding {
    /// The word used in tables and queries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gsm7 => "gsm7",
            Self::Ucs2 => "ucs2",
            Self::Binary => "binary",
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} octets)", text.len()),
            Self::Binary { data, .. } => write!(f, "Binary({} octets)", data.len()),
        }
    }
}

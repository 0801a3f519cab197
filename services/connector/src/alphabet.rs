//! The alphabet a carrier takes for `data_coding` 0: the specification says "the default of the carrier" and no more.

use bytes::Bytes;
use sms::{Segment, gsm7};

/// How characters of the GSM 7-bit alphabet are written to one carrier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Alphabet {
    /// One septet an octet: what nearly all take.
    #[default]
    Gsm7,
    /// Eight septets in seven octets, as on the air.
    Gsm7Packed,
    /// ISO 8859-1.
    Latin1,
    /// ASCII.
    Ascii,
}

impl Alphabet {
    /// Whether it has every character of `text`; what it has not goes as UCS-2.
    pub(crate) fn holds(self, text: &str) -> bool {
        match self {
            Self::Gsm7 | Self::Gsm7Packed => true,
            Self::Latin1 => text.chars().all(|character| u32::from(character) < 256),
            Self::Ascii => text.is_ascii(),
        }
    }

    /// The payload of `part`, behind its header if that `is_headed`. Nothing is copied where septets stay as they are.
    pub(crate) fn write(self, part: &Segment, is_headed: bool) -> Bytes {
        let header = if is_headed { part.header() } else { &[] };
        if self == Self::Gsm7 {
            return part.octets().slice(part.header().len() - header.len()..);
        }
        let mut out = Vec::with_capacity(part.octets().len());
        out.extend_from_slice(header);
        match self {
            Self::Gsm7Packed => gsm7::pack(part.payload(), header.len(), &mut out),
            // Checked when the order was cut, so every character is one octet.
            _ => out.extend(gsm7::decode(part.payload()).chars().map(|character| character as u8)),
        }
        out.into()
    }
}

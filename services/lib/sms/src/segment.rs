//! Cutting content into the segments a carrier takes and charges, and counting them without doing it.
//!
//! A character is never torn: an escape stays with its code, a surrogate pair stays whole. Parts are filled greedily, so
//! the count is the one that handsets and carriers come to.

use bytes::Bytes;

use crate::{Concatenation, Content, Encoding, Reference, gsm7};

/// Octets of user data in one segment.
pub const SEGMENT_OCTETS_MAX: usize = 140;
/// Segments of one message: the header counts them in one octet.
pub const SEGMENTS_MAX: usize = 255;

/// What content takes on the air.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Encoding it needs.
    pub encoding: Encoding,
    /// Segments, at least 1. 255 also stands for more, which only content beyond this crate's limits takes; [`segment`]
    /// refuses that.
    pub segments: u8,
    /// Septets, UTF-16 code units or octets, headers aside.
    pub units: u32,
}

/// One segment as it goes to a carrier. A cheap slice of one buffer that all segments share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    octets: Bytes,
    header: usize,
}

/// Why content cannot be cut.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SegmentError {
    /// A character that the encoding does not have.
    #[error("U+{:04X} is not in the GSM 7-bit alphabet, ucs2 can carry it", u32::from(*.0))]
    Unencodable(char),
    /// Text asked as binary, or octets as text.
    #[error("{content} cannot be sent as {encoding}")]
    Mismatch {
        /// `text` or `binary`.
        content: &'static str,
        /// The encoding asked.
        encoding: Encoding,
    },
    /// More segments than the header can count.
    #[error("content takes {0} segments, the format allows {SEGMENTS_MAX}")]
    TooMany(usize),
    /// Octets with a header of their own that do not fit into one segment.
    #[error(
        "header and data are {0} octets, one segment holds {SEGMENT_OCTETS_MAX}, and a header of its own allows one"
    )]
    HeaderNotAlone(usize),
}

impl Segment {
    /// User data as it stands in the PDU: the header, if any, and the payload.
    pub fn octets(&self) -> &Bytes {
        &self.octets
    }

    /// The user data header with its length octet; empty = none. If there is one, the PDU must say so (UDHI).
    pub fn header(&self) -> &[u8] {
        &self.octets[..self.header]
    }

    /// What the header is followed by: septets one in an octet, UTF-16BE, or octets.
    pub fn payload(&self) -> &[u8] {
        &self.octets[self.header..]
    }
}

/// The encoding that `text` needs.
pub fn encoding_of(text: &str) -> Encoding {
    if text.chars().all(|character| gsm7::width(character).is_some()) {
        Encoding::Gsm7
    } else {
        Encoding::Ucs2
    }
}

/// What `content` takes with an 8-bit reference: what carriers charge. Allocates nothing.
pub fn count(content: &Content) -> Size {
    let (encoding, parts, units) = match content {
        Content::Text(text) => match units_in(text, Encoding::Gsm7) {
            Ok(units) => (
                Encoding::Gsm7,
                parts_of(text, Encoding::Gsm7, units, SHORT).count(),
                units,
            ),
            Err(_) => {
                let units = text.encode_utf16().count();
                (
                    Encoding::Ucs2,
                    parts_of(text, Encoding::Ucs2, units, SHORT).count(),
                    units,
                )
            }
        },
        Content::Binary { data, .. } => (Encoding::Binary, binary_parts(data.len(), SHORT), data.len()),
    };
    Size {
        encoding,
        segments: u8::try_from(parts).unwrap_or(u8::MAX),
        units: u32::try_from(units).unwrap_or(u32::MAX),
    }
}

/// Cuts `content` into segments in `encoding`; several carry a header with `reference`. One buffer and one vector are
/// allocated, however many segments there are.
///
/// # Errors
/// The content cannot be sent so; see [`SegmentError`].
pub fn segment(content: &Content, encoding: Encoding, reference: Reference) -> Result<Vec<Segment>, SegmentError> {
    match (content, encoding) {
        (Content::Text(text), Encoding::Gsm7 | Encoding::Ucs2) => segment_text(text, encoding, reference),
        (Content::Text(_), Encoding::Binary) => Err(SegmentError::Mismatch {
            content: "text",
            encoding,
        }),
        (Content::Binary { data, header: None }, Encoding::Binary) => segment_binary(data, reference),
        (
            Content::Binary {
                data,
                header: Some(header),
            },
            Encoding::Binary,
        ) => segment_with_header(data, header),
        (Content::Binary { .. }, _) => Err(SegmentError::Mismatch {
            content: "binary",
            encoding,
        }),
    }
}

/// All of `content` in `encoding` as one piece, however long: for carriers that cut it themselves.
///
/// # Errors
/// As for [`segment`], but for the number of segments.
pub fn whole(content: &Content, encoding: Encoding) -> Result<Segment, SegmentError> {
    match (content, encoding) {
        (Content::Text(text), Encoding::Gsm7 | Encoding::Ucs2) => {
            units_in(text, encoding).map_err(SegmentError::Unencodable)?;
            let mut out = Vec::with_capacity(text.len() * 2);
            write_text(text, encoding, &mut out);
            Ok(Segment {
                octets: out.into(),
                header: 0,
            })
        }
        (Content::Binary { data, header: None }, Encoding::Binary) => Ok(Segment {
            octets: data.clone(),
            header: 0,
        }),
        _ => segment(content, encoding, SHORT).map(|mut parts| parts.swap_remove(0)),
    }
}

/// Text of a payload, `None` if it is binary. What is no character reads as U+FFFD.
pub fn decode(encoding: Encoding, payload: &[u8]) -> Option<String> {
    match encoding {
        Encoding::Gsm7 => Some(gsm7::decode(payload)),
        Encoding::Ucs2 => {
            let units = payload.chunks(2).map(|pair| match *pair {
                [high, low] => u16::from_be_bytes([high, low]),
                // Half a unit at the end: as good as a lone surrogate, and read like one.
                _ => 0xD800,
            });
            Some(
                char::decode_utf16(units)
                    .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
                    .collect(),
            )
        }
        Encoding::Binary => None,
    }
}

/// Stands for any 8-bit reference where only the width matters.
const SHORT: Reference = Reference::Short(0);

fn segment_text(text: &str, encoding: Encoding, reference: Reference) -> Result<Vec<Segment>, SegmentError> {
    let units = units_in(text, encoding).map_err(SegmentError::Unencodable)?;
    let parts = parts_of(text, encoding, units, reference);
    let total = parts.clone().count();
    build(
        parts,
        total,
        if encoding == Encoding::Gsm7 { units } else { units * 2 },
        reference,
        |part, out| write_text(part, encoding, out),
    )
}

fn segment_binary(data: &Bytes, reference: Reference) -> Result<Vec<Segment>, SegmentError> {
    let total = binary_parts(data.len(), reference);
    let size = if total == 1 {
        SEGMENT_OCTETS_MAX
    } else {
        SEGMENT_OCTETS_MAX - reference.header_octets()
    };
    // An empty payload is one segment all the same, and `chunks` gives none for it.
    let parts = (0..total).map(|part| &data[part * size..data.len().min((part + 1) * size)]);
    build(parts, total, data.len(), reference, |part, out| {
        out.extend_from_slice(part)
    })
}

fn segment_with_header(data: &Bytes, header: &Bytes) -> Result<Vec<Segment>, SegmentError> {
    let octets = 1 + header.len() + data.len();
    if octets > SEGMENT_OCTETS_MAX {
        return Err(SegmentError::HeaderNotAlone(octets));
    }
    let mut out = Vec::with_capacity(octets);
    out.push(u8::try_from(header.len()).expect("the header fits into a segment"));
    out.extend_from_slice(header);
    out.extend_from_slice(data);
    Ok(vec![Segment {
        octets: out.into(),
        header: 1 + header.len(),
    }])
}

fn build<'a, P: ?Sized + 'a>(
    parts: impl Iterator<Item = &'a P>,
    total: usize,
    payload_octets: usize,
    reference: Reference,
    mut write: impl FnMut(&'a P, &mut Vec<u8>),
) -> Result<Vec<Segment>, SegmentError> {
    let total_octet = u8::try_from(total).map_err(|_| SegmentError::TooMany(total))?;
    let mut out = Vec::with_capacity(payload_octets + total * reference.header_octets());
    let mut cuts = Vec::with_capacity(total);
    for (part, number) in parts.zip(1..=total_octet) {
        let start = out.len();
        if total > 1 {
            Concatenation {
                reference,
                total: total_octet,
                part: number,
            }
            .write(&mut out);
        }
        let header = out.len() - start;
        write(part, &mut out);
        cuts.push((start..out.len(), header));
    }
    let out = Bytes::from(out);
    Ok(cuts
        .into_iter()
        .map(|(range, header)| Segment {
            octets: out.slice(range),
            header,
        })
        .collect())
}

/// Units one segment holds: alone, and as one of several.
fn capacity(encoding: Encoding, reference: Reference) -> (usize, usize) {
    let rest = SEGMENT_OCTETS_MAX - reference.header_octets();
    match encoding {
        Encoding::Gsm7 => (SEGMENT_OCTETS_MAX * 8 / 7, rest * 8 / 7),
        Encoding::Ucs2 => (SEGMENT_OCTETS_MAX / 2, rest / 2),
        Encoding::Binary => (SEGMENT_OCTETS_MAX, rest),
    }
}

fn binary_parts(octets: usize, reference: Reference) -> usize {
    let (alone, each) = capacity(Encoding::Binary, reference);
    if octets <= alone { 1 } else { octets.div_ceil(each) }
}

/// Units of the whole text, or its first character that `encoding` does not have.
fn units_in(text: &str, encoding: Encoding) -> Result<usize, char> {
    match encoding {
        Encoding::Gsm7 => text
            .chars()
            .try_fold(0, |sum, c| gsm7::width(c).map(|width| sum + width).ok_or(c)),
        _ => Ok(text.encode_utf16().count()),
    }
}

/// Slices of a text that fill one segment each.
#[derive(Clone)]
struct Parts<'a> {
    rest: Option<&'a str>,
    encoding: Encoding,
    limit: usize,
}

fn parts_of(text: &str, encoding: Encoding, units: usize, reference: Reference) -> Parts<'_> {
    let (alone, each) = capacity(encoding, reference);
    Parts {
        rest: Some(text),
        encoding,
        limit: if units <= alone { alone } else { each },
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.rest?;
        let mut units = 0;
        let end = text.char_indices().find_map(|(at, character)| {
            units += match self.encoding {
                Encoding::Gsm7 => gsm7::width(character).unwrap_or(1),
                _ => character.len_utf16(),
            };
            (units > self.limit).then_some(at)
        });
        let (part, rest) = end.map_or((text, None), |end| (&text[..end], Some(&text[end..])));
        self.rest = rest;
        Some(part)
    }
}

fn write_text(text: &str, encoding: Encoding, out: &mut Vec<u8>) {
    match encoding {
        Encoding::Gsm7 => write_septets(text, out),
        _ => out.extend(text.encode_utf16().flat_map(u16::to_be_bytes)),
    }
}

fn write_septets(text: &str, out: &mut Vec<u8>) {
    for character in text.chars() {
        match gsm7::septets_of(character).expect("units_in found every character in the alphabet") {
            gsm7::Septets::Basic(code) => out.push(code),
            gsm7::Septets::Extended(code) => out.extend([gsm7::ESCAPE, code]),
        }
    }
}

#[cfg(test)]
mod tests;

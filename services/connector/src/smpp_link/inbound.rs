//! What a `deliver_sm` or `data_sm` that is no receipt says: a message from a handset, or a part of one.
//!
//! Nothing is refused here: what cannot be understood is kept as octets, told in a word, and counted.

use bytes::Bytes;
use smpp::{Deliver, tag};
use sms::{Charset, Concatenation, InboundPart, Reference, gsm7, inbound_address};

use super::SmppConfig;
use crate::{Alphabet, inbound::among_several};

/// Longest name of a message kept, in characters.
const NAME_CHARS_MAX: usize = 64;
/// The content begins with a user data header (3.4 §5.2.12).
const HEADED: u8 = 0x40;
/// Information elements that tie parts together, with an 8-bit and a 16-bit reference (3GPP TS 23.040 §9.2.3.24).
const TIES: [u8; 2] = [0x00, 0x08];

/// What came, and what is odd about it.
pub(super) fn read(smpp: &SmppConfig, deliver: &Deliver) -> (InboundPart, Vec<&'static str>) {
    let mut odd = Vec::new();
    let octets = deliver.body.octets();
    let header = match deliver.esm_class & HEADED {
        0 => Some(Bytes::new()),
        _ => header(octets),
    };
    let charset = charset(smpp.alphabet, deliver.data_coding);
    if charset.is_none() {
        odd.push("inbound_coding");
    }
    let (header, payload, charset) = match header {
        Some(header) if deliver.esm_class & HEADED != 0 => {
            let payload = octets.slice(1 + header.len()..);
            (header, payload, charset)
        }
        Some(header) => (header, octets.clone(), charset),
        // The header says that it is longer than what came: nobody knows where the content begins.
        None => {
            odd.push("inbound_header");
            (Bytes::new(), octets.clone(), None)
        }
    };
    let place = place(deliver, &header, &mut odd);
    let payload = unpack(smpp.alphabet, charset, payload, &header);
    let part = InboundPart {
        from: address(smpp, &deliver.source.value),
        to: address(smpp, &deliver.destination.value),
        charset: charset.unwrap_or(Charset::Octets),
        data_coding: deliver.data_coding,
        header: without_ties(&header),
        octets: payload,
        place,
        name: name(deliver),
    };
    (part, odd)
}

/// The header without its length octet; `None` = it is cut off.
fn header(octets: &Bytes) -> Option<Bytes> {
    let length = usize::from(*octets.first()?);
    (octets.len() > length).then(|| octets.slice(1..=length))
}

/// The character set of a `data_coding` (3.4 §5.2.19, 3GPP TS 23.038 §4); `None` = it is not known.
fn charset(default: Alphabet, data_coding: u8) -> Option<Charset> {
    let default = match default {
        Alphabet::Gsm7 | Alphabet::Gsm7Packed => Charset::Gsm7,
        Alphabet::Latin1 => Charset::Latin1,
        Alphabet::Ascii => Charset::Ascii,
    };
    Some(match data_coding {
        0x00 => default,
        0x01 => Charset::Ascii,
        0x02 | 0x04 => Charset::Octets,
        0x03 => Charset::Latin1,
        0x08 => Charset::Ucs2,
        // A message class, uncompressed, and the alphabet in two bits.
        0x10..=0x1F => match data_coding & 0x0C {
            0x00 => default,
            0x04 => Charset::Octets,
            0x08 => Charset::Ucs2,
            _ => return None,
        },
        // A message waits: to be discarded or stored in the default alphabet, or stored in UCS-2.
        0xC0..=0xDF => default,
        0xE0..=0xEF => Charset::Ucs2,
        // Data coding and message class.
        0xF0..=0xFF if data_coding & 0x04 != 0 => Charset::Octets,
        0xF0..=0xFF => default,
        _ => return None,
    })
}

/// Septets that travelled packed, one in an octet each; anything else as it is.
fn unpack(alphabet: Alphabet, charset: Option<Charset>, payload: Bytes, header: &Bytes) -> Bytes {
    if alphabet != Alphabet::Gsm7Packed || charset != Some(Charset::Gsm7) {
        return payload;
    }
    let header_octets = if header.is_empty() { 0 } else { 1 + header.len() };
    gsm7::unpack(&payload, header_octets).into()
}

/// The place in a long message: from the SAR TLVs if all three are there, else from the header. A place that makes no sense
/// is none.
fn place(deliver: &Deliver, header: &Bytes, odd: &mut Vec<&'static str>) -> Option<Concatenation> {
    let number = |tag| {
        let tlv = deliver.tlvs.iter().find(|tlv| tlv.tag == tag)?;
        tlv.as_number()
    };
    let sar = [tag::SAR_MSG_REF_NUM, tag::SAR_TOTAL_SEGMENTS, tag::SAR_SEGMENT_SEQNUM].map(number);
    if let [Some(reference), Some(total), Some(part)] = sar {
        let read = || {
            let (total, part) = (u8::try_from(total).ok()?, u8::try_from(part).ok()?);
            let reference = Reference::Long(u16::try_from(reference).ok()?);
            (1..=total)
                .contains(&part)
                .then_some(Concatenation { reference, total, part })
        };
        let place = read();
        if place.is_none() {
            odd.push("inbound_place");
        }
        return place.and_then(among_several);
    }
    if !has_tie(header) {
        return None;
    }
    let whole = [&[u8::try_from(header.len()).unwrap_or(u8::MAX)], &header[..]].concat();
    let place = Concatenation::read(&whole);
    if place.is_none() {
        odd.push("inbound_place");
    }
    place.and_then(among_several)
}

fn has_tie(header: &[u8]) -> bool {
    elements(header).any(|element| TIES.contains(&element[0]))
}

/// The header without the elements that tie parts together, which differ from part to part.
fn without_ties(header: &Bytes) -> Bytes {
    if !has_tie(header) {
        return header.clone();
    }
    let others = elements(header).filter(|element| !TIES.contains(&element[0]));
    others.flatten().copied().collect()
}

/// The information elements of a header, each with its kind and length; one that is cut off is the last and as it is.
fn elements(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = header;
    std::iter::from_fn(move || {
        let length = rest.get(1).map_or(1, |length| 2 + usize::from(*length));
        let (element, next) = rest.split_at(length.min(rest.len()));
        rest = next;
        (!element.is_empty()).then_some(element)
    })
}

/// The digits of a number without the carrier's dialing prefix, or the name.
fn address(smpp: &SmppConfig, value: &str) -> String {
    let is_number = |digits: &&str| !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit());
    let prefix = smpp.destination_prefix.as_str();
    let stripped = value
        .strip_prefix(prefix)
        .filter(|_| !prefix.is_empty())
        .filter(is_number);
    inbound_address(stripped.unwrap_or(value))
}

/// What the carrier calls the message; empty = nothing, and so is a name of zeros alone, which names nothing.
fn name(deliver: &Deliver) -> String {
    let find = |tag| deliver.tlvs.iter().find(|tlv| tlv.tag == tag);
    let id = find(tag::RECEIPTED_MESSAGE_ID).map(|tlv| {
        let octets = tlv.value.split(|octet| *octet == 0).next().unwrap_or_default();
        let id = String::from_utf8_lossy(octets);
        id.chars().take(NAME_CHARS_MAX).collect::<String>()
    });
    id.filter(|id| id.chars().any(|digit| digit != '0')).unwrap_or_default()
}

#[cfg(test)]
mod tests;

//! What a call of a carrier says that a handset wrote.

use sms::{Charset, InboundPart, inbound_address};

use super::{fields::Entry, hook::InboundShape};

/// Longest name of a message kept, in characters.
const NAME_CHARS_MAX: usize = 64;

/// The message; `None` = it names no sender or no called number. A carrier that speaks HTTP has joined its parts.
pub(super) fn read(shape: &InboundShape, entry: Entry<'_>) -> Option<InboundPart> {
    let from = entry.text(&shape.from)?;
    let to = entry.text(&shape.to)?;
    let text = entry.whole_text(&shape.text).unwrap_or_default();
    let name = entry.text(&shape.id).unwrap_or_default();
    Some(InboundPart {
        from: inbound_address(&from),
        to: inbound_address(&to),
        charset: Charset::Ucs2,
        data_coding: 8,
        header: bytes::Bytes::new(),
        octets: text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        place: None,
        name: name.chars().take(NAME_CHARS_MAX).collect(),
    })
}

//! A message that was asked for and checked, and not yet accepted. Every way in makes drafts through the same checks.

use std::{fmt::Display, time::Duration};

use bytes::Bytes;
use sms::{BINARY_OCTETS_MAX, Class, Content, Encoding, Msisdn, SEGMENT_OCTETS_MAX, Sender, TEXT_OCTETS_MAX, count};

/// Longest reference, in octets.
pub const REFERENCE_OCTETS_MAX: usize = 128;
/// Longest idempotency key, in octets.
pub const IDEMPOTENCY_KEY_OCTETS_MAX: usize = 128;
/// Shortest time to live.
pub const TTL_MIN: Duration = Duration::from_secs(1);
/// Longest time to live: topics keep a message that long, and a day more.
pub const TTL_MAX: Duration = Duration::from_secs(24 * 3_600);

/// A message that was asked for and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Sender.
    pub from: Sender,
    /// Recipient.
    pub to: Msisdn,
    /// What it says.
    pub content: Content,
    /// Encoding that the content needs.
    pub encoding: Encoding,
    /// Segments that the content takes.
    pub segments: u8,
    /// What it is for.
    pub class: Class,
    /// Time to live; absent = the route's or the class's.
    pub ttl: Option<Duration>,
    /// Whether the customer wants to know how it ended.
    pub receipt: bool,
    /// Free word; empty = none.
    pub reference: String,
    /// Makes submissions of one message recognisable; empty = none.
    pub idempotency_key: String,
}

/// A field that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The field, such as `to`.
    pub field: &'static str,
    /// What is wrong with its value, which limit it breaks, and the value itself, masked if it may be a number.
    pub what: String,
}

impl Violation {
    /// `field` is refused because of `what`.
    pub fn new(field: &'static str, what: impl Display) -> Self {
        Self {
            field,
            what: what.to_string(),
        }
    }
}

/// Reads a recipient.
pub(crate) fn recipient(number: &str) -> Result<Msisdn, Violation> {
    if number.is_empty() {
        return Err(Violation::new(
            "to",
            "missing: wanted are 3 to 15 digits in international format",
        ));
    }
    Msisdn::new(number).map_err(|error| Violation::new("to", format_args!("\"{}\": {error}", masked(number))))
}

/// Reads a sender.
pub(crate) fn sender(sender: &str) -> Result<Sender, Violation> {
    if sender.is_empty() {
        return Err(Violation::new(
            "from",
            "missing: wanted is a name of up to 11 characters or a number",
        ));
    }
    Sender::new(sender).map_err(|error| Violation::new("from", format_args!("\"{}\": {error}", masked(sender))))
}

/// Checks a text against its limit.
pub(crate) fn text(text: String) -> Result<Content, Violation> {
    match text.len() {
        1..=TEXT_OCTETS_MAX => Ok(Content::Text(text)),
        octets => {
            let what = format!("text has {octets} octets of UTF-8, allowed are 1 to {TEXT_OCTETS_MAX}");
            Err(Violation::new("content.text", what))
        }
    }
}

/// Checks a binary payload and its header against their limits.
pub(crate) fn binary(data: Bytes, header: Bytes) -> Result<Content, Violation> {
    if !(1..=BINARY_OCTETS_MAX).contains(&data.len()) {
        let what = format!(
            "payload has {} octets, allowed are 1 to {BINARY_OCTETS_MAX}",
            data.len()
        );
        return Err(Violation::new("content.binary.data", what));
    }
    if header.is_empty() {
        return Ok(Content::Binary { data, header: None });
    }
    let octets = 1 + header.len() + data.len();
    if octets > SEGMENT_OCTETS_MAX {
        let what = format!(
            "header, its length octet and data are {octets} octets, a message with a header of its own may have \
             {SEGMENT_OCTETS_MAX}"
        );
        return Err(Violation::new("content.binary.header", what));
    }
    if !is_header(&header) {
        let what = "not a list of elements, each of an identifier, a length and so many octets";
        return Err(Violation::new("content.binary.header", what));
    }
    Ok(Content::Binary {
        data,
        header: Some(header),
    })
}

/// Encoding and segments of `content`, within what the account may send.
pub(crate) fn size(content: &Content, segments_max: u8) -> Result<(Encoding, u8), Violation> {
    let size = count(content);
    if size.segments > segments_max {
        let what = format!(
            "takes {} segments ({} units of {}), this account may send {segments_max}",
            size.segments, size.units, size.encoding
        );
        return Err(Violation::new("content", what));
    }
    Ok((size.encoding, size.segments))
}

/// Checks a time to live of `seconds` and `nanos`.
pub(crate) fn ttl(seconds: i64, nanos: i32) -> Result<Duration, Violation> {
    let ttl = u64::try_from(seconds)
        .ok()
        .zip(u32::try_from(nanos).ok())
        .filter(|(_, nanos)| *nanos < 1_000_000_000);
    match ttl.map(|(seconds, nanos)| Duration::new(seconds, nanos)) {
        Some(ttl) if (TTL_MIN..=TTL_MAX).contains(&ttl) => Ok(ttl),
        _ => {
            let (least, most) = (TTL_MIN.as_secs(), TTL_MAX.as_secs());
            Err(Violation::new(
                "ttl",
                format!("{seconds} s and {nanos} ns, allowed are {least} s to {most} s"),
            ))
        }
    }
}

/// Checks a reference.
pub(crate) fn reference(reference: String) -> Result<String, Violation> {
    word("reference", reference, REFERENCE_OCTETS_MAX)
}

/// Checks an idempotency key.
pub(crate) fn idempotency_key(key: String) -> Result<String, Violation> {
    word("idempotency_key", key, IDEMPOTENCY_KEY_OCTETS_MAX)
}

fn word(field: &'static str, word: String, octets_max: usize) -> Result<String, Violation> {
    if word.len() > octets_max {
        return Err(Violation::new(
            field,
            format!("has {} octets, allowed are up to {octets_max}", word.len()),
        ));
    }
    match word.chars().find(|character| character.is_control()) {
        Some(found) => Err(Violation::new(
            field,
            format!("contains {found:?}, control characters are not allowed"),
        )),
        None => Ok(word),
    }
}

fn is_header(mut elements: &[u8]) -> bool {
    while let [_, length, rest @ ..] = elements {
        match rest.split_at_checked(usize::from(*length)) {
            Some((_, next)) => elements = next,
            None => return false,
        }
    }
    elements.is_empty()
}

/// Characters of a refused address that are shown.
const SHOWN_CHARS: usize = 24;

/// An address as it may be shown: without its middle, since it may be a number however wrong.
fn masked(address: &str) -> String {
    let chars = address.chars().count();
    let (head, tail) = if chars > 7 { (4, 2) } else { (1, 1) };
    let shown = address.chars().take(SHOWN_CHARS).enumerate();
    let mut masked: String = shown
        .map(|(at, c)| {
            if at < head || (at + tail >= chars && chars > 2) {
                c
            } else {
                '*'
            }
        })
        .collect();
    if chars > SHOWN_CHARS {
        masked.push('…');
    }
    masked
}

#[cfg(test)]
mod tests;

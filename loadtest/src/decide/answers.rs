//! What a decision comes to, read in one place.

use sms::{CarrierName, Encoding};
use table::Decision;

/// One carrier that a message is to be offered to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chosen<'a> {
    pub(crate) carrier: &'a CarrierName,
    /// Of all segments, in millionths of the table's currency.
    pub(crate) cost: i64,
    /// Sender towards it; `None` = as asked.
    pub(crate) from: Option<&'a str>,
}

/// What is sent, and to whom beside. `None` = as asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sent<'a> {
    pub(crate) to: Option<&'a str>,
    pub(crate) from: Option<&'a str>,
    pub(crate) text: Option<&'a str>,
    pub(crate) encoding: Encoding,
    pub(crate) segments: u8,
    pub(crate) copies: &'a [&'a str],
}

/// The carriers of a decision, the first first.
pub(crate) fn chosen<'a>(decision: &'a Decision<'_>) -> impl Iterator<Item = Chosen<'a>> {
    decision.candidates.iter().map(|one| Chosen {
        carrier: one.carrier,
        cost: one.cost.0,
        from: one.from,
    })
}

/// What is sent, and to whom beside.
pub(crate) fn sent<'a>(decision: &'a Decision<'_>) -> Sent<'a> {
    Sent {
        to: decision.to,
        from: decision.from,
        text: decision.text,
        encoding: decision.encoding,
        segments: decision.segments,
        copies: &decision.copies,
    }
}

/// A number that follows from the answer, so that no compiler can leave the work out.
pub(crate) fn trace(decision: &Decision<'_>) -> u64 {
    let first = decision.candidates.first().map_or(0, |one| one.cost.0 as u64);
    first + decision.candidates.len() as u64
}

/// A number that differs wherever two answers differ in action, policy, carriers or costs, but for chance.
pub(crate) fn digest(decision: &Decision<'_>) -> u64 {
    let octet = |sum: u64, octet: u8| (sum ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3);
    let text = |sum, text: &str| text.bytes().fold(sum, octet);
    let start = text(0xcbf2_9ce4_8422_2325, decision.action.as_str());
    chosen(decision).fold(text(start, decision.policy.unwrap_or_default()), |sum, one| {
        let sum = text(sum, one.carrier.as_str());
        one.cost.to_le_bytes().into_iter().fold(sum, octet)
    })
}

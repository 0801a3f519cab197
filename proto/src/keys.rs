//! Names of what is kept in the store: the one place that knows them.

use journey::OrderNumber;
use sms::{AccountId, CarrierName, MessageId};
use store::Key;

use crate::record::DeadId;

/// The claim of one order; its owner is whoever may put it on the wire, or end it.
pub fn claim(message: MessageId, number: OrderNumber) -> Key {
    Key::new("claim", format!("{message}/{}", number.0))
}

/// What is known about a message that a carrier may have.
pub fn state(message: MessageId) -> Key {
    Key::new("state", message.to_string())
}

/// The message in a key made by [`state`]; `None` for other keys.
pub fn message_of_state(key: &Key) -> Option<MessageId> {
    std::str::from_utf8(key.0.strip_prefix(b"state/")?).ok()?.parse().ok()
}

/// What a carrier's id of a segment stands for.
pub fn correlation(carrier: &CarrierName, remote_id: &str) -> Key {
    Key::new("corr", format!("{carrier}/{remote_id}"))
}

/// What is known of an inbound message, by a hash of what tells it from others.
pub fn inbound(carrier: &CarrierName, hash: [u8; 16]) -> Key {
    let digits: String = hash.iter().map(|octet| format!("{octet:02x}")).collect();
    Key::new("inbound", format!("{carrier}/{digits}"))
}

/// Partition of the store's due index for inbound messages whose parts are awaited: beyond those of the log, which messages on
/// their way out use.
pub const INBOUND_DUE: u32 = 1 << 19;

/// What an account's idempotency key stands for; `key_hash` since a key may hold anything.
pub fn idempotency(account: &AccountId, key_hash: &str) -> Key {
    Key::new("idem", format!("{account}/{key_hash}"))
}

/// What is known of a number, by a keyed hash of it.
pub fn looked_up(hash: [u8; 16]) -> Key {
    let digits: String = hash.iter().map(|octet| format!("{octet:02x}")).collect();
    Key::new("number", digits)
}

/// When a dead record was put back last, in milliseconds as decimal digits.
pub fn replayed(id: DeadId) -> Key {
    Key::new("replayed", id.to_string())
}

/// Says that an event that cannot be read was put aside, by the id that it would have as a dead record.
pub fn aside(event: DeadId) -> Key {
    Key::new("dead", event.to_string())
}

/// The lease of one connector incarnation.
pub fn lease(incarnation: &str) -> Key {
    Key::new("lease", incarnation)
}

/// What a carrier's account bears and which connectors use it, as text of their own.
pub fn rate(account: &str) -> Key {
    Key::new("rate", account)
}

/// What an operator ordered the link of that name to do, as text of the connectors.
pub fn link_order(link: &str) -> Key {
    Key::new("link-order", link)
}

/// The rate that an operator ordered for a carrier's account, likewise.
pub fn rate_order(account: &str) -> Key {
    Key::new("rate-order", account)
}

/// Until when, in milliseconds, orders were stored that may have been started under a lost epoch, as decimal digits.
/// Absent = there was no epoch before this one.
pub fn doubt() -> Key {
    Key::new("doubt", "")
}

/// The same again, so that one that was changed is told: digits that lost or changed one are a number still. Older versions
/// write none.
pub fn doubt_copy() -> Key {
    Key::new("doubt", "copy")
}

/// The run named in the owner octets of a claim that was made again from the log, for an order whose answer stands there.
pub const ANSWERED_RUN: &str = "answered";

/// Owner octets of such a claim.
pub fn answered_owner(carrier: &CarrierName) -> Vec<u8> {
    format!("{carrier}/{ANSWERED_RUN}").into_bytes()
}

/// Owner octets of a claim taken by a router, whichever: an order taken out of use so that it can no longer be sent.
pub const ROUTER_OWNER: &[u8] = b"router";

/// Owner octets of a claim that was made again from the log, for an order that was called off: a later one stands there, so
/// nobody waits for its answer. No carrier is called so.
pub const CALLED_OFF_OWNER: &[u8] = b"/called-off";

/// The order number in a key made by [`claim`]; `None` for other keys.
pub fn number_of_claim(key: &Key) -> Option<OrderNumber> {
    let path = std::str::from_utf8(key.0.strip_prefix(b"claim/")?).ok()?;
    path.rsplit_once('/')?.1.parse().ok().map(OrderNumber)
}

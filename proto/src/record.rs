//! The storage format: domain values to octets and back, for the bus and the store.
//!
//! Every `*_from_bytes` refuses what it does not understand with an [`Invalid`] that names the field; the caller puts such
//! a record on `dead` with its octets and that reason. Octets written by an older version are always understood. Everything
//! is written behind a seal (`seal.rs`) that tells damage, a wrong kind and a later format.

mod carrier;
mod dead;
mod idempotency;
mod inbound;
mod invalid;
mod looked_up;
mod message;
mod neighbour;
mod order;
mod reading;
mod seal;
mod state;
mod table;

use bytes::Bytes;
use journey::{
    CarrierReport, CarrierWord, Correlation, Delayed, Event, Order, OrderAnswer, ReceiptRecord, RouterReport, State,
    Unmatched,
};
use sms::{Gathering, Inbound, Message, RecordKey, UnixMs};
use store::Versioned;

use crate::pb::signalbox::bus::v1 as pb;

pub use carrier::{carrier_key, router_key, time_key};
pub use dead::{
    DeadId, DeadRecord, DeadWord, dead_from_bytes, dead_to_bytes, dead_word_from_bytes, replayed_at_from_bytes,
    replayed_at_to_bytes, replayed_to_bytes,
};
pub use idempotency::{KeyEntry, KeyMark};
pub use invalid::{Fault, Invalid};
pub use looked_up::{HandsetReach, LookedUp};
pub use neighbour::Neighbour;
pub use reading::{Reading, order_is_for, read_as_on};
use seal::Kind;
pub use seal::{FORMAT, of_a_later_format};
pub use table::{
    CHUNK_OCTETS_MAX, TableChunk, TableConfirmation, TablePublication, TableServing, TableWord, chunk_checksum,
    table_word_from_bytes, table_word_to_bytes,
};

/// Octets of the accepted message.
pub fn accepted_to_bytes(accepted: &Message) -> Bytes {
    seal::seal(Kind::Accepted, &message::to_pb(accepted, message::Keep::All))
}

/// The same with the idempotency key it was submitted under.
pub fn accepted_with_key_to_bytes(accepted: &Message, mark: &KeyMark) -> Bytes {
    let mut accepted = message::to_pb(accepted, message::Keep::All);
    accepted.idempotency = Some(mark.to_pb());
    seal::seal(Kind::Accepted, &accepted)
}

/// The accepted message in `octets`.
///
/// # Errors
/// The field that is missing or not understood.
pub fn accepted_from_bytes(octets: &Bytes) -> Result<Message, Invalid> {
    message::from_pb(seal::open(Kind::Accepted, octets)?)
}

/// The accepted message in `octets`, and the idempotency key it was submitted under, if any.
///
/// # Errors
/// The field that is missing or not understood.
pub fn accepted_with_key_from_bytes(octets: &Bytes) -> Result<(Message, Option<KeyMark>), Invalid> {
    let accepted: pb::Accepted = seal::open(Kind::Accepted, octets)?;
    let mark = accepted.idempotency.as_ref().map(KeyMark::from_pb).transpose()?;
    Ok((message::from_pb(accepted)?, mark))
}

/// Octets of the note that the store was rebuilt after it was seen to be lost at `lost_at`.
pub fn rebuilt_to_bytes(lost_at: UnixMs) -> Bytes {
    seal::seal(Kind::Rebuilt, &pb::Rebuilt { lost_at: lost_at.0 })
}

/// Octets of the instant before which orders were stored that may have been started under a lost epoch.
pub fn doubt_to_bytes(before: UnixMs) -> Bytes {
    before.0.to_string().into()
}

/// The instant under [`keys::doubt`](crate::keys::doubt), of which that under [`keys::doubt_copy`](crate::keys::doubt_copy)
/// must say the same: `found` are the values of both, in that order. `None` = there is none.
///
/// # Errors
/// It is no such instant, or the copy is another one: nobody knows then which orders were started.
pub fn doubt_from_values(found: &[Option<Versioned>]) -> Result<Option<UnixMs>, Invalid> {
    let mut values = found.iter().map(|value| value.as_ref().map(|value| &value.value[..]));
    let (doubt, copy) = (values.next().flatten(), values.next().flatten());
    doubt.map(|doubt| doubt_from_bytes(doubt, copy)).transpose()
}

/// The instant in `octets`, if `copy` says the same; absent = an older version wrote none.
fn doubt_from_bytes(octets: &[u8], copy: Option<&[u8]>) -> Result<UnixMs, Invalid> {
    if copy.is_some_and(|copy| copy != octets) {
        return Err(Invalid::Damaged("is not what its copy says".to_owned()));
    }
    let digits = invalid::field("doubt", std::str::from_utf8(octets))?;
    invalid::field("doubt", digits.parse()).map(UnixMs)
}

/// Octets of an order.
pub fn order_to_bytes(order: &Order) -> Bytes {
    seal::seal(Kind::Order, &order::to_pb(order, message::Keep::All))
}

/// The order in `octets`.
///
/// # Errors
/// The field that is missing or not understood.
pub fn order_from_bytes(octets: &Bytes) -> Result<Order, Invalid> {
    order::from_pb(seal::open(Kind::Order, octets)?)
}

/// Octets of what a connector says about an order. What the carrier took goes without its rewritten content, and without
/// any content unless the route may still fail over.
pub fn outcome_to_bytes(answer: &OrderAnswer) -> Bytes {
    seal::seal(Kind::Outcome, &order::answer_to_pb(answer))
}

/// What a connector said in `octets`. Content that was left out reads as empty text.
///
/// # Errors
/// The field that is missing or not understood.
pub fn outcome_from_bytes(octets: &Bytes) -> Result<OrderAnswer, Invalid> {
    order::answer_from_pb(seal::open(Kind::Outcome, octets)?)
}

/// Octets of a receipt that found its order.
pub fn receipt_to_bytes(receipt: &ReceiptRecord) -> Bytes {
    seal::seal(Kind::Receipt, &order::matched_to_pb(receipt))
}

/// The receipt in `octets`.
///
/// # Errors
/// The field that is missing or not understood.
pub fn receipt_from_bytes(octets: &Bytes) -> Result<ReceiptRecord, Invalid> {
    order::matched_from_pb(seal::open(Kind::Receipt, octets)?)
}

/// Octets of a receipt whose order is not known yet.
pub fn unmatched_to_bytes(unmatched: &Unmatched) -> Bytes {
    seal::seal(Kind::Unmatched, &message::unmatched_to_pb(unmatched))
}

/// The receipt without a match in `octets`.
///
/// # Errors
/// The field that is missing or not understood.
pub fn unmatched_from_bytes(octets: &Bytes) -> Result<Unmatched, Invalid> {
    message::unmatched_from_pb(seal::open(Kind::Unmatched, octets)?)
}

/// Octets of what a carrier's id stands for; the value under [`keys::correlation`](crate::keys::correlation).
pub fn correlation_to_bytes(correlation: &Correlation) -> Bytes {
    seal::seal(Kind::Correlation, &order::correlation_to_pb(correlation))
}

/// What a carrier's id stands for.
///
/// # Errors
/// The field that is missing or not understood.
pub fn correlation_from_bytes(octets: &Bytes) -> Result<Correlation, Invalid> {
    order::correlation_from_pb(seal::open(Kind::Correlation, octets)?)
}

/// Octets of what waits in a delay topic from `put_at` on.
pub fn delayed_to_bytes(delayed: &Delayed, put_at: UnixMs) -> Bytes {
    seal::seal(Kind::Delayed, &message::delayed_to_pb(delayed, put_at))
}

/// Since when `octets` wait in a delay topic, by the clock of who put them there; `None` = they do not say, or cannot be read.
pub fn delayed_put_at(octets: &Bytes) -> Option<UnixMs> {
    let delayed: pb::Delayed = seal::open(Kind::Delayed, octets).ok()?;
    delayed.put_at.map(UnixMs)
}

/// What waits in a delay topic, with the key of its record.
///
/// # Errors
/// The field that is missing or not understood.
pub fn delayed_from_bytes(octets: &Bytes, key: RecordKey) -> Result<Delayed, Invalid> {
    message::delayed_from_pb(seal::open(Kind::Delayed, octets)?, key)
}

/// Octets of a message's state; the value under [`keys::state`](crate::keys::state).
pub fn state_to_bytes(state: &State) -> Bytes {
    seal::seal(Kind::State, &state::to_pb(state))
}

/// The state in `octets`.
///
/// # Errors
/// The field that is missing or not understood.
pub fn state_from_bytes(octets: &Bytes) -> Result<State, Invalid> {
    state::from_pb(seal::open(Kind::State, octets)?)
}

/// Octets of an event: equal events give equal octets.
pub fn event_to_bytes(event: &Event) -> Bytes {
    seal::seal(Kind::Event, &state::event_to_pb(event))
}

/// The event in `octets`.
///
/// # Errors
/// The field that is missing or not understood.
pub fn event_from_bytes(octets: &Bytes) -> Result<Event, Invalid> {
    state::event_from_pb(seal::open(Kind::Event, octets)?)
}

/// Octets of what a connector says about a carrier.
pub fn carrier_to_bytes(report: &CarrierReport) -> Bytes {
    seal::seal(Kind::Carrier, &carrier::to_pb(report))
}

/// What a connector said about a carrier in `octets`. Lanes that are not told read as empty; what a router said is refused.
///
/// # Errors
/// The field that is missing or not understood.
pub fn carrier_from_bytes(octets: &Bytes) -> Result<CarrierReport, Invalid> {
    carrier::from_pb(seal::open(Kind::Carrier, octets)?)
}

/// Octets of what a router says.
pub fn router_report_to_bytes(report: &RouterReport) -> Bytes {
    seal::seal(Kind::Carrier, &carrier::router_to_pb(report))
}

/// Octets of a word that says nothing: what counts is when the log took it. Every version reads it as that of a router without a
/// name that ejects nobody.
pub fn time_word_to_bytes() -> Bytes {
    router_report_to_bytes(&RouterReport::default())
}

/// What a connector said about a carrier in `octets`, or a router about all of them.
///
/// # Errors
/// The field that is missing or not understood.
pub fn carrier_word_from_bytes(octets: &Bytes) -> Result<CarrierWord, Invalid> {
    carrier::word_from_pb(seal::open(Kind::Carrier, octets)?)
}

/// Octets of an inbound message.
pub fn inbound_to_bytes(inbound: &Inbound) -> Bytes {
    seal::seal(Kind::Inbound, &inbound::to_pb(inbound))
}

/// The inbound message in `octets`.
///
/// # Errors
/// The field that is missing or not understood.
pub fn inbound_from_bytes(octets: &Bytes) -> Result<Inbound, Invalid> {
    inbound::from_pb(seal::open(Kind::Inbound, octets)?)
}

/// Octets of what is known of an inbound message; the value under [`keys::inbound`](crate::keys::inbound).
pub fn gathering_to_bytes(gathering: &Gathering) -> Bytes {
    seal::seal(Kind::Gathering, &inbound::gathering_to_pb(gathering))
}

/// What is known of an inbound message in `octets`.
///
/// # Errors
/// The field that is missing or not understood.
pub fn gathering_from_bytes(octets: &Bytes) -> Result<Gathering, Invalid> {
    inbound::gathering_from_pb(seal::open(Kind::Gathering, octets)?)
}

#[cfg(test)]
mod tests;

//! The storage format: domain values to octets and back, for the bus and the store.
//!
//! Every `*_from_bytes` refuses what it does not understand with an [`Invalid`] that names the field; the caller puts such
//! a record on `dead` with its octets and that reason. Octets written by an older version are always understood.

mod carrier;
mod idempotency;
mod invalid;
mod message;
mod order;
mod state;

use bytes::Bytes;
use journey::{
    CarrierReport, CarrierWord, Correlation, Delayed, Ejections, Event, Order, OrderAnswer, ReceiptRecord, State,
    Unmatched,
};
use prost::Message as _;
use sms::{Message, RecordKey};

use crate::pb::signalbox::bus::v1 as pb;

pub use carrier::{carrier_key, router_key};
pub use idempotency::{KeyEntry, KeyMark};
pub use invalid::Invalid;

/// Octets of the accepted message.
pub fn accepted_to_bytes(accepted: &Message) -> Bytes {
    message::to_pb(accepted, message::Keep::All).encode_to_vec().into()
}

/// The same with the idempotency key it was submitted under.
pub fn accepted_with_key_to_bytes(accepted: &Message, mark: &KeyMark) -> Bytes {
    let mut accepted = message::to_pb(accepted, message::Keep::All);
    accepted.idempotency = Some(mark.to_pb());
    accepted.encode_to_vec().into()
}

/// The accepted message in `octets`.
///
/// # Errors
/// The field that is missing or not understood.
pub fn accepted_from_bytes(octets: &Bytes) -> Result<Message, Invalid> {
    message::from_pb(pb::Accepted::decode(octets.clone())?)
}

/// The accepted message in `octets`, and the idempotency key it was submitted under, if any.
///
/// # Errors
/// The field that is missing or not understood.
pub fn accepted_with_key_from_bytes(octets: &Bytes) -> Result<(Message, Option<KeyMark>), Invalid> {
    let accepted = pb::Accepted::decode(octets.clone())?;
    let mark = accepted.idempotency.as_ref().map(KeyMark::from_pb).transpose()?;
    Ok((message::from_pb(accepted)?, mark))
}

/// Octets of the note that the store was rebuilt after it was seen to be lost at `lost_at`.
pub fn rebuilt_to_bytes(lost_at: sms::UnixMs) -> Bytes {
    pb::Rebuilt { lost_at: lost_at.0 }.encode_to_vec().into()
}

/// Octets of an order.
pub fn order_to_bytes(order: &Order) -> Bytes {
    order::to_pb(order, message::Keep::All).encode_to_vec().into()
}

/// The order in `octets`.
///
/// # Errors
/// The field that is missing or not understood.
pub fn order_from_bytes(octets: &Bytes) -> Result<Order, Invalid> {
    order::from_pb(pb::Order::decode(octets.clone())?)
}

/// Octets of what a connector says about an order. What the carrier took goes without its rewritten content, and without
/// any content unless the route may still fail over.
pub fn outcome_to_bytes(answer: &OrderAnswer) -> Bytes {
    order::answer_to_pb(answer).encode_to_vec().into()
}

/// What a connector said in `octets`. Content that was left out reads as empty text.
///
/// # Errors
/// The field that is missing or not understood.
pub fn outcome_from_bytes(octets: &Bytes) -> Result<OrderAnswer, Invalid> {
    order::answer_from_pb(pb::OrderAnswer::decode(octets.clone())?)
}

/// Octets of a receipt that found its order.
pub fn receipt_to_bytes(receipt: &ReceiptRecord) -> Bytes {
    order::matched_to_pb(receipt).encode_to_vec().into()
}

/// The receipt in `octets`.
///
/// # Errors
/// The field that is missing or not understood.
pub fn receipt_from_bytes(octets: &Bytes) -> Result<ReceiptRecord, Invalid> {
    order::matched_from_pb(pb::MatchedReceipt::decode(octets.clone())?)
}

/// Octets of a receipt whose order is not known yet.
pub fn unmatched_to_bytes(unmatched: &Unmatched) -> Bytes {
    message::unmatched_to_pb(unmatched).encode_to_vec().into()
}

/// The receipt without a match in `octets`.
///
/// # Errors
/// The field that is missing or not understood.
pub fn unmatched_from_bytes(octets: &Bytes) -> Result<Unmatched, Invalid> {
    message::unmatched_from_pb(pb::Unmatched::decode(octets.clone())?)
}

/// Octets of what a carrier's id stands for; the value under [`keys::correlation`](crate::keys::correlation).
pub fn correlation_to_bytes(correlation: &Correlation) -> Bytes {
    order::correlation_to_pb(correlation).encode_to_vec().into()
}

/// What a carrier's id stands for.
///
/// # Errors
/// The field that is missing or not understood.
pub fn correlation_from_bytes(octets: &Bytes) -> Result<Correlation, Invalid> {
    order::correlation_from_pb(pb::Correlation::decode(octets.clone())?)
}

/// Octets of what waits in a delay topic.
pub fn delayed_to_bytes(delayed: &Delayed) -> Bytes {
    message::delayed_to_pb(delayed).encode_to_vec().into()
}

/// What waits in a delay topic, with the key of its record.
///
/// # Errors
/// The field that is missing or not understood.
pub fn delayed_from_bytes(octets: &Bytes, key: RecordKey) -> Result<Delayed, Invalid> {
    message::delayed_from_pb(pb::Delayed::decode(octets.clone())?, key)
}

/// Octets of a message's state; the value under [`keys::state`](crate::keys::state).
pub fn state_to_bytes(state: &State) -> Bytes {
    state::to_pb(state).encode_to_vec().into()
}

/// The state in `octets`.
///
/// # Errors
/// The field that is missing or not understood.
pub fn state_from_bytes(octets: &Bytes) -> Result<State, Invalid> {
    state::from_pb(pb::State::decode(octets.clone())?)
}

/// Octets of an event: equal events give equal octets.
pub fn event_to_bytes(event: &Event) -> Bytes {
    state::event_to_pb(event).encode_to_vec().into()
}

/// The event in `octets`.
///
/// # Errors
/// The field that is missing or not understood.
pub fn event_from_bytes(octets: &Bytes) -> Result<Event, Invalid> {
    state::event_from_pb(pb::Event::decode(octets.clone())?)
}

/// Octets of what a connector says about a carrier.
pub fn carrier_to_bytes(report: &CarrierReport) -> Bytes {
    carrier::to_pb(report).encode_to_vec().into()
}

/// What a connector said about a carrier in `octets`. Lanes that are not told read as empty; what a router said is refused.
///
/// # Errors
/// The field that is missing or not understood.
pub fn carrier_from_bytes(octets: &Bytes) -> Result<CarrierReport, Invalid> {
    carrier::from_pb(pb::CarrierReport::decode(octets.clone())?)
}

/// Octets of what a router says about carriers that fail.
pub fn ejections_to_bytes(said: &Ejections) -> Bytes {
    carrier::ejections_to_pb(said).encode_to_vec().into()
}

/// What a connector said about a carrier in `octets`, or a router about all of them.
///
/// # Errors
/// The field that is missing or not understood.
pub fn carrier_word_from_bytes(octets: &Bytes) -> Result<CarrierWord, Invalid> {
    carrier::word_from_pb(pb::CarrierReport::decode(octets.clone())?)
}

/// A record that could not be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadRecord {
    /// The topic it stood on.
    pub topic: String,
    /// Its octets.
    pub octets: Bytes,
    /// Why it could not be decoded.
    pub reason: String,
}

/// Octets of a dead record.
pub fn dead_to_bytes(dead: &DeadRecord) -> Bytes {
    let DeadRecord { topic, octets, reason } = dead.clone();
    pb::Dead { topic, octets, reason }.encode_to_vec().into()
}

/// The dead record in `octets`.
///
/// # Errors
/// The octets are no dead record.
pub fn dead_from_bytes(octets: &Bytes) -> Result<DeadRecord, Invalid> {
    let pb::Dead { topic, octets, reason } = pb::Dead::decode(octets.clone())?;
    Ok(DeadRecord { topic, octets, reason })
}

#[cfg(test)]
mod tests;

//! The message as the customer asked for it.

use crate::{AccountId, Class, Content, Encoding, MessageId, Msisdn, RecordKey, Sender, TraceContext, UnixMs};

/// A message that was answered OK: what was asked, and what ingest fixed about it. Never changed afterwards; what a
/// policy rewrites stands in the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Id given by ingest.
    pub id: MessageId,
    /// The account that submitted it.
    pub account: AccountId,
    /// Key of all its bus records.
    pub key: RecordKey,
    /// Sender as asked.
    pub from: Sender,
    /// Recipient as asked.
    pub to: Msisdn,
    /// What it says.
    pub content: Content,
    /// Encoding that `content` needs.
    pub encoding: Encoding,
    /// Segments that `content` takes in `encoding`, 1 to 255.
    pub segments: u8,
    /// What it is for.
    pub class: Class,
    /// When ingest accepted it.
    pub accepted_at: UnixMs,
    /// Time to live asked by the request, from acceptance; absent = the route's or the class's.
    pub ttl: Option<std::time::Duration>,
    /// Whether the customer wants to know how it ended. False ends the message in `sent` on acceptance by a carrier.
    pub receipt: bool,
    /// Free word of the customer, handed back with receipts; empty = none.
    pub reference: String,
    /// The message that a policy made this copy of; absent = a customer asked for this one.
    pub copy_of: Option<MessageId>,
    /// The span in which ingest accepted it; absent = it is not traced, as nearly all are not.
    pub trace: Option<Box<TraceContext>>,
}

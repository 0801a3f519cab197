//! What travels between services about a message under way.

use std::time::Duration;

use sms::{CarrierName, Message, Receipt, RecordKey, TraceContext, UnixMs};

use crate::{Attempt, Charge, Order, OrderNumber, OrderRef, Outcome};

/// What a connector says about one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderAnswer {
    /// The order.
    pub order: OrderRef,
    /// What became of it.
    pub outcome: Outcome,
    /// When the connector learnt it.
    pub at: UnixMs,
    /// The order as it was. On the bus an accepted order is kept without content unless [`Order::may_fail_over`].
    pub returned: Box<Order>,
    /// What the carrier says that it charges; only beside [`Outcome::Accepted`].
    pub charge: Option<Box<Charge>>,
}

/// What a carrier said about one segment, and when it was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentReceipt {
    /// The segment, from 0.
    pub segment: u8,
    /// What was said.
    pub receipt: Receipt,
    /// When the connector heard it.
    pub at: UnixMs,
}

/// A receipt that found its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptRecord {
    /// The order it speaks of.
    pub order: OrderRef,
    /// The segment it speaks of, from 0.
    pub segment: u8,
    /// Segments of the order for which receipts come; absent = not known to whoever matched it.
    pub segments: Option<u8>,
    /// What it says.
    pub receipt: Receipt,
    /// When the connector heard it.
    pub at: UnixMs,
}

/// A receipt whose order is not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmatched {
    /// The carrier that sent it.
    pub carrier: CarrierName,
    /// The carrier's id of the segment; empty = none was given.
    pub remote_id: String,
    /// What it says.
    pub receipt: Receipt,
    /// When the connector heard it.
    pub first_seen: UnixMs,
    /// Hash of carrier, sender and recipient as they stood on the link; absent = the receipt does not name them.
    pub party: Option<u64>,
}

/// What a carrier's id of a segment stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correlation {
    /// The order.
    pub order: OrderRef,
    /// The segment, from 0.
    pub segment: u8,
    /// Segments of the order for which receipts come.
    pub segments: u8,
    /// The span in which ingest accepted the message; absent = it is not traced.
    pub trace: Option<Box<TraceContext>>,
}

/// A message between two orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The message as asked.
    pub message: Message,
    /// Number of the order to publish next.
    pub number: OrderNumber,
    /// Finished orders, oldest first.
    pub attempts: Vec<Attempt>,
    /// Nothing is to be done before this instant.
    pub until: UnixMs,
    /// No carrier is asked after this instant.
    pub deadline: UnixMs,
    /// The carrier that asked for the wait and is asked again if the table still allows it; absent = any.
    pub stay: Option<CarrierName>,
    /// Whether carriers tried before may be asked again.
    pub again: bool,
    /// Whether what is known of the recipient's network was wrong, so that it is asked for anew.
    pub look_again: bool,
}

/// What a delay topic carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delayed {
    /// A message between two orders.
    Message(Box<Waiting>),
    /// A receipt that waits for its message.
    Receipt {
        /// The receipt.
        receipt: Unmatched,
        /// Key of its bus records.
        key: RecordKey,
        /// How long it has waited on delay topics, this one included: as long as they say, whatever clocks say.
        waited: Duration,
    },
}

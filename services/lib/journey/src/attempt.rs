//! What became of earlier orders, carried along with the message.

use sms::{CarrierName, UnixMs};

use crate::{NetworkOrigin, OrderNumber, Price, SegmentReceipt};

/// How an order ended, in short: the outcome without what only the connector needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The outcome's word, see `Outcome::as_str`.
    pub outcome: String,
    /// Stable word of the cause; empty = none.
    pub code: String,
    /// The carrier's own words; empty = none.
    pub detail: String,
    /// When the connector learnt it.
    pub at: UnixMs,
    /// What the carrier said that it charges; absent = nothing.
    pub charge: Option<Box<Charge>>,
}

/// What a carrier says that it charges for a message it took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Charge {
    /// Segments; 0 = not said.
    pub segments: u8,
    /// What all of them cost, in millionths of a unit of `currency`; absent = not said.
    pub cost_micros: Option<i64>,
    /// ISO 4217 code of the cost; empty = none was said.
    pub currency: String,
    /// Network that the message goes to: MCC and MNC together, or an MCC alone; empty = not said.
    pub network: String,
}

/// One finished order in the history of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The order's number.
    pub number: OrderNumber,
    /// The carrier asked.
    pub carrier: CarrierName,
    /// Network it was to reach: MCC and MNC together, or an MCC alone; empty = not known.
    pub network: String,
    /// Where that came from; absent = the table said, and nobody was asked.
    pub looked_up: Option<Box<NetworkOrigin>>,
    /// What it charges; absent = not known.
    pub price: Option<Price>,
    /// Table version that decided it.
    pub table: String,
    /// Policy that decided it; empty = the defaults.
    pub policy: String,
    /// When the order was published.
    pub issued_at: UnixMs,
    /// How it ended.
    pub answer: Answer,
    /// Whether it counts against the route's `attempts`.
    pub spent: bool,
    /// The carrier's id of each segment, in segment order; empty = it gave none.
    pub remote_ids: Vec<String>,
    /// The latest receipt of each segment that had one, in segment order.
    pub receipts: Vec<SegmentReceipt>,
}

//! What is known about a message that a carrier took, and how messages end.

use std::{collections::BTreeMap, fmt, sync::Arc};

use sms::{AccountId, CarrierName, Message, MessageId, UnixMs};

use crate::{Answer, Attempt, Cause, NetworkOrigin, OrderNumber, OrderRef, Price, SegmentReceipt, Terms};

/// Everything known about one message. Kept in the store from the moment a carrier may have it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The message and its rules; absent = only receipts came so far.
    pub body: Option<Body>,
    /// Its orders by number.
    pub orders: BTreeMap<OrderNumber, Progress>,
    /// The highest number that was published or taken out of use; 0 = none.
    pub issued: OrderNumber,
    /// The highest number taken out of use by a router, so that no connector sends it; 0 = none.
    pub closed: OrderNumber,
    /// The highest number for which the table had no way, so that no other carrier is asked after it; 0 = none.
    pub dead_end: OrderNumber,
    /// The highest number that waits out its message's deadline without being published; 0 = none.
    pub parked: OrderNumber,
    /// The highest number of which an order stood on the log when the state was made again from it: its claim is lost with the
    /// store, perhaps, and only its answer shows whether it was sent; 0 = none.
    pub ordered: OrderNumber,
    /// The earliest instant at which something is to be done; absent = none.
    pub timer: Option<UnixMs>,
    /// How it ended; absent = it has not. Fixed by the write that sets it.
    pub ended: Option<Arc<TerminalEvent>>,
}

/// The message and the rules of its latest route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// The message. Its content is empty unless `has_content`.
    pub message: Message,
    /// Whether the content is still here, because the route may still fail over.
    pub has_content: bool,
    /// The rules.
    pub terms: Terms,
}

/// What is known about one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The carrier asked.
    pub carrier: CarrierName,
    /// The order's answer and what it was; absent = only receipts came so far.
    pub asked: Option<Asked>,
    /// The latest receipt of each segment that had one.
    pub receipts: BTreeMap<u8, SegmentReceipt>,
    /// Segments of the order for which receipts come; 0 = not known.
    pub segments: u8,
    /// Whether its silence was given up on.
    pub silent: bool,
}

/// An answered order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Network it was to reach: MCC and MNC together, or an MCC alone; empty = not known.
    pub network: String,
    /// Where that came from; absent = the table said, and nobody was asked.
    pub looked_up: Option<Box<NetworkOrigin>>,
    /// What the carrier charges; absent = not known.
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
    /// The carrier's id of each segment.
    pub remote_ids: Vec<String>,
    /// Whether the carrier sends receipts and the message wants one.
    pub receipt: bool,
}

/// The ways a message can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndState {
    /// On the handset.
    Delivered,
    /// Taken by a carrier, and no receipt is to come.
    Sent,
    /// No carrier could deliver it.
    Failed,
    /// No carrier took it in time.
    Expired,
    /// The table had no way for it.
    Rejected,
    /// Taken by a carrier that never said how it ended.
    Unknown,
}

/// How a message ended: the one record billing and analytics need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TerminalEvent {
    /// The message without its content.
    pub message: Message,
    /// In which state.
    pub state: EndState,
    /// Why; both words are empty for a delivered message.
    pub cause: Cause,
    /// When.
    pub ended_at: UnixMs,
    /// The carrier that decided it; absent = none was involved.
    pub carrier: Option<CarrierName>,
    /// Table version of the last decision; empty = there was none.
    pub table: String,
    /// Policy of the last decision; empty = the defaults.
    pub policy: String,
    /// All its orders, oldest first.
    pub attempts: Vec<Attempt>,
}

/// A receipt that came after the end of its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LateReceipt {
    /// The order it speaks of.
    pub order: OrderRef,
    /// What it says, of which segment.
    pub receipt: SegmentReceipt,
    /// Account of the message.
    pub account: AccountId,
    /// The customer's free word; empty = none.
    pub reference: String,
    /// In which state the message had ended.
    pub ended: EndState,
    /// The message that this one is a copy of; absent = a customer asked for it.
    pub copy_of: Option<MessageId>,
}

/// Something told to the customer and to billing. May be published again octet for octet; readers drop repeats by [`id`].
///
/// [`id`]: Event::id
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A message ended.
    Ended(Arc<TerminalEvent>),
    /// A receipt came after the end.
    Late(Box<LateReceipt>),
}

impl EndState {
    /// Every state a message can end in.
    pub const ALL: [Self; 6] = [
        Self::Delivered,
        Self::Sent,
        Self::Failed,
        Self::Expired,
        Self::Rejected,
        Self::Unknown,
    ];

    /// The word used in events, metrics and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for EndState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Event {
    /// Id under which readers drop repeats.
    pub fn id(&self) -> String {
        match self {
            Self::Ended(event) => format!("{}/end", event.message.id),
            Self::Late(late) => format!(
                "{}/late/{}/{}/{}",
                late.order.message, late.order.number.0, late.receipt.segment, late.receipt.receipt.state as u8
            ),
        }
    }
}

impl Progress {
    /// The order as history, if it was answered.
    pub fn attempt(&self, number: OrderNumber) -> Option<Attempt> {
        let asked = self.asked.as_ref()?;
        Some(Attempt {
            number,
            carrier: self.carrier.clone(),
            network: asked.network.clone(),
            looked_up: asked.looked_up.clone(),
            price: asked.price.clone(),
            table: asked.table.clone(),
            policy: asked.policy.clone(),
            issued_at: asked.issued_at,
            answer: asked.answer.clone(),
            spent: asked.spent,
            remote_ids: asked.remote_ids.clone(),
            receipts: self.receipts.values().cloned().collect(),
        })
    }
}

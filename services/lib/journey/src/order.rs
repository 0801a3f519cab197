//! An order: one carrier asked to take one message.

use std::time::Duration;

use sms::{CarrierName, Class, Content, Encoding, Message, MessageId, Msisdn, RecordKey, Sender, UnixMs};

use crate::{Attempt, NetworkOrigin};

/// Number of an order within its message; rises strictly with every order published, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderNumber(pub u32);

impl OrderNumber {
    /// The number of a message's first order.
    pub const FIRST: Self = Self(1);

    /// The number after this one.
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// Names one order everywhere: claims, correlations, answers and receipts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderRef {
    /// The message.
    pub message: MessageId,
    /// Key of the message's bus records.
    pub key: RecordKey,
    /// The order's number.
    pub number: OrderNumber,
    /// The carrier asked.
    pub carrier: CarrierName,
}

/// What one segment costs at the carrier, in millionths of a unit of the currency, and what that is in the table's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// Per segment, in `currency`.
    pub unit_micros: i64,
    /// The carrier's currency.
    pub currency: String,
    /// All segments, in the table's currency.
    pub cost_micros: i64,
}

/// What to do when a submission was sent and no answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnUnknown {
    /// Ask the next carrier: the recipient may get it twice.
    Resend,
    /// Wait for a receipt until the deadline.
    Wait,
    /// End as unknown.
    Fail,
}

/// The rules a message's route sets for its life, fixed by the decision that made the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Orders that may spend an attempt.
    pub attempts_max: u32,
    /// No carrier is asked after this instant.
    pub deadline: UnixMs,
    /// How long after the deadline a final receipt is waited for.
    pub grace: Duration,
    /// What silence after submission means.
    pub on_unknown: OnUnknown,
    /// No receipt by then counts as a failure of the route; absent = silence is waited out.
    pub receipt_within: Option<Duration>,
    /// Longest hold before the next carrier is asked; absent = never.
    pub spill_after: Option<Duration>,
}

/// What the carrier sees instead of what was asked; absent = as asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mask {
    /// Sender towards this carrier.
    pub from: Option<Sender>,
    /// Diverted recipient.
    pub to: Option<Msisdn>,
    /// Rewritten text with the encoding and segment count it needs.
    pub content: Option<(Content, Encoding, u8)>,
}

/// One carrier asked to take one message. Carries the whole message and its attempts so far, so that whoever answers it
/// can hand everything back and a failover needs no read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The message as asked.
    pub message: Message,
    /// This order's number.
    pub number: OrderNumber,
    /// The carrier asked.
    pub carrier: CarrierName,
    /// Network that serves the recipient, as far as the decision knew: MCC and MNC together, or an MCC alone; empty = not
    /// known.
    pub network: String,
    /// Where that came from; absent = the table said, and nobody was asked.
    pub looked_up: Option<Box<NetworkOrigin>>,
    /// What this carrier charges; absent = not known.
    pub price: Option<Price>,
    /// What the carrier sees instead of what was asked.
    pub mask: Mask,
    /// Whether the carrier sends receipts and the message wants one.
    pub receipt: bool,
    /// Rules of the route.
    pub terms: Terms,
    /// Content hash of the table that made this decision.
    pub table: String,
    /// The policy that ended the walk; empty = the defaults.
    pub policy: String,
    /// When the order was published.
    pub issued_at: UnixMs,
    /// Finished orders before this one, oldest first.
    pub attempts: Vec<Attempt>,
}

impl Terms {
    /// The rules of a message that no route spoke about: its own time to live or its class's, and a single attempt.
    pub fn of_class(message: &Message) -> Self {
        let ttl = message.ttl.unwrap_or(message.class.deadline_default());
        Self {
            attempts_max: 1,
            deadline: message.accepted_at + ttl,
            grace: message.class.grace(),
            on_unknown: OnUnknown::of_class(message.class),
            receipt_within: None,
            spill_after: None,
        }
    }
}

impl OnUnknown {
    /// What silence means where no policy says: passwords are sent again, other messages never.
    pub const fn of_class(class: Class) -> Self {
        match class {
            Class::Otp => Self::Resend,
            Class::Transactional => Self::Wait,
            Class::Promotional => Self::Fail,
        }
    }
}

impl Order {
    /// The order's name.
    pub fn order_ref(&self) -> OrderRef {
        OrderRef {
            message: self.message.id,
            key: self.message.key,
            number: self.number,
            carrier: self.carrier.clone(),
        }
    }

    /// The sender this carrier shows.
    pub fn from(&self) -> &Sender {
        self.mask.from.as_ref().unwrap_or(&self.message.from)
    }

    /// The recipient this carrier reaches.
    pub fn to(&self) -> &Msisdn {
        self.mask.to.as_ref().unwrap_or(&self.message.to)
    }

    /// What this carrier sends, its encoding and its segments.
    pub fn content(&self) -> (&Content, Encoding, u8) {
        match &self.mask.content {
            Some((content, encoding, segments)) => (content, *encoding, *segments),
            None => (&self.message.content, self.message.encoding, self.message.segments),
        }
    }

    /// Whether the message may still go to another carrier after this one took it: on silence, or when a receipt says
    /// that the route failed. Only then is its content kept with what waits for the receipt.
    pub fn may_fail_over(&self) -> bool {
        let spent = self.attempts.iter().filter(|attempt| attempt.spent).count();
        self.receipt && spent + 1 < self.terms.attempts_max as usize
    }

    /// The message's class.
    pub fn class(&self) -> Class {
        self.message.class
    }
}

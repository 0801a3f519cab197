//! What a table answers.

use std::time::Duration;

use sms::{CarrierName, Encoding};

use crate::{
    money::Micros,
    network::Network,
    policy::Route,
    rates::CarrierIndex,
    senders::Shown,
    spec::{Lookup, OnUnknown},
};

/// The answer to one query, in words of the table that gave it. Hand the same value to every decision: its buffers are
/// reused, so deciding allocates nothing once they have grown.
#[derive(Clone, Debug, Default)]
pub struct Decision<'t> {
    /// What to do.
    pub action: Action,
    /// The policy that ended the walk; `None` = the defaults did.
    pub policy: Option<&'t str>,
    /// The policy's reason, with [`Action::Reject`].
    pub reason: Option<&'t str>,
    /// The route's rules; nothing of use with [`Action::Reject`].
    pub terms: Terms,
    /// Carriers to offer the message to, the first first: at most `terms.attempts`. Filled with [`Action::Route`] only.
    pub candidates: Vec<Candidate<'t>>,
    /// With [`Action::Wait`], how many carriers the table itself would have let take it but which are held back just now.
    pub held_back: HeldBack,
    /// Words that policies tagged the message with, in order.
    pub tags: Vec<&'t str>,
    /// Recipient that policies set, as the table writes it; `None` = as asked.
    pub to: Option<&'t str>,
    /// Sender that policies set; `None` = as asked. Towards a carrier [`Candidate::from`] may set another.
    pub from: Option<&'t str>,
    /// Text that policies set; `None` = as asked.
    pub text: Option<&'t str>,
    /// Network of the recipient, as policies left it; `None` = not known. Live figures are asked for under it.
    pub network: Option<Network>,
    /// Encoding of what is sent.
    pub encoding: Encoding,
    /// Segments of what is sent.
    pub segments: u8,
    /// Numbers that policies copy the message to, as the table writes them, whatever the action. Whoever routes sends the
    /// message as asked to each of them once, if its first decision routes; a copy is not itself copied.
    pub copies: Vec<&'t str>,
    /// The route that ended the walk; `None` = a policy rejected it.
    pub(crate) route: Option<&'t Route>,
    /// How many policies were looked at before the walk ended.
    pub(crate) reached: usize,
    /// Everybody left, ranked.
    pub(crate) ranking: Vec<Ranked>,
    /// Carriers that policies avoid.
    pub(crate) avoided: Vec<CarrierIndex>,
    /// Bits of the carriers that can take the message by what they are.
    pub(crate) fit: Vec<u64>,
}

/// What a decision comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Action {
    /// Offer it to the candidates.
    Route,
    /// A policy rejects it.
    Reject,
    /// No carrier can take it, by the table alone.
    #[default]
    NoRoute,
    /// Every carrier that could take it is held back just now, see [`Decision::held_back`].
    Wait,
}

/// Rules of a route, with the class's own where the table says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Carriers that the message may be offered to.
    pub attempts: u32,
    /// Longest life of the message from its acceptance, where the request names none.
    pub deadline: Duration,
    /// No receipt by then counts as a failure of the route; `None` = silence is waited out.
    pub receipt_within: Option<Duration>,
    /// Longest hold before the next carrier is asked; `None` = never.
    pub spill_after: Option<Duration>,
    /// What a submission without an answer means.
    pub on_unknown: OnUnknown,
    /// Whether to ask which network serves the number, and to decide once more with the answer.
    pub lookup: Lookup,
}

/// One carrier to offer a message to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate<'t> {
    /// The carrier.
    pub carrier: &'t CarrierName,
    /// Price of a segment, in `currency`.
    pub unit: Micros,
    /// The carrier's currency.
    pub currency: &'t str,
    /// Cost of all segments, in the table's currency.
    pub cost: Micros,
    /// Whether the carrier sends receipts.
    pub receipts: bool,
    /// Sender towards this carrier; `None` = as asked.
    pub from: Option<&'t str>,
}

/// Carriers held back by what only a running router knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeldBack {
    /// Down just now: they may return before the deadline.
    pub circuit_open: u32,
    /// Busy for longer than the message may wait there: they may catch up before the deadline.
    pub saturated: u32,
    /// Offered before: they may be asked again while attempts remain.
    pub already_tried: u32,
}

/// Why a carrier is refused, in the order in which reasons are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// Switched off.
    Disabled,
    /// A policy avoids it.
    Avoided,
    /// The route wants other route types.
    RouteType,
    /// It does not serve the country, or the country is unknown and it names its countries.
    Country,
    /// It may not show this sender.
    Sender,
    /// It does not show this kind of sender.
    SenderKind,
    /// It does not carry the encoding.
    Encoding,
    /// It takes single segments only.
    Concatenation,
    /// The route waits for a receipt and it sends none.
    Receipts,
    /// It takes no ported numbers.
    Ported,
    /// It has no rate in force.
    NoRate,
    /// Its rate says closed.
    Closed,
    /// A segment costs more than the route allows.
    MaxPrice,
    /// The route wants a margin, and the customer has no price.
    NoSellPrice,
    /// The customer pays too little above its cost.
    MinMargin,
    /// It delivers too little of what it takes.
    MinDeliveryRate,
    /// It is down just now.
    CircuitOpen,
    /// The message would wait there beyond the route's `spill_after`, or beyond its own deadline.
    Saturated,
    /// This message was offered to it before.
    AlreadyTried,
}

/// A carrier that is left, with its cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ranked {
    pub(crate) carrier: CarrierIndex,
    /// Place among the route's candidates.
    pub(crate) place: u16,
    /// Price of a segment in the carrier's currency.
    pub(crate) unit: Micros,
    /// Cost of all segments.
    pub(crate) cost: Micros,
    /// What a strategy ranks it by, see [`crate::rank::figure`].
    pub(crate) figure: f64,
    pub(crate) shown: Shown,
}

impl Decision<'_> {
    /// An empty answer, to be filled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Why no carrier is asked, as people are told; `None` = one is.
    pub(crate) fn why(&self) -> Option<String> {
        match self.action {
            Action::Route => None,
            Action::Reject => self.reason.map(str::to_owned),
            Action::NoRoute => Some(self.action.as_str().to_owned()),
            Action::Wait => Some(self.held_back.reason().as_str().to_owned()),
        }
    }

    pub(crate) fn clear(&mut self) {
        self.action = Action::NoRoute;
        self.policy = None;
        self.reason = None;
        self.route = None;
        self.to = None;
        self.from = None;
        self.text = None;
        self.copies.clear();
        self.terms = Terms::default();
        self.held_back = HeldBack::default();
        self.candidates.clear();
        self.tags.clear();
        self.ranking.clear();
        self.avoided.clear();
    }
}

impl HeldBack {
    /// How many carriers that is.
    pub const fn total(self) -> u32 {
        self.circuit_open + self.saturated + self.already_tried
    }

    /// The word for the first of its reasons that there is, in the order in which they are looked for.
    pub(crate) const fn reason(self) -> Refusal {
        if self.circuit_open > 0 {
            Refusal::CircuitOpen
        } else if self.saturated > 0 {
            Refusal::Saturated
        } else {
            Refusal::AlreadyTried
        }
    }

    pub(crate) fn count(&mut self, why: Refusal) {
        match why {
            Refusal::CircuitOpen => self.circuit_open += 1,
            Refusal::Saturated => self.saturated += 1,
            Refusal::AlreadyTried => self.already_tried += 1,
            _ => {}
        }
    }
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            attempts: 1,
            deadline: Duration::ZERO,
            receipt_within: None,
            spill_after: None,
            on_unknown: OnUnknown::Fail,
            lookup: Lookup::Never,
        }
    }
}

impl Action {
    /// The word used in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Reject => "reject",
            Self::NoRoute => "no_route",
            Self::Wait => "wait",
        }
    }
}

impl Refusal {
    /// Whether only the present moment refuses, not the table.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::CircuitOpen | Self::Saturated | Self::AlreadyTried)
    }

    /// The word used in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Avoided => "avoided",
            Self::RouteType => "route_type",
            Self::Country => "country",
            Self::Sender => "sender",
            Self::SenderKind => "sender_kind",
            Self::Encoding => "encoding",
            Self::Concatenation => "concatenation",
            Self::Receipts => "receipts",
            Self::Ported => "ported",
            Self::NoRate => "no_rate",
            Self::Closed => "closed",
            Self::MaxPrice => "max_price",
            Self::NoSellPrice => "no_sell_price",
            Self::MinMargin => "min_margin",
            Self::MinDeliveryRate => "min_delivery_rate",
            Self::CircuitOpen => "circuit_open",
            Self::Saturated => "saturated",
            Self::AlreadyTried => "already_tried",
        }
    }
}

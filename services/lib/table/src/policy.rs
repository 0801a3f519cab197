//! Policies and routes as the walk uses them.

use std::sync::Arc;

use sms::{Class, Size};

use crate::{
    decision::Terms,
    digits::Digits,
    fit::Set,
    instant::Span,
    money::Micros,
    rates::CarrierIndex,
    spec::{Conditions, Lookup, RouteType, Strategy, Test},
    walk::Message,
};

/// One policy.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) name: Box<str>,
    pub(crate) span: Span,
    pub(crate) matches: Conditions,
    /// Those of `matches` that an open gate leaves open, by their places.
    pub(crate) open: Vec<u8>,
    pub(crate) excepts: Vec<Conditions>,
    /// Sender it sets.
    pub(crate) sender: Option<Box<str>>,
    /// Recipient it sets, as written and as digits.
    pub(crate) recipient: Option<(Box<str>, Digits)>,
    /// Text it sets, and its size.
    pub(crate) text: Option<(Box<str>, Size)>,
    /// Numbers it copies to.
    pub(crate) copy: Box<[Box<str>]>,
    pub(crate) tag: Option<Box<str>>,
    /// Carriers refused from here on.
    pub(crate) avoid: Vec<CarrierIndex>,
    pub(crate) ends: Option<Ends>,
}

/// How a policy ends the walk.
#[derive(Debug)]
pub(crate) enum Ends {
    Reject(Box<str>),
    Route(Box<Route>),
}

/// A route with nothing left unsaid but what the class decides.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) strategy: Strategy,
    pub(crate) carriers: Carriers,
    /// Those of them that can take some message, by all that the route and the carrier say.
    pub(crate) able: Set,
    /// `None` = any.
    pub(crate) route_types: Option<Vec<RouteType>>,
    /// By [`Class`].
    pub(crate) terms: [Terms; 3],
    pub(crate) max_price: Option<Micros>,
    /// What a customer must pay above a segment's cost; may be below zero.
    pub(crate) min_margin: Option<Micros>,
    /// From 0 to 1.
    pub(crate) min_delivery_rate: Option<f64>,
}

impl Route {
    /// What it says of messages of `class`.
    pub(crate) fn terms(&self, class: Class) -> &Terms {
        &self.terms[class as usize]
    }

    /// How many candidates a decision hands out, whatever the class.
    pub(crate) fn attempts_max(&self) -> usize {
        usize::try_from(self.terms[0].attempts).unwrap_or(usize::MAX)
    }

    /// Whether it waits for a receipt, whatever the class.
    pub(crate) fn wants_receipts(&self) -> bool {
        self.terms[0].receipt_within.is_some()
    }

    /// When it asks which network serves a number, whatever the class.
    pub(crate) fn lookup(&self) -> Lookup {
        self.terms[0].lookup
    }

    /// Whether the route wants other types of routes.
    pub(crate) fn refuses_type(&self, route_type: RouteType) -> bool {
        self.route_types
            .as_ref()
            .is_some_and(|types| !types.contains(&route_type))
    }
}

/// Candidates of a route in their order.
#[derive(Debug)]
pub(crate) struct Carriers {
    pub(crate) list: Arc<[CarrierIndex]>,
    /// One for each, with strategy `weighted`.
    pub(crate) weights: Option<Vec<u32>>,
}

/// Why a policy did not apply.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Skipped<'a> {
    /// Not in force at that time.
    Span,
    /// The first condition of `match` that does not hold.
    Match(&'a Test),
    /// The first `except` whose conditions all hold, from 0.
    Except(usize),
}

impl Policy {
    /// Whether conditions of later policies may hold that did not before, or no more.
    pub(crate) fn changes_message(&self) -> bool {
        self.sender.is_some() || self.recipient.is_some() || self.text.is_some() || self.tag.is_some()
    }

    /// Whether the policy applies to a message for which its gate is open.
    pub(crate) fn applies(&self, message: &Message<'_, '_>) -> bool {
        let holds = |place: &u8| self.matches.0[usize::from(*place)].holds(message);
        self.span.contains(message.at)
            && self.open.iter().all(holds)
            && !self.excepts.iter().any(|except| except.all_hold(message))
    }

    /// Whether the policy applies to `message`, or why not.
    pub(crate) fn judge(&self, message: &Message<'_, '_>) -> Result<(), Skipped<'_>> {
        if !self.span.contains(message.at) {
            return Err(Skipped::Span);
        }
        if let Some(test) = self.matches.0.iter().find(|test| !test.holds(message)) {
            return Err(Skipped::Match(test));
        }
        match self.excepts.iter().position(|except| except.all_hold(message)) {
            Some(at) => Err(Skipped::Except(at)),
            None => Ok(()),
        }
    }
}

impl Conditions {
    fn all_hold(&self, message: &Message<'_, '_>) -> bool {
        self.0.iter().all(|test| test.holds(message))
    }
}

impl Test {
    /// Whether the condition holds. One on something unknown does not.
    fn holds(&self, message: &Message<'_, '_>) -> bool {
        match self {
            Self::Class(list) => list.contains(&message.class),
            Self::Encoding(list) => list.contains(&message.encoding),
            Self::SegmentsOver(bound) => message.segments > *bound,
            Self::Ported(wanted) => message.resolved.ported == *wanted,
            Self::SenderKind(list) => list.contains(&message.sender_kind),
            Self::Country(list) => {
                let country = message.resolved.country;
                country.is_some_and(|country| list.binary_search(&country).is_ok())
            }
            Self::Network(list) => {
                let network = message.resolved.network;
                network.is_some_and(|network| list.binary_search(&network).is_ok())
            }
            Self::Prefix(list) => (1..=message.to.len()).any(|len| list.binary_search(&message.to.first(len)).is_ok()),
            Self::Account(globs) => globs.fit(message.account.text),
            Self::Sender(globs) => globs.fit(message.from.text),
            Self::Tag(list) => message
                .tags
                .iter()
                .any(|tag| list.binary_search_by(|wanted| wanted.as_str().cmp(tag)).is_ok()),
            Self::Hours(hours) => hours.contain(message.at),
            Self::Text(list) => message
                .text
                .is_some_and(|text| list.iter().any(|one| one.is_match(text))),
        }
    }
}

//! The walk: policies in order, then the candidates of the route that ends it. Generic over a probe: with `()` it decides,
//! with a recorder it explains, so the two cannot drift apart.

use std::{sync::Arc, time::Duration};

use sms::{Class, Encoding, SenderKind, UnixMs};

use crate::{
    decision::{Action, Candidate, Decision, Ranked, Refusal, Terms},
    digits::Digits,
    numbers::Resolved,
    policy::{Ends, Policy, Route, Skipped},
    query::Query,
    rank,
    rates::{CarrierIndex, Price},
    spec::OnUnknown,
    table::{Carrier, Table},
};

/// Watches a walk.
pub(crate) trait Probe<'t> {
    /// A recipient was resolved; the last one counts.
    fn resolved(&mut self, resolved: &Resolved<'t>);
    /// A policy does not apply.
    fn skipped(&mut self, policy: &'t Policy, why: Skipped<'t>);
    /// A policy applies.
    fn applied(&mut self, policy: &'t Policy);
    /// A candidate is refused; `price` finds what it would have charged.
    fn refused(&mut self, carrier: CarrierIndex, why: Refusal, price: impl FnOnce() -> Option<Price>);
}

/// Deciding watches nothing.
impl<'t> Probe<'t> for () {
    fn resolved(&mut self, _: &Resolved<'t>) {}
    fn skipped(&mut self, _: &'t Policy, _: Skipped<'t>) {}
    fn applied(&mut self, _: &'t Policy) {}
    fn refused(&mut self, _: CarrierIndex, _: Refusal, _: impl FnOnce() -> Option<Price>) {}
}

/// The message as the policies so far left it.
pub(crate) struct Message<'a> {
    pub(crate) to: Digits,
    pub(crate) from: &'a str,
    pub(crate) sender_kind: SenderKind,
    pub(crate) account: &'a str,
    pub(crate) class: Class,
    pub(crate) encoding: Encoding,
    pub(crate) segments: u8,
    pub(crate) text: Option<&'a str>,
    pub(crate) at: UnixMs,
    pub(crate) resolved: Resolved<'a>,
    pub(crate) tags: Vec<Arc<str>>,
}

/// Walks `table` for `query` and fills `decision`.
pub(crate) fn walk<'t, P: Probe<'t>>(table: &'t Table, query: &Query<'_>, probe: &mut P, decision: &mut Decision) {
    decision.clear();
    let to = Digits::parse(query.to.strip_prefix('+').unwrap_or(query.to)).unwrap_or_default();
    let resolved = table.numbers.resolve(to, query.network, query.ported, &table.rates);
    probe.resolved(&resolved);
    let mut message = Message {
        to,
        from: query.from,
        sender_kind: SenderKind::of(query.from),
        account: query.account,
        class: query.class,
        encoding: query.encoding,
        segments: query.segments,
        text: query.text,
        at: query.at,
        resolved,
        tags: std::mem::take(&mut decision.tags),
    };
    let route = follow(table, &mut message, probe, decision);
    if let Some(route) = route {
        decision.terms = terms(route, query.class);
        offer(table, query, &message, route, probe, decision);
    }
    decision.tags = message.tags;
}

/// Applies policies until one ends the walk. `None` = it was rejected.
fn follow<'t: 'a, 'a, P: Probe<'t>>(
    table: &'t Table,
    message: &mut Message<'a>,
    probe: &mut P,
    decision: &mut Decision,
) -> Option<&'t Route> {
    for policy in &table.policies {
        if let Err(why) = policy.judge(message) {
            probe.skipped(policy, why);
            continue;
        }
        probe.applied(policy);
        act(policy, message, decision);
        let Some(ends) = &policy.ends else { continue };
        decision.policy = Some(Arc::clone(&policy.name));
        return match ends {
            Ends::Route(route) => Some(route),
            Ends::Reject(reason) => {
                decision.action = Action::Reject;
                decision.reason = Some(Arc::clone(reason));
                None
            }
        };
    }
    Some(&table.default_route)
}

/// Does what a policy does beside ending the walk.
fn act<'a>(policy: &'a Policy, message: &mut Message<'a>, decision: &mut Decision) {
    if let Some(sender) = &policy.sender {
        message.from = sender;
        message.sender_kind = SenderKind::of(sender);
        decision.sender = Some(Arc::clone(sender));
    }
    message.tags.extend(policy.tag.clone());
    decision.avoided.extend_from_slice(&policy.avoid);
}

/// Judges every candidate, ranks those left, and says what that comes to.
fn offer<'t, P: Probe<'t>>(
    table: &'t Table,
    query: &Query<'_>,
    message: &Message<'_>,
    route: &Route,
    probe: &mut P,
    decision: &mut Decision,
) {
    for (place, carrier) in (0..).zip(route.carriers.list.iter().copied()) {
        match judge(table, query, message, route, &decision.avoided, carrier) {
            Ok(price) => {
                let cost = price.cost.times(message.segments);
                decision.ranking.push(Ranked {
                    carrier,
                    place,
                    price,
                    cost,
                });
            }
            Err(why) => {
                match why {
                    Refusal::CircuitOpen => decision.held_back.circuit_open += 1,
                    Refusal::AlreadyTried => decision.held_back.already_tried += 1,
                    _ => {}
                }
                let price = || table.rates.rate(&message.resolved.tariff, carrier, message.at)?.price;
                probe.refused(carrier, why, price);
            }
        }
    }
    rank::rank(route, query.roll, &mut decision.ranking);
    let held_back = decision.held_back.circuit_open + decision.held_back.already_tried;
    decision.action = match (decision.ranking.is_empty(), held_back) {
        (false, _) => Action::Route,
        (true, 0) => Action::NoRoute,
        (true, _) => Action::Wait,
    };
    let attempts = usize::try_from(route.attempts).unwrap_or(usize::MAX);
    let sender = &decision.sender;
    decision
        .candidates
        .extend(decision.ranking.iter().take(attempts).map(|ranked| {
            let carrier = &table.carriers[usize::from(ranked.carrier)];
            Candidate {
                carrier: carrier.name.clone(),
                unit: ranked.price.unit,
                currency: Arc::clone(&carrier.currency),
                cost: ranked.cost,
                receipts: carrier.receipts,
                from: sender.clone(),
            }
        }));
}

/// What a segment costs at a carrier, or the first reason that refuses it.
fn judge(
    table: &Table,
    query: &Query<'_>,
    message: &Message<'_>,
    route: &Route,
    avoided: &[CarrierIndex],
    index: CarrierIndex,
) -> Result<Price, Refusal> {
    let carrier = &table.carriers[usize::from(index)];
    if let Some(why) = unfit(carrier, message, route, avoided.contains(&index)) {
        return Err(why);
    }
    let rate = table
        .rates
        .rate(&message.resolved.tariff, index, message.at)
        .ok_or(Refusal::NoRate)?;
    let price = rate.price.ok_or(Refusal::Closed)?;
    if route.max_price.is_some_and(|limit| price.cost > limit) {
        Err(Refusal::MaxPrice)
    } else if query.down.is_some_and(|is_down| is_down(&carrier.name)) {
        Err(Refusal::CircuitOpen)
    } else if query.tried.contains(&carrier.name) {
        Err(Refusal::AlreadyTried)
    } else {
        Ok(price)
    }
}

/// The first reason, before any price, why a carrier cannot take the message.
fn unfit(carrier: &Carrier, message: &Message<'_>, route: &Route, is_avoided: bool) -> Option<Refusal> {
    let country = message.resolved.network.as_ref().and_then(|serving| serving.country);
    let why = if !carrier.enabled {
        Refusal::Disabled
    } else if is_avoided {
        Refusal::Avoided
    } else if route
        .route_types
        .as_ref()
        .is_some_and(|types| !types.contains(&carrier.route_type))
    {
        Refusal::RouteType
    } else if !carrier.serves(country) {
        Refusal::Country
    } else if !carrier.shows(message.sender_kind) {
        Refusal::SenderKind
    } else if !carrier.carries(message.encoding) {
        Refusal::Encoding
    } else if message.segments > 1 && !carrier.concatenation {
        Refusal::Concatenation
    } else if route.receipt_within.is_some() && !carrier.receipts {
        Refusal::Receipts
    } else if message.resolved.ported && !carrier.accepts_ported {
        Refusal::Ported
    } else {
        return None;
    };
    Some(why)
}

/// The route's rules, with those of the class where it says nothing.
fn terms(route: &Route, class: Class) -> Terms {
    let (spill_after, on_unknown) = match class {
        Class::Otp => (Some(Duration::from_secs(2)), OnUnknown::Resend),
        Class::Transactional => (Some(Duration::from_secs(30)), OnUnknown::Wait),
        Class::Promotional => (None, OnUnknown::Fail),
    };
    Terms {
        attempts: route.attempts,
        deadline: route.deadline.unwrap_or(class.deadline_default()),
        receipt_within: route.receipt_within,
        spill_after: route.spill_after.or(spill_after),
        on_unknown: route.on_unknown.unwrap_or(on_unknown),
    }
}

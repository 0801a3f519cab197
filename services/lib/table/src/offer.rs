//! The candidates of the route that ended the walk: judged, ranked, and summed up.

use std::time::Duration;

use crate::{
    decision::{Action, Candidate, Decision, Ranked, Refusal, Terms},
    money::Micros,
    network::Network,
    policy::Route,
    quality::Quality,
    query::Query,
    rank,
    rates::{CarrierIndex, RateId},
    senders::Shown,
    table::{Carrier, Table},
    walk::{Message, Probe},
};

/// One message before the candidates of its route.
struct Offer<'a> {
    table: &'a Table,
    query: &'a Query<'a>,
    message: &'a Message<'a, 'a>,
    route: &'a Route,
    network: Option<Network>,
    /// Whether the route ranks or refuses by quality; else nobody looks it up.
    needs_quality: bool,
    /// Longest wait for a carrier; beyond it the carrier is saturated.
    patience: Duration,
    /// What the customer pays for a segment, where the route asks for a margin; `None` = nothing is agreed.
    sell: Option<Micros>,
}

/// Judges every candidate, ranks those left, and says what that comes to.
pub(crate) fn offer<'t, P: Probe<'t>>(
    table: &'t Table,
    query: &Query<'_>,
    message: &Message<'t, '_>,
    route: &Route,
    probe: &mut P,
    decision: &mut Decision<'t>,
) {
    let network = message.resolved.network.as_ref().map(|serving| serving.network);
    let sell = match (&table.sell, route.min_margin) {
        (Some(book), Some(_)) => book.price(message.account, message.to, network, message.at),
        _ => None,
    };
    let offer = Offer {
        table,
        query,
        message,
        route,
        network,
        needs_quality: route.min_delivery_rate.is_some() || route.strategy.is_by_quality(),
        patience: patience(query, &decision.terms),
        sell,
    };
    for (place, carrier) in (0..).zip(route.carriers.list.iter().copied()) {
        let shown = table.senders.towards(carrier, message);
        match offer.judge(carrier, shown, decision.avoided.contains(&carrier)) {
            Ok((rate, cost, quality)) => {
                let cost = cost.times(message.segments);
                decision.ranking.push(Ranked {
                    carrier,
                    place,
                    rate,
                    cost,
                    quality,
                    shown,
                });
            }
            Err(why) => {
                decision.held_back.count(why);
                let rate = || table.rates.rate(&message.resolved.tariff, carrier, message.at);
                let price = || table.rates.price(rate()?);
                probe.refused(carrier, why, shown, price);
            }
        }
    }
    // A decision hands out no more than these; only who explains wants them all in order.
    let count = if P::WANTS_ALL {
        decision.ranking.len()
    } else {
        attempts(route)
    };
    rank::rank(table, route, query.roll, count, &mut decision.ranking);
    conclude(table, route, decision);
}

/// Says what the ranking comes to, and hands out as many candidates as there may be attempts.
fn conclude<'t>(table: &'t Table, route: &Route, decision: &mut Decision<'t>) {
    let is_held_back = decision.held_back.total() > 0;
    decision.action = match (decision.ranking.is_empty(), is_held_back) {
        (false, _) => Action::Route,
        (true, false) => Action::NoRoute,
        (true, true) => Action::Wait,
    };
    let sender = decision.from;
    decision
        .candidates
        .extend(decision.ranking.iter().take(attempts(route)).map(|ranked| {
            let carrier = &table.carriers[usize::from(ranked.carrier)];
            let shown = table.senders.shown(ranked.shown).map(|(sender, _)| &**sender);
            Candidate {
                carrier: &carrier.name,
                unit: table.rates.unit(ranked.rate),
                currency: &carrier.currency,
                cost: ranked.cost,
                receipts: carrier.receipts,
                from: shown.or(sender),
            }
        }));
}

/// How long the message may wait at a carrier: as the route says, and never beyond its own deadline.
fn patience(query: &Query<'_>, terms: &Terms) -> Duration {
    let deadline = query.accepted_at.unwrap_or(query.at) + query.ttl.unwrap_or(terms.deadline);
    let time_left = deadline.since(query.at);
    terms.spill_after.map_or(time_left, |spill| spill.min(time_left))
}

fn attempts(route: &Route) -> usize {
    usize::try_from(route.attempts).unwrap_or(usize::MAX)
}

impl Offer<'_> {
    /// What a segment costs at a carrier and how well it delivers, or the first reason that refuses it.
    fn judge(&self, index: CarrierIndex, shown: Shown, is_avoided: bool) -> Result<(RateId, Micros, Quality), Refusal> {
        let carrier = &self.table.carriers[usize::from(index)];
        if let Some(why) = self.unfit(carrier, shown, is_avoided) {
            return Err(why);
        }
        let rate = self
            .table
            .rates
            .rate(&self.message.resolved.tariff, index, self.message.at);
        let rate = rate.ok_or(Refusal::NoRate)?;
        let cost = self.table.rates.cost(rate).ok_or(Refusal::Closed)?;
        let quality = if self.needs_quality {
            self.table.quality.get(index, self.network)
        } else {
            Quality::UNTOLD
        };
        if let Some(why) = self.unprofitable(cost, quality) {
            Err(why)
        } else if let Some(why) = self.unready(carrier) {
            Err(why)
        } else if self.query.tried.contains(&carrier.name) {
            Err(Refusal::AlreadyTried)
        } else {
            Ok((rate, cost, quality))
        }
    }

    /// Why a carrier cannot take the message just now.
    fn unready(&self, carrier: &Carrier) -> Option<Refusal> {
        let standing = self.query.standings?.standing(&carrier.name, self.message.class);
        if standing.circuit_open {
            Some(Refusal::CircuitOpen)
        } else {
            standing
                .expected_wait
                .filter(|wait| *wait > self.patience)
                .map(|_| Refusal::Saturated)
        }
    }

    /// The first reason, before any price, why a carrier cannot take the message.
    fn unfit(&self, carrier: &Carrier, shown: Shown, is_avoided: bool) -> Option<Refusal> {
        let (message, route) = (self.message, self.route);
        let country = message.resolved.country();
        let kind = || {
            self.table
                .senders
                .shown(shown)
                .map_or(message.sender_kind, |(_, kind)| *kind)
        };
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
        } else if shown == Shown::Never {
            Refusal::Sender
        } else if !carrier.shows(kind()) {
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

    /// The first reason why a segment at `cost` is not worth it.
    fn unprofitable(&self, cost: Micros, quality: Quality) -> Option<Refusal> {
        let route = self.route;
        if route.max_price.is_some_and(|limit| cost > limit) {
            return Some(Refusal::MaxPrice);
        }
        if let Some(margin) = route.min_margin {
            match self.sell {
                None => return Some(Refusal::NoSellPrice),
                Some(sell) if sell.0 - cost.0 < margin.0 => return Some(Refusal::MinMargin),
                Some(_) => {}
            }
        }
        route
            .min_delivery_rate
            .filter(|least| quality.rate < *least)
            .map(|_| Refusal::MinDeliveryRate)
    }
}

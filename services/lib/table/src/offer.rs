//! The candidates of the route that ended the walk: judged, ranked, and summed up.

use std::time::Duration;

use sms::SenderKind;

use crate::{
    decision::{Action, Candidate, Decision, HeldBack, Ranked, Refusal, Terms},
    fit,
    money::Micros,
    policy::Route,
    quality::{Known, Quality},
    query::Query,
    rank,
    ranking::Offers,
    rates::{CarrierIndex, Charge, Price},
    senders::{Fitting, Shown},
    spec::Strategy,
    table::{Carrier, Table},
    walk::{Message, Probe},
};

/// One message before the candidates of its route.
struct Desk<'t, 'a> {
    table: &'t Table,
    query: &'a Query<'a>,
    message: &'a Message<'t, 'a>,
    route: &'t Route,
    /// Candidates to hand out, if there are so many.
    wanted: usize,
    /// The rules of senders.csv that may fit the message; `None` = none does.
    rules: Option<Fitting<'t>>,
    /// How well carriers deliver, where the route ranks or refuses by it.
    figures: Option<Known<'t, 'a>>,
    /// Longest wait for a carrier; beyond it the carrier is saturated. `None` = nobody knows how long to wait.
    patience: Option<Duration>,
    /// What the customer pays for a segment, where the route asks for a margin; `None` = nothing is agreed.
    sell: Option<Micros>,
}

/// Carriers that were judged and refused, and why: what is live may answer otherwise when it is asked again. `None` = nobody
/// wants to know, nor more carriers than there may be attempts.
type Turned<'a> = Option<&'a mut Vec<(CarrierIndex, Refusal)>>;

/// Judges every candidate, ranks those left, and says what that comes to; hands out `wanted` of them.
pub(crate) fn offer<'t, P: Probe<'t>>(
    table: &'t Table,
    query: &Query<'_>,
    message: &Message<'t, '_>,
    route: &'t Route,
    wanted: usize,
    probe: &mut P,
    decision: &mut Decision<'t>,
) {
    let resolved = &message.resolved;
    let sell = match (&table.sell, route.min_margin) {
        (Some(book), Some(_)) => book.price(message.account.text, message.to, resolved.network, message.at),
        _ => None,
    };
    let needs_figures = route.min_delivery_rate.is_some() || route.strategy.is_by_quality();
    let desk = Desk {
        table,
        query,
        message,
        route,
        wanted,
        rules: table.senders.of(message),
        figures: needs_figures.then(|| table.quality.of(resolved.network, query.figures)),
        patience: query.standings.map(|_| patience(query, &decision.terms)),
        sell,
    };
    let is_ruled = desk.rules.is_some();
    table
        .fits
        .fill(&mut decision.fit, route, message, is_ruled, &decision.avoided);
    if P::WANTS_ALL {
        let mut turned = Vec::new();
        desk.choose(Some(&mut turned), decision);
        desk.tell(probe, &turned, decision);
    } else {
        desk.choose(None, decision);
    }
    desk.conclude(decision);
}

/// How long the message may wait at a carrier: as the route says, and never beyond its own deadline.
fn patience(query: &Query<'_>, terms: &Terms) -> Duration {
    let deadline = query.accepted_at.unwrap_or(query.at) + query.ttl.unwrap_or(terms.deadline);
    let time_left = deadline.since(query.at);
    terms.spill_after.map_or(time_left, |spill| spill.min(time_left))
}

impl<'t> Desk<'t, '_> {
    #[inline]
    fn choose(&self, turned: Turned<'_>, decision: &mut Decision<'t>) {
        let (table, message) = (self.table, self.message);
        let offers = || Offers::new(&table.rankings, &table.rates, &message.resolved, message.at);
        match self.route.strategy {
            Strategy::LeastCost => self.in_order(offers(), turned, decision),
            Strategy::BestValue | Strategy::Fastest => self.by_figure(offers(), turned, decision),
            Strategy::Priority | Strategy::Weighted => self.as_listed(turned, decision),
        }
    }

    /// Takes carriers from the cheapest on. Whoever decides needs no more of them than there may be attempts.
    fn in_order(&self, offers: Option<Offers<'_>>, mut turned: Turned<'_>, decision: &mut Decision<'t>) {
        let Some(offers) = offers else {
            return self.as_listed(turned, decision);
        };
        for offer in offers {
            if !fit::has(&decision.fit, offer.carrier()) {
                continue;
            }
            let Some(ranked) = self.take(0, offer.carrier(), offer.price(), &mut decision.held_back, &mut turned)
            else {
                continue;
            };
            if turned.is_some() {
                decision.ranking.push(ranked);
                continue;
            }
            decision.candidates.push(self.candidate(&ranked, decision.from));
            if decision.candidates.len() == self.wanted {
                break;
            }
        }
    }

    /// Takes every carrier that has a price, and ranks those that are left: what they are listed as says nothing.
    fn by_figure(&self, offers: Option<Offers<'_>>, mut turned: Turned<'_>, decision: &mut Decision<'t>) {
        let Some(offers) = offers else {
            return self.as_listed(turned, decision);
        };
        for offer in offers {
            if fit::has(&decision.fit, offer.carrier()) {
                let ranked = self.take(0, offer.carrier(), offer.price(), &mut decision.held_back, &mut turned);
                decision.ranking.extend(ranked);
            }
        }
        self.rank(turned.is_some(), decision);
    }

    /// Looks up what each of the route's carriers charges, in their order, and ranks those that are left.
    fn as_listed(&self, mut turned: Turned<'_>, decision: &mut Decision<'t>) {
        for (place, carrier) in (0..).zip(self.route.carriers.list.iter().copied()) {
            if fit::has(&decision.fit, carrier)
                && let Charge::Price(price) = self.charge(carrier)
            {
                let ranked = self.take(place, carrier, price, &mut decision.held_back, &mut turned);
                decision.ranking.extend(ranked);
            }
        }
        self.rank(turned.is_some(), decision);
    }

    fn rank(&self, wants_all: bool, decision: &mut Decision<'t>) {
        let count = self.wanted(wants_all).min(decision.ranking.len());
        rank::rank(self.route, self.query.roll, count, &mut decision.ranking);
    }

    fn wanted(&self, wants_all: bool) -> usize {
        if wants_all { usize::MAX } else { self.wanted }
    }

    /// A carrier that fits, as it is to be ranked; `None` = it was counted why not.
    fn take(
        &self,
        place: u16,
        carrier: CarrierIndex,
        price: Price,
        held_back: &mut HeldBack,
        turned: &mut Turned<'_>,
    ) -> Option<Ranked> {
        match self.judge(carrier, price.cost) {
            Ok((quality, shown)) => {
                let cost = price.cost.times(self.message.segments);
                let known = &self.table.carriers[usize::from(carrier)];
                Some(Ranked {
                    carrier,
                    place,
                    unit: price.unit,
                    cost,
                    figure: rank::figure(self.route.strategy, known, cost.0, quality),
                    shown,
                })
            }
            Err(why) => {
                held_back.count(why);
                if let Some(turned) = turned {
                    turned.push((carrier, why));
                }
                None
            }
        }
    }

    /// What is said of a carrier that the message is to be offered to; `sender` is what policies set.
    fn candidate(&self, ranked: &Ranked, sender: Option<&'t str>) -> Candidate<'t> {
        let carrier = &self.table.carriers[usize::from(ranked.carrier)];
        let shown = self.table.senders.shown(ranked.shown).map(|(sender, _)| &**sender);
        Candidate {
            carrier: &carrier.name,
            unit: ranked.unit,
            currency: &carrier.currency,
            cost: ranked.cost,
            receipts: carrier.receipts,
            from: shown.or(sender),
        }
    }

    /// Hands out as many of the ranked as there may be attempts, where that is not done, and says what it comes to.
    fn conclude(&self, decision: &mut Decision<'t>) {
        let (sender, wanted) = (decision.from, self.wanted(false));
        let ranked = decision.ranking.iter().take(wanted);
        decision
            .candidates
            .extend(ranked.map(|ranked| self.candidate(ranked, sender)));
        let is_held_back = decision.held_back.total() > 0;
        decision.action = match (decision.candidates.is_empty(), is_held_back) {
            (false, _) => Action::Route,
            (true, false) => Action::NoRoute,
            (true, true) => Action::Wait,
        };
    }

    /// Tells `probe` why each carrier that is not among the ranked is refused.
    fn tell<P: Probe<'t>>(&self, probe: &mut P, turned: &[(CarrierIndex, Refusal)], decision: &Decision<'t>) {
        for carrier in self.route.carriers.list.iter().copied() {
            if decision.ranking.iter().any(|ranked| ranked.carrier == carrier) {
                continue;
            }
            let (why, shown) = self.refusal(carrier, turned, &decision.avoided);
            let is_fit = fit::has(&decision.fit, carrier);
            debug_assert!(
                is_fit || why <= Refusal::Ported,
                "{why:?} must be seen in the sets of carriers"
            );
            probe.refused(carrier, why, shown, self.charge(carrier).price());
        }
    }

    /// The first reason that refuses a carrier that is refused, and the sender that it would have shown.
    fn refusal(
        &self,
        carrier: CarrierIndex,
        turned: &[(CarrierIndex, Refusal)],
        avoided: &[CarrierIndex],
    ) -> (Refusal, Shown) {
        let shown = self.towards(carrier);
        let told = self.unfit(
            &self.table.carriers[usize::from(carrier)],
            shown,
            avoided.contains(&carrier),
        );
        let why = told.unwrap_or_else(|| match self.charge(carrier) {
            Charge::Unrated => Refusal::NoRate,
            Charge::Closed => Refusal::Closed,
            Charge::Price(_) => {
                let judged = turned.iter().find(|(other, _)| *other == carrier);
                judged
                    .expect("who fits and has a price was judged, and is not among the ranked")
                    .1
            }
        });
        (why, shown)
    }

    fn towards(&self, carrier: CarrierIndex) -> Shown {
        let rules = self.rules.as_ref();
        rules.map_or(Shown::AsIs, |rules| rules.towards(carrier, self.message))
    }

    fn charge(&self, carrier: CarrierIndex) -> Charge {
        self.table
            .rates
            .charge(&self.message.resolved.tariff, carrier, self.message.at)
    }

    /// How well a carrier that fits delivers and which sender it shows, or the first reason, its price and what follows, that
    /// refuses it.
    fn judge(&self, index: CarrierIndex, cost: Micros) -> Result<(Quality, Shown), Refusal> {
        let carrier = &self.table.carriers[usize::from(index)];
        let shown = match self.rules {
            Some(_) if self.table.fits.is_ruled(index) => self.shown(index, carrier)?,
            _ => Shown::AsIs,
        };
        let quality = self
            .figures
            .map_or(Quality::UNTOLD, |known| known.quality(index, &carrier.name));
        let why = self.unprofitable(cost, quality).or_else(|| self.unready(carrier));
        match why {
            Some(why) => Err(why),
            None if self.query.tried.contains(&carrier.name) => Err(Refusal::AlreadyTried),
            None => Ok((quality, shown)),
        }
    }

    /// The sender towards a carrier for which there are rules, if it shows that.
    fn shown(&self, index: CarrierIndex, carrier: &Carrier) -> Result<Shown, Refusal> {
        let shown = self.towards(index);
        if shown == Shown::Never {
            Err(Refusal::Sender)
        } else if carrier.shows(self.kind(shown)) {
            Ok(shown)
        } else {
            Err(Refusal::SenderKind)
        }
    }

    /// The kind of the sender that is shown.
    fn kind(&self, shown: Shown) -> SenderKind {
        let rule = self.table.senders.shown(shown);
        rule.map_or(self.message.sender_kind, |(_, kind)| *kind)
    }

    /// Why a carrier cannot take the message just now.
    fn unready(&self, carrier: &Carrier) -> Option<Refusal> {
        let (network, class) = (self.message.resolved.network, self.message.class);
        let standing = self.query.standings?.standing_on(&carrier.name, network, class);
        if standing.circuit_open {
            Some(Refusal::CircuitOpen)
        } else {
            standing
                .expected_wait
                .filter(|wait| self.patience.is_some_and(|patience| *wait > patience))
                .map(|_| Refusal::Saturated)
        }
    }

    /// The first reason, before any price, why a carrier cannot take the message.
    fn unfit(&self, carrier: &Carrier, shown: Shown, is_avoided: bool) -> Option<Refusal> {
        let (message, route) = (self.message, self.route);
        let country = message.resolved.country;
        let why = if !carrier.enabled {
            Refusal::Disabled
        } else if is_avoided {
            Refusal::Avoided
        } else if route.refuses_type(carrier.route_type) {
            Refusal::RouteType
        } else if !carrier.serves(country) {
            Refusal::Country
        } else if shown == Shown::Never {
            Refusal::Sender
        } else if !carrier.shows(self.kind(shown)) {
            Refusal::SenderKind
        } else if !carrier.carries(message.encoding) {
            Refusal::Encoding
        } else if message.segments > 1 && !carrier.concatenation {
            Refusal::Concatenation
        } else if route.wants_receipts() && !carrier.receipts {
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

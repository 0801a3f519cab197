//! From a checked spec to a table that decides. The only maker of a [`Table`].

mod books;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use sms::{CarrierName, Class, Content, SenderKind};

use crate::{
    check::Checked,
    decision::Terms,
    digits::Digits,
    fit::{Fits, Set},
    gate::{self, GateMaker},
    names::Names,
    numbers::Numbers,
    policy::{Carriers, Ends, Policy, Route},
    quality::{Quality, QualityBook},
    ranking::Ranker,
    rates::CarrierIndex,
    senders::{SenderRule, Senders},
    spec::{CarrierSpec, End, OnUnknown, PolicySpec, RouteSpec, Spec},
    stake::alike::{Alike, Parts},
    table::{Carrier, Table},
};

/// Attempts of a route where neither it nor the defaults say.
pub(crate) const ATTEMPTS_DEFAULT: u32 = 3;

/// Builds the table.
pub(crate) fn compile(checked: &Checked) -> Table {
    let spec = checked.spec();
    let mut carriers: Vec<&CarrierSpec> = spec.carriers.iter().flatten().collect();
    carriers.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    let names = CarrierNames(
        carriers
            .iter()
            .enumerate()
            .map(|(at, carrier)| (&carrier.name, index(at)))
            .collect(),
    );
    let open = carriers
        .iter()
        .enumerate()
        .filter(|(_, carrier)| !carrier.only_named)
        .map(|(at, _)| index(at));
    let open: Arc<[CarrierIndex]> = open.collect();
    let (rates, rate_prefixes) = books::rates(spec, &names);
    let defaults = &spec.settings.defaults;
    let compiled: Vec<Carrier> = carriers.into_iter().map(carrier).collect();
    let routes = Routes {
        names: &names,
        carriers: &compiled,
        open: &open,
        defaults,
    };
    let policies: Vec<Policy> = spec.policies.iter().map(|policy| routes.policy(policy)).collect();
    let (mut account_names, mut sender_names) = (Names::default(), Names::default());
    let rules = sender_rules(spec, &names);
    let mut gates = GateMaker::new(&policies, &rules, &mut account_names, &mut sender_names);
    let senders = Senders::new(rules, &mut account_names, &mut sender_names);
    let mut ranker = Ranker::new(&rates);
    let numbers = Numbers::new(spec, &rates, &rate_prefixes, &mut ranker, &mut gates);
    let (quality, sell, default_route) = (quality(spec, &names), books::sell(spec), routes.route(defaults));
    let alike = Alike::new(&Parts {
        plan: &spec.plan,
        rates: &rates,
        sell: sell.as_ref(),
        quality: &quality,
        policies: &policies,
        default_route: &default_route,
        carriers: compiled.len(),
    });
    Table {
        version: spec.version.as_str().into(),
        name: spec.settings.name.as_str().into(),
        currency: spec.settings.currency.as_str().into(),
        numbers,
        rankings: ranker.finish(),
        rates,
        fits: Fits::new(&compiled, &senders),
        account_names,
        sender_names,
        senders,
        quality,
        sell,
        alike,
        gates: gates.finish(),
        default_route,
        policies,
        carriers: compiled,
    }
}

/// Carriers by name.
struct CarrierNames<'a>(BTreeMap<&'a CarrierName, CarrierIndex>);

impl CarrierNames<'_> {
    fn of(&self, name: &CarrierName) -> CarrierIndex {
        *self.0.get(name).expect("check() refuses carriers that are not defined")
    }
}

fn carrier(spec: &CarrierSpec) -> Carrier {
    Carrier {
        name: spec.name.clone(),
        currency: spec.currency.as_str().into(),
        enabled: spec.enabled,
        sender_kinds: spec.sender_kinds,
        encodings: spec.encodings,
        concatenation: spec.concatenation,
        receipts: spec.receipts,
        accepts_ported: spec.accepts_ported,
        countries: spec.countries.clone(),
        throughput: spec.throughput,
        route_type: spec.route_type,
        charged: spec.charged,
    }
}

fn sender_rules(spec: &Spec, names: &CarrierNames<'_>) -> Vec<SenderRule> {
    let rules = spec.senders.iter().map(|row| SenderRule {
        account: row.account.clone(),
        sender: row.sender.clone(),
        carrier: row.carrier.as_ref().map(|carrier| names.of(carrier)),
        country: row.country,
        shown: row
            .shown
            .as_deref()
            .map(|sender| (sender.into(), SenderKind::of(sender))),
    });
    rules.collect()
}

fn quality(spec: &Spec, names: &CarrierNames<'_>) -> QualityBook {
    let figures = spec.quality.iter().map(|row| {
        let quality = Quality::of(row.attempts, row.delivered, row.p95_seconds);
        ((names.of(&row.carrier), row.network), quality)
    });
    QualityBook::new(figures.collect())
}

/// Fills what a route does not say.
struct Routes<'a> {
    names: &'a CarrierNames<'a>,
    carriers: &'a [Carrier],
    open: &'a Arc<[CarrierIndex]>,
    defaults: &'a RouteSpec,
}

impl Routes<'_> {
    fn policy(&self, spec: &PolicySpec) -> Policy {
        Policy {
            name: spec.name.as_str().into(),
            span: spec.span,
            matches: spec.matches.clone(),
            open: gate::left_open(&spec.matches),
            excepts: spec.excepts.clone(),
            sender: spec.rewrite.sender.as_deref().map(Into::into),
            recipient: spec.rewrite.recipient.as_deref().map(|to| {
                let digits = Digits::of_number(to).expect("read() takes numbers only");
                (to.into(), digits)
            }),
            text: spec.rewrite.text.as_deref().map(|text| {
                let size = sms::count(&Content::Text(text.to_owned()));
                (text.into(), size)
            }),
            copy: spec.copy.iter().map(|to| to.as_str().into()).collect(),
            tag: spec.tag.as_deref().map(Into::into),
            avoid: spec.avoid.iter().map(|named| self.names.of(&named.carrier)).collect(),
            ends: spec.end.as_ref().map(|end| match end {
                End::Reject(reason) => Ends::Reject(reason.as_str().into()),
                End::Route(route) => Ends::Route(Box::new(self.route(route))),
            }),
        }
    }

    fn route(&self, spec: &RouteSpec) -> Route {
        let defaults = self.defaults;
        let named = spec
            .carriers
            .as_ref()
            .map(|list| list.iter().map(|one| self.names.of(&one.carrier)).collect());
        let list: Arc<[CarrierIndex]> = named.unwrap_or_else(|| Arc::clone(self.open));
        let mut route = Route {
            able: Set::default(),
            strategy: spec.strategy.or(defaults.strategy).unwrap_or_default(),
            carriers: Carriers {
                list,
                weights: spec.weights.clone(),
            },
            route_types: spec.route_types.clone().or_else(|| defaults.route_types.clone()),
            terms: Class::ALL.map(|class| self.terms(spec, class)),
            max_price: spec.max_price.or(defaults.max_price),
            min_margin: spec.min_margin.or(defaults.min_margin),
            min_delivery_rate: spec.min_delivery_rate.or(defaults.min_delivery_rate),
        };
        route.able = self.able(&route);
        route
    }

    /// The route's rules, else those of the defaults, else those of the class.
    fn terms(&self, spec: &RouteSpec, class: Class) -> Terms {
        let defaults = self.defaults;
        let (spill_after, on_unknown) = match class {
            Class::Otp => (Some(Duration::from_secs(2)), OnUnknown::Resend),
            Class::Transactional => (Some(Duration::from_secs(30)), OnUnknown::Wait),
            Class::Promotional => (None, OnUnknown::Fail),
        };
        let deadline = spec.deadline.or(defaults.deadline);
        Terms {
            attempts: spec.attempts.or(defaults.attempts).unwrap_or(ATTEMPTS_DEFAULT),
            deadline: deadline.unwrap_or(class.deadline_default()),
            receipt_within: spec.receipt_within.or(defaults.receipt_within),
            spill_after: spec.spill_after.or(defaults.spill_after).or(spill_after),
            on_unknown: spec.on_unknown.or(defaults.on_unknown).unwrap_or(on_unknown),
            lookup: spec.lookup.or(defaults.lookup).unwrap_or_default(),
        }
    }

    /// The carriers of `route` that can take some message.
    fn able(&self, route: &Route) -> Set {
        let mut listed = vec![false; self.carriers.len()];
        route
            .carriers
            .list
            .iter()
            .for_each(|carrier| listed[usize::from(*carrier)] = true);
        Set::of(self.carriers.len(), |at| {
            let carrier = &self.carriers[at];
            let has_receipts = carrier.receipts || !route.wants_receipts();
            listed[at] && carrier.enabled && !route.refuses_type(carrier.route_type) && has_receipts
        })
    }
}

fn index(at: usize) -> CarrierIndex {
    CarrierIndex::try_from(at).expect("CARRIERS_MAX is below 2^16")
}

//! From a checked spec to a table that decides. The only maker of a [`Table`].

use std::{collections::BTreeMap, sync::Arc};

use sms::CarrierName;

use crate::{
    check::Checked,
    digits::Digits,
    numbers::{NumberEntry, Numbers},
    policy::{Carriers, Ends, Policy, Route},
    rates::{CarrierIndex, Price, Rate, RateBook},
    spec::{CarrierSpec, End, PolicySpec, RateKey, RateRow, RouteSpec, Spec},
    table::{Carrier, Table},
    trie::Trie,
};

/// Attempts of a route where neither it nor the defaults say.
const ATTEMPTS_DEFAULT: u32 = 3;

/// Builds the table.
pub(crate) fn compile(checked: &Checked) -> Table {
    let spec = checked.spec();
    let mut carriers: Vec<&CarrierSpec> = spec.carriers.iter().flatten().collect();
    carriers.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    let names = Names(
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
    let (rates, rate_prefixes) = rate_book(spec, &names);
    let defaults = &spec.settings.defaults;
    let routes = Routes {
        names: &names,
        open: &open,
        defaults,
    };
    Table {
        version: spec.version.as_str().into(),
        name: spec.settings.name.as_str().into(),
        currency: spec.settings.currency.as_str().into(),
        numbers: numbers(spec, &rates, &rate_prefixes),
        rates,
        policies: spec.policies.iter().map(|policy| routes.policy(policy)).collect(),
        default_route: routes.route(defaults),
        carriers: carriers.into_iter().map(carrier).collect(),
    }
}

/// Carriers by name.
struct Names<'a>(BTreeMap<&'a CarrierName, CarrierIndex>);

impl Names<'_> {
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

/// The book of all sheets, and the key of each rated prefix in order of the prefixes.
fn rate_book(spec: &Spec, names: &Names<'_>) -> (RateBook, Vec<(Digits, u32)>) {
    let mut rows: Vec<(CarrierIndex, &RateRow, crate::money::Fx)> = Vec::new();
    for sheet in &spec.sheets {
        let name = CarrierName::new(&sheet.owner).expect("check() refuses sheets of undefined carriers");
        let currency = spec
            .carriers
            .iter()
            .flatten()
            .find(|carrier| carrier.name == name)
            .map(|found| &found.currency);
        let fx = currency
            .and_then(|currency| spec.settings.fx(currency))
            .expect("check() wants a rate for each currency");
        let carrier = names.of(&name);
        rows.extend(sheet.rows.iter().map(|row| (carrier, row, fx)));
    }
    // Sheets are sorted by key and `from` already: a stable sort only merges them.
    rows.sort_by_key(|(carrier, row, _)| (row.key, *carrier));
    let mut book = RateBook::new(names.0.len());
    let mut prefixes = Vec::new();
    let mut last = None;
    for (carrier, row, fx) in rows {
        let cost = |unit: crate::money::Micros| unit.convert(fx).expect("check() refuses prices that do not convert");
        let rate = Rate {
            span: row.span,
            price: row.price.map(|unit| Price { unit, cost: cost(unit) }),
        };
        let is_new = last != Some(row.key);
        let key = book.push(is_new, row.key, carrier, rate);
        if let (true, RateKey::Prefix(prefix)) = (is_new, row.key) {
            prefixes.push((prefix, key));
        }
        last = Some(row.key);
    }
    (book, prefixes)
}

/// One trie over the prefixes of the plan and of the rates.
fn numbers(spec: &Spec, rates: &RateBook, rate_prefixes: &[(Digits, u32)]) -> Numbers {
    let mut prefixes: Vec<Digits> = spec.plan.iter().map(|row| row.prefix).collect();
    prefixes.extend(rate_prefixes.iter().map(|(prefix, _)| *prefix));
    prefixes.sort_unstable();
    prefixes.dedup();
    let entry = |prefix: &Digits| {
        let plan = spec.plan.binary_search_by_key(prefix, |row| row.prefix).ok();
        let rates = rate_prefixes.binary_search_by_key(prefix, |(prefix, _)| *prefix).ok();
        NumberEntry::new(plan, rates.map(|at| rate_prefixes[at].1))
    };
    let entries = prefixes.iter().map(entry).collect();
    Numbers::new(Trie::new(&prefixes), entries, spec, rates)
}

/// Fills what a route does not say.
struct Routes<'a> {
    names: &'a Names<'a>,
    open: &'a Arc<[CarrierIndex]>,
    defaults: &'a RouteSpec,
}

impl Routes<'_> {
    fn policy(&self, spec: &PolicySpec) -> Policy {
        Policy {
            name: spec.name.as_str().into(),
            span: spec.span,
            matches: spec.matches.clone(),
            excepts: spec.excepts.clone(),
            sender: spec.rewrite.sender.as_deref().map(Into::into),
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
        Route {
            strategy: spec.strategy.or(defaults.strategy).unwrap_or_default(),
            carriers: Carriers {
                list: named.unwrap_or_else(|| Arc::clone(self.open)),
                weights: spec.weights.clone(),
            },
            route_types: spec.route_types.clone().or_else(|| defaults.route_types.clone()),
            attempts: spec.attempts.or(defaults.attempts).unwrap_or(ATTEMPTS_DEFAULT),
            deadline: spec.deadline.or(defaults.deadline),
            max_price: spec.max_price.or(defaults.max_price),
            receipt_within: spec.receipt_within.or(defaults.receipt_within),
            spill_after: spec.spill_after.or(defaults.spill_after),
            on_unknown: spec.on_unknown.or(defaults.on_unknown),
        }
    }
}

fn index(at: usize) -> CarrierIndex {
    CarrierIndex::try_from(at).expect("CARRIERS_MAX is below 2^16")
}

//! What a route comes to where it says nothing: a default spelled out on one side is no difference.

use crate::{
    compile::ATTEMPTS_DEFAULT,
    spec::{Lookup, Named, RouteSpec, RouteType, Spec, Strategy},
};

/// Route types of a route that names none.
const ROUTE_TYPES: [RouteType; 4] = [RouteType::Direct, RouteType::Hub, RouteType::Wholesale, RouteType::Sim];

/// The defaults with those spelled out that hold for every message.
pub(super) fn spelled_out(defaults: &RouteSpec) -> RouteSpec {
    RouteSpec {
        strategy: defaults.strategy.or(Some(Strategy::default())),
        lookup: defaults.lookup.or(Some(Lookup::default())),
        attempts: defaults.attempts.or(Some(ATTEMPTS_DEFAULT)),
        route_types: defaults.route_types.clone().or_else(|| Some(ROUTE_TYPES.to_vec())),
        ..defaults.clone()
    }
}

/// The route with its own table's default for each key that only `beside` says, the route of that policy in the other table.
/// A key that neither says is left out: if its default changed, that is told once, of the defaults.
///
/// `defaults` are those that are [`spelled_out`], and `open` the carriers of [`open`], of the route's own table.
pub(super) fn filled(route: &RouteSpec, beside: &RouteSpec, defaults: &RouteSpec, open: &[Named]) -> RouteSpec {
    RouteSpec {
        strategy: fill(route.strategy, beside.strategy, defaults.strategy),
        carriers: route
            .carriers
            .clone()
            .or_else(|| beside.carriers.is_some().then(|| open.to_vec())),
        weights: route.weights.clone(),
        route_types: fill(
            route.route_types.clone(),
            beside.route_types.as_ref(),
            defaults.route_types.clone(),
        ),
        attempts: fill(route.attempts, beside.attempts, defaults.attempts),
        deadline: fill(route.deadline, beside.deadline, defaults.deadline),
        max_price: fill(route.max_price, beside.max_price, defaults.max_price),
        min_margin: fill(route.min_margin, beside.min_margin, defaults.min_margin),
        min_delivery_rate: fill(
            route.min_delivery_rate,
            beside.min_delivery_rate,
            defaults.min_delivery_rate,
        ),
        receipt_within: fill(route.receipt_within, beside.receipt_within, defaults.receipt_within),
        spill_after: fill(route.spill_after, beside.spill_after, defaults.spill_after),
        on_unknown: fill(route.on_unknown, beside.on_unknown, defaults.on_unknown),
        lookup: fill(route.lookup, beside.lookup, defaults.lookup),
    }
}

fn fill<T, U>(own: Option<T>, beside: Option<U>, default: Option<T>) -> Option<T> {
    own.or(default.filter(|_| beside.is_some()))
}

/// The candidates of a route that names none.
pub(super) fn open(spec: &Spec) -> Vec<Named> {
    let carriers = spec.carriers.iter().flatten().filter(|carrier| !carrier.only_named);
    let mut open: Vec<Named> = carriers
        .map(|carrier| Named {
            carrier: carrier.name.clone(),
            place: carrier.place.clone(),
        })
        .collect();
    open.sort_unstable_by(|a, b| a.carrier.cmp(&b.carrier));
    open
}

//! Carriers that cannot take what they are there for.

use std::collections::{BTreeMap, BTreeSet};

use source::{Log, Place};

use crate::{
    code,
    spec::{CarrierSpec, End, PolicySpec, RouteSpec, Spec, Strategy},
};

/// Carriers by name.
type Carriers<'a> = BTreeMap<&'a str, &'a CarrierSpec>;

/// Points out carriers without rates, carriers that no route asks, routes that no carrier can take, and idle weights.
pub(super) fn warn(spec: &Spec, carriers: &[CarrierSpec], log: &Log) {
    warn_unrated(spec, carriers, log);
    let by_name: Carriers<'_> = carriers
        .iter()
        .map(|carrier| (carrier.name.as_str(), carrier))
        .collect();
    for policy in &spec.policies {
        if let Some(End::Route(route)) = &policy.end {
            warn_route(spec, policy, route, &by_name, log);
        }
    }
    if !log.has_errors() {
        warn_unasked(spec, carriers, log);
        warn_unsold(spec, log);
    }
}

fn warn_unrated(spec: &Spec, carriers: &[CarrierSpec], log: &Log) {
    let rated: BTreeMap<&str, (&Place, bool)> = spec
        .sheets
        .iter()
        .map(|sheet| (sheet.owner.as_str(), (&sheet.place, sheet.rows.is_empty())))
        .collect();
    for carrier in carriers.iter().filter(|carrier| carrier.enabled) {
        let what = format!(
            "carrier \"{}\" has no rates, every message is refused no_rate",
            carrier.name
        );
        match rated.get(carrier.name.as_str()) {
            None => {
                let help = format!("add rates/{}.csv", carrier.name);
                log.warning(carrier.place.clone(), code::UNRATED, what, "", help);
            }
            // Rows that were refused are missing too, which was said of each.
            Some((place, true)) if !log.has_errors() => {
                log.warning(
                    (*place).clone(),
                    code::UNRATED,
                    what,
                    "the sheet has no rows",
                    "add some",
                );
            }
            Some(_) => {}
        }
    }
}

/// A route whose candidates are refused whatever the message, and weights that count for nothing.
fn warn_route(spec: &Spec, policy: &PolicySpec, route: &RouteSpec, carriers: &Carriers<'_>, log: &Log) {
    let Some(named) = &route.carriers else { return };
    let found: Vec<&CarrierSpec> = named
        .iter()
        .filter_map(|named| carriers.get(named.carrier.as_str()).copied())
        .collect();
    let defaults = &spec.settings.defaults;
    let types = route.route_types.as_ref().or(defaults.route_types.as_ref());
    let wants_receipts = route.receipt_within.or(defaults.receipt_within).is_some();
    let lacks = |carrier: &CarrierSpec| {
        if !carrier.enabled {
            Some("enabled")
        } else if types.is_some_and(|types| !types.contains(&carrier.route_type)) {
            Some("of its route_types")
        } else if wants_receipts && !carrier.receipts {
            Some("one with receipts, which receipt_within wants")
        } else {
            None
        }
    };
    let mut reasons: Vec<&str> = found.iter().filter_map(|carrier| lacks(carrier)).collect();
    if !named.is_empty() && reasons.len() == named.len() {
        reasons.dedup();
        let reason = if let [only] = reasons[..] { only } else { "usable" };
        let what = format!("no carrier of policy \"{}\" is {reason}", policy.name);
        let why = "every message it routes ends in no_route";
        let help = "enable one, or name another";
        log.warning(policy.place.clone(), code::NO_CARRIER, what, why, help);
    } else if route.strategy.or(defaults.strategy) == Some(Strategy::Weighted) {
        for named in named {
            let is_off = carriers
                .get(named.carrier.as_str())
                .is_some_and(|carrier| !carrier.enabled);
            if is_off {
                let what = format!(
                    "policy \"{}\" gives a weight to \"{}\", which is disabled",
                    policy.name, named.carrier
                );
                let why = "the others share its part by their weights";
                let help = "enable the carrier, or take it out";
                log.warning(named.place.clone(), code::WEIGHT_IDLE, what, why, help);
            }
        }
    }
}

/// Carriers that are only asked where they are named, and are named nowhere.
fn warn_unasked(spec: &Spec, carriers: &[CarrierSpec], log: &Log) {
    let routes = spec.policies.iter().filter_map(|policy| match &policy.end {
        Some(End::Route(route)) => route.carriers.as_ref(),
        _ => None,
    });
    let named: BTreeSet<&str> = routes.flatten().map(|named| named.carrier.as_str()).collect();
    for carrier in carriers.iter().filter(|carrier| carrier.enabled && carrier.only_named) {
        if !named.contains(carrier.name.as_str()) {
            let what = format!("carrier \"{}\" is only_named, and no route names it", carrier.name);
            let help = "name it in a route, or drop only_named";
            log.warning(
                carrier.place.clone(),
                code::UNASKED,
                what,
                "no message can reach it",
                help,
            );
        }
    }
}

/// Margins asked for where nobody has a price.
fn warn_unsold(spec: &Spec, log: &Log) {
    if !spec.sell.is_empty() {
        return;
    }
    let why = "there is no sell price, so every carrier is refused no_sell_price";
    let help = "add sell/default.csv, or drop min_margin";
    let defaults = &spec.settings.defaults;
    for policy in &spec.policies {
        if let Some(End::Route(route)) = &policy.end
            && route.min_margin.is_some()
        {
            let what = format!("policy \"{}\" asks for a margin", policy.name);
            log.warning(policy.place.clone(), code::NO_SELL, what, why, help);
        }
    }
    if defaults.min_margin.is_some() {
        let place = Place::file("table.toml").at(1);
        log.warning(place, code::NO_SELL, "the defaults ask for a margin", why, help);
    }
}

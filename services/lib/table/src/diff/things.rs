//! What a table says, thing by thing, as names with keys and values.

use std::collections::HashMap;

use super::{
    Change,
    defaults::{filled, open, spelled_out},
    fields::{self, Fields},
    merge::{self, Field, Thing},
    names::Names,
};
use crate::{
    files::Files,
    network::Country,
    spec::{Conditions, End, PlanRow, PolicySpec, RouteSpec, Settings, Spec, Strategy},
};

pub(super) fn settings(settings: &Settings) -> Vec<Field> {
    let mut fields = Fields::default();
    fields.one("name", Some(&settings.name).filter(|name| !name.is_empty()));
    fields.one("currency", Some(&settings.currency));
    for (currency, (fx, _)) in &settings.fx {
        fields.one(&format!("fx.{currency}"), Some(fx));
    }
    fields::route("defaults", &spelled_out(&settings.defaults), false, &mut fields);
    fields.0
}

/// Carriers, by name. Of one that came or went only what is no default is worth reading.
pub(super) fn carrier_changes(old: &Spec, new: &Spec) -> Vec<Change> {
    let mut changes = merge::unordered(carriers(old), carriers(new));
    for change in changes.iter_mut().filter(|change| change.kind != "changed") {
        change.fields.retain(|field| {
            let values = if field.from.is_empty() { &field.to } else { &field.from };
            !fields::CARRIER_DEFAULTS.contains(&(&*field.key, &*values.join(" ")))
        });
    }
    changes
}

fn carriers(spec: &Spec) -> Vec<Thing> {
    let carriers = spec.carriers.iter().flatten();
    carriers
        .map(|carrier| Thing {
            name: carrier.name.to_string(),
            fields: fields::carrier(carrier),
        })
        .collect()
}

/// The policies of `spec`, to be compared with those of `other`.
pub(super) fn policies(spec: &Spec, other: &Spec) -> Vec<Thing> {
    let others = other.policies.iter();
    let routes: HashMap<&str, &RouteSpec> = others
        .filter_map(|policy| Some((&*policy.name, route_of(policy)?)))
        .collect();
    let (defaults, open) = (spelled_out(&spec.settings.defaults), open(spec));
    let thing = |policy: &PolicySpec| {
        let beside = routes.get(&*policy.name).copied();
        let route = route_of(policy).map(|route| match beside {
            Some(beside) => filled(route, beside, &defaults, &open),
            None => route.clone(),
        });
        Thing {
            name: policy.name.clone(),
            fields: policy_fields(policy, route.as_ref(), spec),
        }
    };
    spec.policies.iter().map(thing).collect()
}

fn route_of(policy: &PolicySpec) -> Option<&RouteSpec> {
    match &policy.end {
        Some(End::Route(route)) => Some(route),
        Some(End::Reject(_)) | None => None,
    }
}

fn policy_fields(policy: &PolicySpec, route: Option<&RouteSpec>, spec: &Spec) -> Vec<Field> {
    let mut fields = Fields::default();
    fields.one("from", fields::instant(policy.span.from));
    fields.one("until", fields::instant(policy.span.until));
    for test in &policy.matches.0 {
        fields.many(&format!("match.{}", test.key()), fields::values(test));
    }
    fields.many("except", policy.excepts.iter().map(except).collect());
    fields.one("rewrite.sender", policy.rewrite.sender.as_ref());
    fields.one("rewrite.recipient", policy.rewrite.recipient.as_ref());
    fields.one("rewrite.text", policy.rewrite.text.as_ref());
    fields.many("copy", policy.copy.clone());
    fields.one("tag", policy.tag.as_ref());
    fields.many(
        "avoid",
        policy.avoid.iter().map(|named| named.carrier.to_string()).collect(),
    );
    if let Some(End::Reject(reason)) = &policy.end {
        fields.one("reject", Some(reason));
    }
    if let Some(route) = route {
        fields.one("ends", Some("in a route"));
        let strategy = route.strategy.or(spec.settings.defaults.strategy);
        let is_ordered = matches!(strategy, Some(Strategy::Priority | Strategy::Weighted));
        fields::route("route", route, is_ordered, &mut fields);
    }
    fields.0
}

fn except(conditions: &Conditions) -> String {
    let tests = conditions.0.iter().map(|test| {
        let mut values = fields::values(test);
        values.sort_unstable();
        format!("{} {}", test.key(), values.join(" or "))
    });
    tests.collect::<Vec<_>>().join(" and ")
}

pub(super) fn senders(spec: &Spec) -> Vec<Thing> {
    let rows = spec.senders.iter().map(|row| {
        let lower = |glob: Option<String>| glob.map(|glob| glob.to_ascii_lowercase());
        let parts = [
            ("account", lower(row.account.as_ref().map(ToString::to_string))),
            ("sender", lower(row.sender.as_ref().map(ToString::to_string))),
            ("carrier", row.carrier.as_ref().map(ToString::to_string)),
            ("country", row.country.as_ref().map(ToString::to_string)),
        ];
        let parts: Vec<String> = parts
            .into_iter()
            .filter_map(|(key, value)| Some(format!("{key} {}", value?)))
            .collect();
        let name = if parts.is_empty() {
            "any".to_owned()
        } else {
            parts.join(", ")
        };
        let shown = row.shown.clone().unwrap_or_else(|| "-".to_owned());
        Thing {
            name,
            fields: vec![("use".to_owned(), vec![shown])],
        }
    });
    rows.collect()
}

/// The sets as written: what a policy makes of them shows in its own conditions.
pub(super) fn sets(files: &Files) -> Vec<Thing> {
    let sets = files.folder("sets").map(|(name, _, content)| {
        let text = String::from_utf8_lossy(content);
        let mut entries: Vec<String> = text
            .trim_start_matches('\u{feff}')
            .lines()
            .map(|line| line.trim().to_owned())
            .filter(|line| !line.is_empty())
            .collect();
        entries.sort_unstable();
        entries.dedup();
        Thing {
            name: format!("@{name}"),
            fields: vec![("entries".to_owned(), entries)],
        }
    });
    sets.collect()
}

pub(super) fn quality(spec: &Spec) -> Vec<Thing> {
    let rows = spec.quality.iter().map(|row| {
        let mut fields = Fields::default();
        fields.one("attempts", Some(row.attempts));
        fields.one("delivered", Some(row.delivered));
        fields.one("p95_seconds", row.p95_seconds);
        Thing {
            name: format!("{} to {}", row.carrier, row.network),
            fields: fields.0,
        }
    });
    rows.collect()
}

/// Ranges of the numbering plan; both plans are in order of their prefixes.
pub(super) fn numbering(old: &Spec, new: &Spec) -> Vec<Change> {
    let same = |a: &PlanRow, b: &PlanRow| (a.network, a.country, &a.operator) == (b.network, b.country, &b.operator);
    let fields = |row: &PlanRow| {
        let mut fields = Fields::default();
        fields.one("network", Some(row.network));
        fields.one("country", row.country.as_ref().map(Country::to_string));
        fields.one("operator", Some(&row.operator).filter(|operator| !operator.is_empty()));
        fields.0
    };
    let mut changes = Vec::new();
    merge::sorted(
        old.plan.iter(),
        new.plan.iter(),
        |row| row.prefix,
        |before, after| {
            if !matches!((before, after), (Some(before), Some(after)) if same(before, after)) {
                let name = before.or(after).map(|row| row.prefix.to_string()).unwrap_or_default();
                let (before, after) = (before.map(fields), after.map(fields));
                changes.extend(merge::change(&name, before.as_deref(), after.as_deref(), None));
            }
        },
    );
    changes
}

/// Ported numbers; both lists are in order.
pub(super) fn ported(old: &Spec, new: &Spec) -> Vec<Change> {
    let names = Names::new(old, new);
    let mut changes = Vec::new();
    merge::sorted(
        old.ported.iter(),
        new.ported.iter(),
        |row| row.0,
        |before, after| {
            if before != after {
                let name = before.or(after).map(|row| row.0.to_string()).unwrap_or_default();
                let network = |row: &(_, crate::network::Network)| {
                    let network = format!("{} {}", row.1, names.network(row.1));
                    vec![("network".to_owned(), vec![network.trim().to_owned()])]
                };
                let (before, after) = (before.map(network), after.map(network));
                changes.extend(merge::change(&name, before.as_deref(), after.as_deref(), None));
            }
        },
    );
    changes
}

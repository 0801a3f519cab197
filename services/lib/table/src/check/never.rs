//! Policies that no message can match, whatever stands around them.

use std::collections::BTreeSet;

use source::Log;

use super::{implied::Logic, plan::Plan};
use crate::{
    code,
    digits::Digits,
    network::{Country, Network},
    spec::{PolicySpec, Test},
};

/// Points out each policy whose own conditions leave nothing.
pub(super) fn warn(policies: &[PolicySpec], plan: &Plan<'_>, log: &Log) {
    let logic = Logic::new(plan);
    let mut tags: BTreeSet<&str> = BTreeSet::new();
    for policy in policies {
        if let Some(why) = why_never(policy, &tags, plan, &logic) {
            let what = format!("policy \"{}\" can never match", policy.name);
            let help = "mend its conditions, or remove it";
            log.warning(policy.place.clone(), code::NEVER, what, why, help);
        }
        tags.extend(policy.tag.as_deref());
    }
}

fn why_never(policy: &PolicySpec, tags: &BTreeSet<&str>, plan: &Plan<'_>, logic: &Logic<'_>) -> Option<String> {
    let tests = &policy.matches.0;
    let alone = tests.iter().find_map(|test| why_not_alone(test, policy, tags, plan));
    let pairs = || {
        let pairs = tests
            .iter()
            .enumerate()
            .flat_map(|(at, a)| tests[at + 1..].iter().map(move |b| (a, b)));
        pairs
            .filter(|(a, b)| logic.excludes(a, b))
            .map(|(a, b)| format!("{a} and {b} exclude one another"))
            .next()
    };
    let by_plan = || why_not_by_plan(tests, plan, logic);
    let excepted = || {
        let given: Vec<&Test> = tests.iter().collect();
        let at = policy
            .excepts
            .iter()
            .position(|except| !except.0.is_empty() && except.0.iter().all(|test| logic.follows(test, &given)))?;
        Some(format!("except {} holds of every message that it matches", at + 1))
    };
    alone.or_else(pairs).or_else(by_plan).or_else(excepted)
}

/// Why a condition cannot hold, whatever the others are.
fn why_not_alone(test: &Test, policy: &PolicySpec, tags: &BTreeSet<&str>, plan: &Plan<'_>) -> Option<String> {
    match test {
        Test::Tag(list) if !list.is_empty() && !list.iter().any(|tag| tags.contains(tag.as_str())) => {
            Some(format!("{test} does not hold: no policy before it sets that tag"))
        }
        Test::Country(list) if !list.is_empty() && !list.iter().any(|country| plan.has_country(*country)) => {
            Some(format!("{test} does not hold: numbering.csv has no number there"))
        }
        Test::Hours(hours) if !hours.meet(policy.span.from, policy.span.until) => {
            Some(format!("{test} does not hold between its from and its until"))
        }
        _ => None,
    }
}

/// Why the plan knows no number of such a prefix in such a country or network.
fn why_not_by_plan(tests: &[Test], plan: &Plan<'_>, logic: &Logic<'_>) -> Option<String> {
    /// Beyond so many, the prefixes are a list of numbers and not of networks.
    const PREFIXES_MAX: usize = 100;
    let is_of_plan = |test: &&Test| matches!(test, Test::Country(_) | Test::Network(_));
    tests.iter().find(is_of_plan)?;
    let (prefix, prefixes) = tests.iter().find_map(|test| match test {
        Test::Prefix(list) if list.len() <= PREFIXES_MAX => Some((test, list)),
        _ => None,
    })?;
    let reached = reached(prefixes, plan, logic)?;
    let other = tests.iter().filter(is_of_plan).find(|test| match test {
        Test::Country(list) => !reached.iter().any(|country| list.binary_search(country).is_ok()),
        Test::Network(list) => {
            logic.spend(list.len());
            logic.has_steps() && list.iter().all(|network| is_elsewhere(*network, &reached, plan))
        }
        _ => false,
    })?;
    Some(format!("numbering.csv knows no number of {prefix} with {other}"))
}

/// Whether every number of the network's MCC is known to be of other countries.
fn is_elsewhere(network: Network, reached: &BTreeSet<Country>, plan: &Plan<'_>) -> bool {
    plan.countries_of(network).is_some_and(|countries| {
        countries
            .iter()
            .all(|country| country.is_some_and(|country| !reached.contains(&country)))
    })
}

/// The countries that numbers under the prefixes may be of, also when told to be of another network there: a country may
/// have several MCCs, and an MCC several countries. `None` = it cannot be told, or takes too long.
fn reached(prefixes: &[Digits], plan: &Plan<'_>, logic: &Logic<'_>) -> Option<BTreeSet<Country>> {
    let mut named = BTreeSet::new();
    for prefix in prefixes {
        for row in plan.rows_of(*prefix) {
            logic.spend(1);
            named.insert(row.country.filter(|_| logic.has_steps())?);
        }
        for network in plan.ported_under(*prefix) {
            logic.spend(1);
            for country in plan.countries_of(network).filter(|_| logic.has_steps())? {
                named.insert((*country)?);
            }
        }
    }
    let mut reached = BTreeSet::new();
    for country in &named {
        reached.extend(plan.countries_with(*country)?);
    }
    (!reached.is_empty()).then_some(reached)
}

//! What conditions name, against the memory that it takes: the compiled table keeps a bit for each policy in a row for each
//! group of accounts, senders, countries, networks and places that the policies tell apart.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    hash::Hash,
};

use source::{Code, Log, Place};

use crate::{
    digits::Digits,
    gate::BEGINNING_MAX,
    glob::Globs,
    network::{Country, Network},
    spec::{PlanRow, PolicySpec, Spec, Test},
};

/// Most octets of all rows together; while a table is compiled they are held twice.
const ROWS_OCTETS_MAX: u64 = 256 * 1_024 * 1_024;

/// Refuses policies whose rows would take too much.
pub(super) fn check(spec: &Spec, log: &Log) {
    let octets = octets_of_row(spec.policies.len());
    // Most tables are far below even if every name were a group of its own.
    if names(&spec.policies, &spec.plan) * octets <= ROWS_OCTETS_MAX {
        return;
    }
    let rows = groups(&spec.policies, &spec.plan);
    if rows * octets > ROWS_OCTETS_MAX {
        let policies = spec.policies.len();
        let what = format!("{policies} policies tell {rows} groups of accounts, senders and places apart");
        let limit = ROWS_OCTETS_MAX / octets;
        let why = format!("of so many policies the limit is {limit} groups: each takes {octets} octets");
        let help = "tag what fits in one policy, and match the tag in those that follow";
        log.error(Place::file("policies.toml").at(1), Code::RANGE, what, why, help);
    }
}

/// A row has a bit for each policy, in words of 64.
fn octets_of_row(policies: usize) -> u64 {
    policies.div_ceil(64) as u64 * 8
}

/// How many groups there can be at most.
fn names(policies: &[PolicySpec], plan: &[PlanRow]) -> u64 {
    let tests = policies.iter().flat_map(|policy| &policy.matches.0);
    let named = tests.map(|test| match test {
        Test::Account(globs) | Test::Sender(globs) => globs.len(),
        Test::Country(list) => list.len(),
        Test::Network(list) => list.len(),
        // A prefix has a row of its own, and one with the network and country of its place.
        Test::Prefix(list) => 2 * list.len(),
        Test::SegmentsOver(_) => 1,
        _ => 0,
    });
    (named.sum::<usize>() + plan.len()) as u64
}

/// How many groups there are.
fn groups(policies: &[PolicySpec], plan: &[PlanRow]) -> u64 {
    let places = Places::of(policies);
    let rows = [
        named_groups(policies, |test| match test {
            Test::Account(globs) => Some(globs),
            _ => None,
        }),
        named_groups(policies, |test| match test {
            Test::Sender(globs) => Some(globs),
            _ => None,
        }),
        places.countries.distinct(),
        places.networks.distinct(),
        places.groups(plan),
    ];
    rows.iter().sum::<usize>() as u64
}

/// Which policies name each of some things, as a hash over their places.
struct Naming<K>(HashMap<K, u64>);

impl<K: Eq + Hash> Naming<K> {
    fn new() -> Self {
        Self(HashMap::new())
    }

    fn add(&mut self, key: K, policy: usize) {
        let hash = self.0.entry(key).or_default();
        *hash = mixed(*hash, policy as u64 + 1);
    }

    /// 0 = no policy names it.
    fn of(&self, key: &K) -> u64 {
        self.0.get(key).copied().unwrap_or_default()
    }

    fn distinct(&self) -> usize {
        self.0.values().collect::<HashSet<_>>().len()
    }
}

/// Groups of the names in those conditions that `globs` picks: of those that patterns with a star tell apart by how they begin,
/// and of those written without one.
fn named_groups(policies: &[PolicySpec], globs: impl Fn(&Test) -> Option<&Globs>) -> usize {
    let (mut plain, mut beginnings) = (Naming::new(), Naming::new());
    for (at, policy) in policies.iter().enumerate() {
        for globs in policy.matches.0.iter().filter_map(&globs) {
            globs.plain().for_each(|name| plain.add(name.as_bytes().to_vec(), at));
            let octets = globs.beginnings(BEGINNING_MAX).map(<[u8]>::to_ascii_lowercase);
            octets.for_each(|octets| beginnings.add(octets, at));
        }
    }
    // In order, so that the beginnings of a name come right before it, the longest last.
    let all: BTreeSet<&Vec<u8>> = plain.0.keys().chain(beginnings.0.keys()).collect();
    let mut above: Vec<(&[u8], u64)> = Vec::new();
    let mut groups = HashSet::new();
    for name in all {
        while above.last().is_some_and(|(shorter, _)| !name.starts_with(shorter)) {
            above.pop();
        }
        let mut group = above.last().map_or(0, |(_, group)| *group);
        if let hash @ 1.. = beginnings.of(name) {
            group = mixed(group, hash);
            above.push((name, group));
            groups.insert((group, 0));
        }
        if let hash @ 1.. = plain.of(name) {
            groups.insert((group, hash));
        }
    }
    groups.len()
}

/// What policies name of the place of a number.
struct Places {
    countries: Naming<Country>,
    networks: Naming<Network>,
    prefixes: Naming<Digits>,
}

impl Places {
    fn of(policies: &[PolicySpec]) -> Self {
        let mut places = Self {
            countries: Naming::new(),
            networks: Naming::new(),
            prefixes: Naming::new(),
        };
        for (at, policy) in policies.iter().enumerate() {
            for test in &policy.matches.0 {
                match test {
                    Test::Country(list) => list.iter().for_each(|one| places.countries.add(*one, at)),
                    Test::Network(list) => list.iter().for_each(|one| places.networks.add(*one, at)),
                    Test::Prefix(list) => list.iter().for_each(|one| places.prefixes.add(*one, at)),
                    _ => {}
                }
            }
        }
        places
    }

    /// Groups of places, and of prefixes alone. Places lie below others, whose network they have if the plan gives them none,
    /// and whose prefixes begin them too.
    fn groups(&self, plan: &[PlanRow]) -> usize {
        let mut all: BTreeMap<Digits, Option<&PlanRow>> =
            self.prefixes.0.keys().map(|prefix| (*prefix, None)).collect();
        all.extend(plan.iter().map(|row| (row.prefix, Some(row))));
        let (mut whole, mut by_prefix) = (HashSet::new(), HashSet::new());
        let mut above: Vec<(Digits, [u64; 3])> = Vec::new();
        for (prefix, row) in all {
            while above.last().is_some_and(|(above, _)| !prefix.starts_with(*above)) {
                above.pop();
            }
            let [mut country, mut network, mut named] = above.last().map(|(_, group)| *group).unwrap_or_default();
            if let Some(row) = row {
                country = row.country.map_or(0, |country| self.countries.of(&country));
                network = self.networks.of(&row.network);
            }
            if let hash @ 1.. = self.prefixes.of(&prefix) {
                named = mixed(named, hash);
            }
            above.push((prefix, [country, network, named]));
            whole.insert([country, network, named]);
            by_prefix.insert(named);
        }
        whole.len() + by_prefix.len()
    }
}

/// A hash that takes one more number. It is never 0.
fn mixed(hash: u64, number: u64) -> u64 {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let product = u128::from(hash.rotate_left(29) ^ number.wrapping_mul(ODD)) * u128::from(ODD);
    (product as u64 ^ (product >> 64) as u64) | 1
}

#[cfg(test)]
mod tests;

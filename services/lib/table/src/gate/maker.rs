//! From policies to rows of bits.

use std::collections::{BTreeMap, HashMap};

use sms::{Class, Encoding, SenderKind};

use super::{
    ByName, COUNTRIES, Gates, PlaceGates, RowId, SHAPES,
    beginnings::{BEGINNING_MAX, Beginnings},
    country_index, shape,
};
use crate::{
    digits::Digits,
    glob::Globs,
    names::Names,
    network::{Country, Network},
    policy::Policy,
    senders::SenderRule,
    spec::{Conditions, Test},
};

/// Makes the rows of one table; equal rows are kept once.
pub(crate) struct GateMaker {
    gates: Gates,
    made: HashMap<Vec<u64>, RowId>,
    /// Rows of places by country, network and prefix.
    places: HashMap<[RowId; 3], RowId>,
    /// Policies that name a prefix, by prefix.
    prefixes: BTreeMap<Digits, Vec<usize>>,
    /// Of numbers that no named prefix begins.
    no_prefix: RowId,
}

impl GateMaker {
    /// The rows of `policies`, but for places. Numbers the names that conditions and `rules` give; none was numbered before.
    pub(crate) fn new(policies: &[Policy], rules: &[SenderRule], accounts: &mut Names, senders: &mut Names) -> Self {
        let mut maker = Self {
            gates: Gates {
                words: policies.len().div_ceil(64),
                ..Gates::default()
            },
            made: HashMap::new(),
            places: HashMap::new(),
            prefixes: BTreeMap::new(),
            no_prefix: RowId::default(),
        };
        maker.add_shapes(policies);
        maker.add_segments(policies);
        maker.add_networks(policies);
        maker.gates.accounts = maker.by_name(policies, accounts, |test| match test {
            Test::Account(globs) => Some(globs),
            _ => None,
        });
        // A policy may rewrite the sender, after which the rows are looked up anew.
        maker.gates.senders = maker.by_name(policies, senders, |test| match test {
            Test::Sender(globs) => Some(globs),
            _ => None,
        });
        for rule in rules {
            maker.gates.accounts.add(accounts, &rule.account);
            maker.gates.senders.add(senders, &rule.sender);
        }
        let untagged = maker.row(policies, |test| !matches!(test, Test::Tag(_)));
        let any = maker.row(policies, |_| true);
        maker.gates.tagged = [untagged, any];
        maker.add_prefixes(policies);
        maker
    }

    /// Every prefix that a condition names.
    pub(crate) fn prefixes(&self) -> impl Iterator<Item = Digits> {
        self.prefixes.keys().copied()
    }

    /// The rows of the place of `prefix`, which lies below another, or below none.
    pub(crate) fn place(
        &mut self,
        prefix: Digits,
        above: Option<PlaceGates>,
        country: Option<Country>,
        network: Option<Network>,
    ) -> PlaceGates {
        let mut row = above.map_or(self.no_prefix, |above| above.prefix);
        if let Some(policies) = self.prefixes.get(&prefix) {
            let policies = policies.clone();
            row = self.row_with(row, &policies);
        }
        let parts = [
            self.gates.countries[country_index(country)],
            self.gates.network(network),
            row,
        ];
        let planned = match self.places.get(&parts) {
            Some(planned) => *planned,
            None => {
                let both = (0..self.gates.words)
                    .map(|word| parts.iter().fold(u64::MAX, |left, row| left & self.bits(*row)[word]));
                let planned = both.collect();
                let planned = self.keep(planned);
                self.places.insert(parts, planned);
                planned
            }
        };
        PlaceGates { planned, prefix: row }
    }

    /// All rows.
    pub(crate) fn finish(mut self) -> Gates {
        self.gates.bits.shrink_to_fit();
        self.gates
    }

    fn add_shapes(&mut self, policies: &[Policy]) {
        let mut rows = vec![RowId::default(); SHAPES];
        for class in Class::ALL {
            for encoding in [Encoding::Gsm7, Encoding::Ucs2, Encoding::Binary] {
                for kind in [SenderKind::Alphanumeric, SenderKind::LongCode, SenderKind::ShortCode] {
                    for (is_ported, has_text) in [(false, false), (false, true), (true, false), (true, true)] {
                        rows[shape(class, encoding, kind, is_ported, has_text)] =
                            self.row(policies, |test| match test {
                                Test::Class(list) => list.contains(&class),
                                Test::Encoding(list) => list.contains(&encoding),
                                Test::SenderKind(list) => list.contains(&kind),
                                Test::Ported(wanted) => *wanted == is_ported,
                                Test::Text(_) => has_text,
                                _ => true,
                            });
                    }
                }
            }
        }
        self.gates.shapes = rows;
    }

    fn add_segments(&mut self, policies: &[Policy]) {
        let rows = (0..=u8::MAX).map(|segments| {
            self.row(policies, |test| match test {
                Test::SegmentsOver(bound) => segments > *bound,
                _ => true,
            })
        });
        self.gates.segments = rows.collect();
    }

    /// Rows by country and by network.
    fn add_networks(&mut self, policies: &[Policy]) {
        let (mut countries, mut networks) = (BTreeMap::new(), BTreeMap::new());
        for (at, policy) in policies.iter().enumerate() {
            for test in &policy.matches.0 {
                match test {
                    Test::Country(list) => name_all(&mut countries, list, at),
                    Test::Network(list) => name_all(&mut networks, list, at),
                    _ => {}
                }
            }
        }
        let unnamed = self.row(policies, |test| !matches!(test, Test::Country(_)));
        self.gates.countries = vec![unnamed; COUNTRIES];
        for (country, at) in countries {
            self.gates.countries[country_index(Some(country))] = self.row_with(unnamed, &at);
        }
        let other = self.row(policies, |test| !matches!(test, Test::Network(_)));
        self.gates.other_network = other;
        for (network, at) in networks {
            let row = self.row_with(other, &at);
            self.gates.networks.push((network, row));
        }
    }

    fn add_prefixes(&mut self, policies: &[Policy]) {
        for (at, policy) in policies.iter().enumerate() {
            for test in &policy.matches.0 {
                let Test::Prefix(list) = test else { continue };
                for prefix in list {
                    self.prefixes.entry(*prefix).or_default().push(at);
                }
            }
        }
        self.no_prefix = self.row(policies, |test| !matches!(test, Test::Prefix(_)));
    }

    /// Rows by a name, for the conditions that `globs` picks, of which a policy has one at most. Where a pattern with a star may
    /// fit, nothing more is certain than [`left_open`] says.
    fn by_name(&mut self, policies: &[Policy], names: &mut Names, globs: impl Fn(&Test) -> Option<&Globs>) -> ByName {
        let mut named: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut beginnings: BTreeMap<Vec<u8>, Vec<usize>> = BTreeMap::new();
        for (at, policy) in policies.iter().enumerate() {
            for globs in policy.matches.0.iter().filter_map(&globs) {
                for name in globs.plain() {
                    named.entry(name).or_default().push(at);
                }
                for beginning in globs.beginnings(BEGINNING_MAX) {
                    beginnings.entry(beginning.to_ascii_lowercase()).or_default().push(at);
                }
            }
        }
        let other = self.row(policies, |test| globs(test).is_none());
        let others = self.beginnings(beginnings, other);
        let rows = named.into_iter().zip(0..).map(|((name, at), place)| {
            debug_assert!(names.len() == place, "conditions give their names first");
            names.intern(name);
            self.row_with(others.row(name), &at)
        });
        ByName {
            named: rows.collect(),
            others,
        }
    }

    /// Rows by the beginnings that policies name; `other` is that of all other names.
    fn beginnings(&mut self, named: BTreeMap<Vec<u8>, Vec<usize>>, other: RowId) -> Beginnings {
        let mut rows: BTreeMap<Vec<u8>, RowId> = BTreeMap::new();
        // In text order those that begin one come right before it, the longest last.
        let mut above: Vec<Vec<u8>> = Vec::new();
        for (beginning, at) in named {
            while above.last().is_some_and(|shorter| !beginning.starts_with(shorter)) {
                above.pop();
            }
            let row = above.last().map_or(other, |shorter| rows[shorter]);
            rows.insert(beginning.clone(), self.row_with(row, &at));
            above.push(beginning);
        }
        Beginnings::new(&rows, other)
    }

    /// The policies of `row`, and those at `more`.
    fn row_with(&mut self, row: RowId, more: &[usize]) -> RowId {
        let mut bits = self.bits(row).to_vec();
        more.iter().for_each(|at| set(&mut bits, *at));
        self.keep(bits)
    }

    /// The row of the policies all of whose conditions `may_hold`.
    fn row(&mut self, policies: &[Policy], may_hold: impl Fn(&Test) -> bool) -> RowId {
        let mut bits = vec![0; self.gates.words];
        for (at, policy) in policies.iter().enumerate() {
            if policy.matches.0.iter().all(&may_hold) {
                set(&mut bits, at);
            }
        }
        self.keep(bits)
    }

    fn keep(&mut self, bits: Vec<u64>) -> RowId {
        if let Some(row) = self.made.get(&bits) {
            return *row;
        }
        let row = RowId(u32::try_from(self.made.len()).expect("row limits keep counts below 2^32"));
        self.gates.bits.extend_from_slice(&bits);
        self.made.insert(bits, row);
        row
    }

    fn bits(&self, row: RowId) -> &[u64] {
        &self.gates.bits[row.0 as usize * self.gates.words..][..self.gates.words]
    }
}

/// The places of those conditions of which an open gate says too little: the others hold wherever it is open.
pub(crate) fn left_open(conditions: &Conditions) -> Vec<u8> {
    let is_open = |test: &Test| match test {
        Test::Class(_)
        | Test::Encoding(_)
        | Test::Ported(_)
        | Test::SenderKind(_)
        | Test::SegmentsOver(_)
        | Test::Country(_)
        | Test::Network(_)
        | Test::Prefix(_) => false,
        Test::Account(globs) | Test::Sender(globs) => !globs.are_told_by_beginnings(BEGINNING_MAX),
        Test::Tag(_) | Test::Hours(_) | Test::Text(_) => true,
    };
    let places = (0..).zip(&conditions.0);
    places
        .filter(|(_, test)| is_open(test))
        .map(|(place, _)| place)
        .collect()
}

/// Notes that policy `at` names each of `list`.
fn name_all<T: Ord + Copy>(named: &mut BTreeMap<T, Vec<usize>>, list: &[T], at: usize) {
    for one in list {
        named.entry(*one).or_default().push(at);
    }
}

fn set(bits: &mut [u64], at: usize) {
    bits[at / 64] |= 1 << (at % 64);
}

//! Who serves a number: the numbering plan, and the keys under which the number is charged.

use std::sync::Arc;

use crate::{
    digits::Digits,
    network::{Country, Mcc, Network},
    query::{Served, Source},
    rates::{RateBook, Tariff},
    spec::Spec,
    trie::Trie,
};

/// What is known of numbers by their digits.
#[derive(Debug)]
pub(crate) struct Numbers {
    trie: Trie,
    /// By the trie's prefixes.
    entries: Vec<NumberEntry>,
    plan: Vec<Range>,
    /// The first row of each network, in order of networks.
    first_of_network: Vec<(Network, u32)>,
    /// The country of the first row of each MCC, in order of MCCs.
    first_of_mcc: Vec<(Mcc, Option<Country>)>,
    /// In order of the numbers.
    ported: Box<[(Digits, Network)]>,
}

/// What begins at one prefix.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NumberEntry {
    plan: u32,
    rates: u32,
}

/// One range of the numbering plan.
#[derive(Debug)]
struct Range {
    network: Network,
    country: Option<Country>,
    operator: Arc<str>,
    /// Keys in the rate book.
    network_key: Option<u32>,
    mcc_key: Option<u32>,
}

/// What a number resolves to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Resolved<'a> {
    /// `None` = unknown.
    pub(crate) network: Option<Serving<'a>>,
    pub(crate) ported: bool,
    pub(crate) tariff: Tariff,
}

/// The network that serves a number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Serving<'a> {
    pub(crate) network: Network,
    /// `None` = not known.
    pub(crate) country: Option<Country>,
    /// `None` = the plan does not know the network.
    pub(crate) operator: Option<&'a str>,
    pub(crate) source: Source,
}

const NONE: u32 = u32::MAX;

impl Resolved<'_> {
    /// The country of the network; `None` = not known.
    pub(crate) fn country(&self) -> Option<Country> {
        self.network.as_ref().and_then(|serving| serving.country)
    }
}

impl NumberEntry {
    /// An entry of a plan row, a rate key, or both.
    pub(crate) fn new(plan: Option<usize>, rates: Option<u32>) -> Self {
        let plan = plan.map_or(NONE, |at| u32::try_from(at).expect("row limits keep counts below 2^32"));
        Self {
            plan,
            rates: rates.unwrap_or(NONE),
        }
    }
}

impl Numbers {
    /// `entries` are in order of the trie's prefixes.
    pub(crate) fn new(trie: Trie, entries: Vec<NumberEntry>, spec: &Spec, rates: &RateBook) -> Self {
        let rows = &spec.plan;
        let plan = rows.iter().map(|row| Range {
            network: row.network,
            country: row.country,
            operator: row.operator.as_str().into(),
            network_key: rates.network_key(row.network).filter(|_| row.network.has_mnc()),
            mcc_key: rates.mcc_key(row.network.mcc()),
        });
        let mut first_of_network: Vec<(Network, u32)> =
            rows.iter().zip(0..).map(|(row, at)| (row.network, at)).collect();
        first_of_network.sort_unstable();
        first_of_network.dedup_by_key(|(network, _)| *network);
        let mut first_of_mcc: Vec<_> = rows.iter().map(|row| (row.network.mcc(), row.country)).collect();
        // Stable: among rows of one MCC the first by prefix stays first.
        first_of_mcc.sort_by_key(|(mcc, _)| *mcc);
        first_of_mcc.dedup_by_key(|(mcc, _)| *mcc);
        Self {
            trie,
            entries,
            plan: plan.collect(),
            first_of_network,
            first_of_mcc,
            ported: spec.ported.as_slice().into(),
        }
    }

    /// Resolves `number`. `told` is a network that somebody named, which beats the
    /// ported numbers, which beat the plan; `ported` is what a query said.
    pub(crate) fn resolve(
        &self,
        number: Digits,
        told: Option<Served>,
        ported: Option<bool>,
        rates: &RateBook,
    ) -> Resolved<'_> {
        let mut tariff = Tariff::default();
        let mut planned = None;
        self.trie.walk(number, |prefix| {
            let entry = self.entries[prefix as usize];
            if entry.rates != NONE {
                tariff.push_prefix(entry.rates);
            }
            if entry.plan != NONE {
                planned = Some(&self.plan[entry.plan as usize]);
            }
        });
        let Some(told) = told.or_else(|| self.moved_to(number)) else {
            if let Some(range) = planned {
                tariff.set_network(range.network_key, range.mcc_key);
            }
            let ported = ported.unwrap_or(false);
            return Resolved {
                network: planned.map(Range::serving),
                ported,
                tariff,
            };
        };
        let network = told.network;
        tariff.set_network(
            rates.network_key(network).filter(|_| network.has_mnc()),
            rates.mcc_key(network.mcc()),
        );
        let serving = Serving {
            network,
            country: self.country(network.mcc(), planned),
            operator: self.operator(network, planned),
            source: told.source,
        };
        // Where one side knows no MNC, nothing says that the number moved.
        let moved =
            planned.is_some_and(|range| range.network.has_mnc() && network.has_mnc() && range.network != network);
        Resolved {
            network: Some(serving),
            ported: ported.unwrap_or(moved),
            tariff,
        }
    }

    fn moved_to(&self, number: Digits) -> Option<Served> {
        let at = self.ported.binary_search_by_key(&number, |(ported, _)| *ported).ok()?;
        Some(Served {
            network: self.ported[at].1,
            source: Source::Ported,
        })
    }

    /// Country of a network that was not read off the plan.
    fn country(&self, mcc: Mcc, planned: Option<&Range>) -> Option<Country> {
        if let Some(range) = planned.filter(|range| range.network.mcc() == mcc) {
            return range.country;
        }
        let at = self.first_of_mcc.binary_search_by_key(&mcc, |(mcc, _)| *mcc).ok()?;
        self.first_of_mcc[at].1
    }

    fn operator<'a>(&'a self, network: Network, planned: Option<&'a Range>) -> Option<&'a str> {
        if let Some(range) = planned.filter(|range| range.network == network) {
            return Some(&range.operator);
        }
        let at = self
            .first_of_network
            .binary_search_by_key(&network, |(network, _)| *network)
            .ok()?;
        Some(&self.plan[self.first_of_network[at].1 as usize].operator)
    }

    /// How many ranges the plan has.
    pub(crate) fn len(&self) -> usize {
        self.plan.len()
    }
}

impl Range {
    fn serving(&self) -> Serving<'_> {
        Serving {
            network: self.network,
            country: self.country,
            operator: Some(&self.operator),
            source: Source::Numbering,
        }
    }
}

//! What follows from a network that somebody named, whatever the number.

use std::ops::Range;

use crate::{
    network::{Country, Mcc, Network},
    ranking::{Ranker, Ranking},
    rates::{KeyId, RateBook, Tariff},
    spec::PlanRow,
};

/// By MCC, then network: two reads and a short search.
#[derive(Debug)]
pub(crate) struct Networks {
    /// By [`Mcc::index`].
    mccs: Vec<OfMcc>,
    /// Those with rates of their own, in order.
    rated: Vec<OfNetwork>,
}

/// What is known of a network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    /// The country of the first row of the plan with its MCC.
    pub(crate) country: Option<Country>,
    /// The keys of its rates, no prefix among them.
    pub(crate) tariff: Tariff,
    /// By the network's own rates, else those of its MCC.
    pub(crate) whole: Ranking,
    /// By the network's own rates alone; `None` = it has none.
    pub(crate) own: Option<Ranking>,
}

#[derive(Clone, Debug)]
struct OfMcc {
    country: Option<Country>,
    key: KeyId,
    ranking: Ranking,
    /// Its networks among those with rates.
    rated: Range<u32>,
}

#[derive(Clone, Copy, Debug)]
struct OfNetwork {
    network: Network,
    key: KeyId,
    whole: Ranking,
    own: Ranking,
}

impl Networks {
    /// What `plan` and `rates` say.
    pub(crate) fn new(plan: &[PlanRow], rates: &RateBook, ranker: &mut Ranker<'_>) -> Self {
        let stranger = OfMcc {
            country: None,
            key: KeyId::NONE,
            ranking: ranker.ranking(rates.tariff(None, KeyId::NONE)),
            rated: 0..0,
        };
        let mut networks = Self {
            mccs: vec![stranger; Mcc::COUNT],
            rated: Vec::new(),
        };
        // From the last on, so that among rows of one MCC the first by prefix stays.
        for row in plan.iter().rev() {
            networks.mccs[row.network.mcc().index()].country = row.country;
        }
        for network in rates.networks() {
            networks.add(network, rates.tariff(Some(network), KeyId::NONE), ranker);
        }
        networks.rated.sort_unstable_by_key(|rated| rated.network);
        for (rated, at) in networks.rated.iter().zip(0..) {
            let range = &mut networks.mccs[rated.network.mcc().index()].rated;
            *range = if range.start == range.end {
                at..at + 1
            } else {
                range.start..at + 1
            };
        }
        networks
    }

    fn add(&mut self, network: Network, tariff: Tariff, ranker: &mut Ranker<'_>) {
        let whole = ranker.ranking(tariff);
        if network.has_mnc() {
            self.rated.push(OfNetwork {
                network,
                key: tariff.network,
                whole,
                own: ranker.ranking(tariff.of_network()),
            });
        } else {
            let mcc = &mut self.mccs[network.mcc().index()];
            (mcc.key, mcc.ranking) = (tariff.mcc, whole);
        }
    }

    /// What is known of `network`.
    pub(crate) fn of(&self, network: Network) -> Told {
        let mcc = &self.mccs[network.mcc().index()];
        let rated = &self.rated[mcc.rated.start as usize..mcc.rated.end as usize];
        let found = rated.binary_search_by_key(&network, |rated| rated.network);
        let own = found.ok().map(|at| rated[at]);
        Told {
            country: mcc.country,
            tariff: Tariff {
                network: own.map_or(KeyId::NONE, |own| own.key),
                prefix: KeyId::NONE,
                mcc: mcc.key,
            },
            whole: own.map_or(mcc.ranking, |own| own.whole),
            own: own.map(|own| own.own),
        }
    }
}

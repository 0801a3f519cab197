//! Networks that the table treats alike, found when it is compiled: whoever asks what a network could change looks at one of
//! each kind.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    fit::Set,
    gate::Tells,
    network::{Country, Mcc, Network},
    policy::{Ends, Policy, Route},
    quality::QualityBook,
    rates::{KeyId, RateBook},
    sell::SellBook,
    spec::{Lookup, PlanRow, Test},
};

/// Most kinds of one country that are looked at. What beyond them could change is not known.
pub(super) const KINDS_MAX: usize = 16;

/// What the networks of each country have in common.
#[derive(Debug, Default)]
pub(crate) struct Alike {
    /// By [`Mcc::index`], place in `countries`; empty where no route wants to know.
    of_mcc: Vec<u16>,
    countries: Vec<Neighbours>,
    /// Which policies tell networks apart.
    pub(super) tells: Tells,
}

/// The networks of one country.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    /// Kinds, those that policies name first, then those with most networks.
    pub(super) kinds: Vec<Kind>,
    /// Networks of those kinds.
    pub(super) count: u32,
    /// Whether those are all.
    pub(super) is_whole: bool,
    /// The country, as the first rows of its MCCs name it; `None` = they name none.
    pub(super) country: Option<Country>,
    /// Whether all of them are of one MCC.
    pub(super) has_one_mcc: bool,
    /// Carriers that do not charge all networks alike, where no prefix has rates.
    pub(super) varying: Set,
    /// The same where a prefix has rates, which come between those of a network and those of its MCC.
    pub(super) varying_by_prefix: Set,
    /// The networks that the table names, in order, each with its kind.
    named: Vec<(Network, u16)>,
}

/// Networks that the table treats alike.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    /// One of them.
    pub(super) network: Network,
    /// Another; the same where there is none.
    pub(super) second: Network,
    /// How many, all that the table does not name counted as one.
    pub(super) count: u32,
    /// Whether a policy names it.
    pub(super) is_told: bool,
}

/// What a table is made of, as far as it tells networks apart.
pub(crate) struct Parts<'a> {
    pub(crate) plan: &'a [PlanRow],
    pub(crate) rates: &'a RateBook,
    pub(crate) sell: Option<&'a SellBook>,
    pub(crate) quality: &'a QualityBook,
    pub(crate) policies: &'a [Policy],
    pub(crate) default_route: &'a Route,
    /// How many carriers there are.
    pub(crate) carriers: usize,
}

impl Alike {
    /// Kinds of networks, where a route wants to know what a look-up could change.
    pub(crate) fn new(parts: &Parts<'_>) -> Self {
        let routes = parts.policies.iter().filter_map(|policy| match &policy.ends {
            Some(Ends::Route(route)) => Some(&**route),
            _ => None,
        });
        let mut routes = routes.chain([parts.default_route]);
        if !routes.any(|route| route.lookup() == Lookup::WhenItMatters) {
            return Self::default();
        }
        let mut alike = Self {
            of_mcc: vec![0; Mcc::COUNT],
            countries: Vec::new(),
            tells: Tells::new(parts.policies),
        };
        let tests = parts.policies.iter().flat_map(|policy| {
            let excepts = policy.excepts.iter().flat_map(|except| &except.0);
            policy.matches.0.iter().chain(excepts)
        });
        let mut told = BTreeSet::new();
        for test in tests {
            if let Test::Network(list) = test {
                told.extend(list.iter().copied());
            }
        }
        for (country, mccs) in countries(parts.plan, parts.rates) {
            let place = u16::try_from(alike.countries.len()).expect("there are fewer than MCCs");
            for mcc in &mccs {
                alike.of_mcc[mcc.index()] = place;
            }
            alike.countries.push(Neighbours {
                country,
                ..neighbours(parts, &mccs, &told)
            });
        }
        alike
    }

    /// The networks among which a number of `network` may be. `None` = nobody wants to know.
    pub(super) fn of(&self, network: Network) -> Option<&Neighbours> {
        let place = self.of_mcc.get(network.mcc().index())?;
        Some(&self.countries[usize::from(*place)])
    }
}

impl Kind {
    /// The same without `assumed`, which is one of them where `is_own`; `None` = nothing is left.
    pub(super) fn others(&self, assumed: Network, is_own: bool) -> Option<Self> {
        if !is_own {
            return Some(*self);
        }
        let network = if self.network == assumed {
            self.second
        } else {
            self.network
        };
        let count = self.count - 1;
        (count > 0).then_some(Self {
            network,
            count,
            ..*self
        })
    }
}

impl Neighbours {
    /// The kind of a network that the table names; `None` = it does not, or that kind is not kept.
    pub(super) fn kind(&self, network: Network) -> Option<usize> {
        let at = self.named.binary_search_by_key(&network, |(named, _)| *named).ok()?;
        Some(usize::from(self.named[at].1)).filter(|kind| *kind < self.kinds.len())
    }
}

/// Every MCC, those of one country together.
fn countries(plan: &[PlanRow], rates: &RateBook) -> Vec<(Option<Country>, Vec<Mcc>)> {
    // As for networks that are told: the first row of an MCC names its country.
    let mut of_mcc: BTreeMap<Mcc, Option<Country>> = rates.networks().map(|network| (network.mcc(), None)).collect();
    for row in plan.iter().rev() {
        of_mcc.insert(row.network.mcc(), row.country);
    }
    let (mut known, mut alone) = (BTreeMap::<Country, Vec<Mcc>>::new(), Vec::new());
    for (mcc, country) in of_mcc {
        match country {
            Some(country) => known.entry(country).or_default().push(mcc),
            None => alone.push((None, vec![mcc])),
        }
    }
    // The first is of those MCCs that the table does not know.
    let known = known.into_iter().map(|(country, mccs)| (Some(country), mccs));
    [(None, Vec::new())].into_iter().chain(known).chain(alone).collect()
}

fn neighbours(parts: &Parts<'_>, mccs: &[Mcc], told: &BTreeSet<Network>) -> Neighbours {
    let is_here = |network: &Network| network.has_mnc() && mccs.contains(&network.mcc());
    let mut named: BTreeSet<Network> = parts.plan.iter().map(|row| row.network).filter(is_here).collect();
    named.extend(parts.rates.networks().filter(is_here));
    named.extend(parts.sell.iter().flat_map(|sell| sell.rates.networks()).filter(is_here));
    named.extend(parts.quality.networks().filter(is_here));
    named.extend(told.iter().copied().filter(is_here));

    let mut kinds: Vec<Kind> = Vec::new();
    let mut members: Vec<(Network, usize)> = Vec::new();
    let mut places: BTreeMap<Vec<i64>, usize> = BTreeMap::new();
    // What an MCC charges may be long, and is the same for all of its networks.
    let mut of_mccs: Vec<Vec<i64>> = Vec::new();
    let mut traits = |network: Network| {
        let of_mcc = self::traits(parts, Network::of_mcc(network.mcc()));
        let place = of_mccs.iter().position(|known| *known == of_mcc).unwrap_or_else(|| {
            of_mccs.push(of_mcc);
            of_mccs.len() - 1
        });
        let mut own = self::traits(parts, network);
        own.push(index(place));
        own
    };
    for network in &named {
        let is_told = told.contains(network);
        let place = if is_told {
            None
        } else {
            Some(*places.entry(traits(*network)).or_insert(kinds.len()))
        };
        let place = place.unwrap_or(kinds.len());
        members.push((*network, place));
        add(&mut kinds, place, [*network; 2], is_told);
    }
    for mcc in mccs {
        let mut unnamed = Network::all(*mcc).filter(|network| !named.contains(network));
        let Some(network) = unnamed.next() else { continue };
        let place = *places.entry(traits(network)).or_insert(kinds.len());
        add(&mut kinds, place, [network, unnamed.next().unwrap_or(network)], false);
    }
    let (varying, varying_by_prefix) = varying(parts, mccs, &named);
    let mut neighbours = Neighbours {
        kinds: Vec::new(),
        count: 0,
        country: None,
        has_one_mcc: mccs.len() == 1,
        is_whole: kinds.len() <= KINDS_MAX,
        varying,
        varying_by_prefix,
        named: Vec::new(),
    };
    let mut order: Vec<usize> = (0..kinds.len()).collect();
    order.sort_by_key(|at| (!kinds[*at].is_told, std::cmp::Reverse(kinds[*at].count), *at));
    let mut rank = vec![0; kinds.len()];
    for (place, at) in order.iter().enumerate() {
        rank[*at] = u16::try_from(place).expect("an MCC has fewer than 2^11 networks");
    }
    neighbours.named = members.into_iter().map(|(network, at)| (network, rank[at])).collect();
    neighbours.kinds = order.into_iter().take(KINDS_MAX).map(|at| kinds[at]).collect();
    neighbours.count = neighbours.kinds.iter().map(|kind| kind.count).sum();
    neighbours
}

/// Counts one more among the networks of the kind at `place`, where that is none yet as the first of it.
fn add(kinds: &mut Vec<Kind>, place: usize, [network, second]: [Network; 2], is_told: bool) {
    match kinds.get_mut(place) {
        Some(kind) => {
            kind.count += 1;
            if kind.second == kind.network {
                kind.second = network;
            }
        }
        None => kinds.push(Kind {
            network,
            second,
            count: 1,
            is_told,
        }),
    }
}

/// All by which the table tells `network` from others, but for policies and for its MCC: equal for those it treats alike. Of an
/// MCC alone, what that is charged.
fn traits(parts: &Parts<'_>, network: Network) -> Vec<i64> {
    let mut words = Vec::new();
    let books = [Some(parts.rates), parts.sell.map(|sell| &sell.rates)];
    for book in books.into_iter().flatten() {
        let tariff = book.tariff(Some(network), KeyId::NONE);
        let key = if network.has_mnc() { tariff.network } else { tariff.mcc };
        let rates = book.rates_of(key);
        words.push(index(rates.len()));
        for (carrier, rates) in rates {
            words.extend([i64::from(carrier), index(rates.len())]);
            words.extend(rates);
        }
    }
    words.extend(parts.quality.traits(network));
    words
}

/// The carriers that do not charge all networks alike: without rates of prefixes, and with them.
fn varying(parts: &Parts<'_>, mccs: &[Mcc], named: &BTreeSet<Network>) -> (Set, Set) {
    let book = parts.rates;
    let mut varies = vec![[false; 2]; parts.carriers];
    let own: Vec<BTreeMap<u16, Vec<i64>>> = mccs
        .iter()
        .map(|mcc| {
            let tariff = book.tariff(Some(Network::of_mcc(*mcc)), KeyId::NONE);
            book.rates_of(tariff.mcc).into_iter().collect()
        })
        .collect();
    for (carrier, varies) in (0..).zip(&mut varies) {
        if own.iter().any(|rates| rates.get(&carrier) != own[0].get(&carrier)) {
            *varies = [true; 2];
        }
    }
    for network in named {
        let of_mcc = mccs.iter().position(|mcc| *mcc == network.mcc()).map(|at| &own[at]);
        for (carrier, rates) in book.rates_of(book.tariff(Some(*network), KeyId::NONE).network) {
            let varies = &mut varies[usize::from(carrier)];
            varies[1] = true;
            // A sheet may write the price of the whole country beside each of its networks.
            varies[0] |= of_mcc.is_none_or(|of_mcc| of_mcc.get(&carrier) != Some(&rates));
        }
    }
    let set = |place: usize| Set::of(varies.len(), |at| varies[at][place]);
    (set(0), set(1))
}

fn index(count: usize) -> i64 {
    i64::try_from(count).expect("row limits keep counts below 2^32")
}

//! Who serves a number: the numbering plan, and everything else that follows from the digits of a number alone.

use crate::{
    digits::Digits,
    gate::{GateMaker, PlaceGates},
    network::{Country, Network},
    networks::Networks,
    ported::Ported,
    query::{Served, Source},
    ranking::{Ranker, Ranking},
    rates::{KeyId, RateBook, Tariff},
    spec::{PlanRow, Spec},
    trie::Trie,
};

/// What is known of numbers by their digits.
#[derive(Debug)]
pub(crate) struct Numbers {
    /// Over the prefixes of the plan, of the rates, and of the policies, and the empty one.
    trie: Trie,
    /// By the trie's prefixes.
    places: Vec<Place>,
    /// Names of operators by rows of the plan, in order of prefixes.
    operators: Operators,
    /// The first row of each network, in order of networks.
    first_of_network: Vec<(Network, u32)>,
    networks: Networks,
    ported: Ported,
}

/// What all numbers share of which one prefix is the longest that the table knows.
///
/// One cache line each: a table has tens of thousands, and a message reads one of them.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(crate) struct Place {
    /// Row of the plan, or [`NONE`].
    plan: u32,
    network: Option<Network>,
    country: Option<Country>,
    /// By the plan.
    tariff: Tariff,
    /// Of that tariff.
    ranking: Ranking,
    /// Of the same without the network's own rates.
    without_network: Ranking,
    gates: PlaceGates,
    /// Where its ported numbers stand among all: most places have few, and many have none.
    ported: (u32, u32),
}

const _: () = assert!(size_of::<Place>() == 64, "a place is one cache line");

/// What a number resolves to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resolved<'t> {
    pub(crate) place: &'t Place,
    /// `None` = unknown.
    pub(crate) network: Option<Network>,
    /// `None` = not known.
    pub(crate) country: Option<Country>,
    /// Who named the network.
    pub(crate) source: Source,
    pub(crate) ported: bool,
    pub(crate) tariff: Tariff,
    /// Of the tariff, but for what `own` says.
    pub(crate) ranking: Ranking,
    /// By the rates of the network alone, where it was told and has some: these carriers ask that in place of what `ranking`
    /// says of them.
    pub(crate) own: Option<Ranking>,
}

/// Each operator's name once.
#[derive(Debug, Default)]
struct Operators {
    names: Vec<Box<str>>,
    /// By rows of the plan.
    of_row: Vec<u32>,
}

const NONE: u32 = u32::MAX;

impl Numbers {
    /// Everything about numbers. `rated` are the prefixes that have rates, in order.
    pub(crate) fn new(
        spec: &Spec,
        rates: &RateBook,
        rated: &[(Digits, KeyId)],
        ranker: &mut Ranker<'_>,
        gates: &mut GateMaker,
    ) -> Self {
        let rows = &spec.plan;
        let mut prefixes: Vec<Digits> = rows.iter().map(|row| row.prefix).collect();
        prefixes.extend(rated.iter().map(|(prefix, _)| *prefix));
        prefixes.extend(gates.prefixes());
        // The empty one, so that every number has a place.
        prefixes.push(Digits::default());
        prefixes.sort_unstable();
        prefixes.dedup();
        let mut first_of_network: Vec<(Network, u32)> =
            rows.iter().zip(0..).map(|(row, at)| (row.network, at)).collect();
        first_of_network.sort_unstable();
        first_of_network.dedup_by_key(|(network, _)| *network);
        let ported = Ported::new(&spec.ported);
        Self {
            places: places(&prefixes, spec, &ported, rates, rated, ranker, gates),
            trie: Trie::new(&prefixes),
            operators: Operators::new(rows),
            first_of_network,
            networks: Networks::new(rows, rates, ranker),
            ported,
        }
    }

    /// Resolves `number`. `told` is a network that somebody named, which beats the
    /// ported numbers, which beat the plan; `ported` is what a query said.
    pub(crate) fn resolve(&self, number: Digits, told: Option<Served>, ported: Option<bool>) -> Resolved<'_> {
        let place = self.place(number);
        // Who read it off the plan told nothing new.
        let told = told.filter(|told| told.source != Source::Numbering);
        match told.or_else(|| self.moved_to(place, number)) {
            Some(told) => self.resolve_told(place, told, ported),
            None => Resolved {
                place,
                network: place.network,
                country: place.country,
                source: Source::Numbering,
                ported: ported.unwrap_or(false),
                tariff: place.tariff,
                ranking: place.ranking,
                own: None,
            },
        }
    }

    pub(crate) fn resolve_told<'t>(&'t self, place: &'t Place, served: Served, ported: Option<bool>) -> Resolved<'t> {
        let network = served.network;
        let told = self.networks.of(network);
        let tariff = Tariff {
            prefix: place.tariff.prefix,
            ..told.tariff
        };
        let (ranking, own) = if tariff == place.tariff {
            (place.ranking, None)
        } else if tariff.prefix == KeyId::NONE {
            (told.whole, None)
        } else if tariff.mcc == place.tariff.mcc {
            (place.without_network, told.own)
        } else {
            (Ranking::Unranked, None)
        };
        // Where one side knows no MNC, nothing says that the number moved.
        let moved = place
            .network
            .is_some_and(|planned| planned.has_mnc() && network.has_mnc() && planned != network);
        Resolved {
            place,
            network: Some(network),
            country: match place.network {
                Some(planned) if planned.mcc() == network.mcc() => place.country,
                _ => told.country,
            },
            source: served.source,
            ported: ported.unwrap_or(moved),
            tariff,
            ranking,
            own,
        }
    }

    fn place(&self, number: Digits) -> &Place {
        let place = self.trie.longest(number).expect("the empty prefix begins every number");
        &self.places[place as usize]
    }

    /// The network that `number` moved to, by the list.
    pub(crate) fn moved(&self, number: Digits) -> Option<Network> {
        self.moved_to(self.place(number), number).map(|served| served.network)
    }

    /// The network that the plan gives `number` to.
    pub(crate) fn planned(&self, number: Digits) -> Option<Network> {
        self.place(number).network
    }

    /// Whether `network` is one of the country that `number` belongs to, as far as the plan knows that.
    pub(crate) fn may_serve(&self, network: Network, number: Digits) -> bool {
        let place = self.place(number);
        let is_same_mcc = place.network.is_none_or(|planned| planned.mcc() == network.mcc());
        is_same_mcc || place.country.is_some() && place.country == self.networks.of(network).country
    }

    fn moved_to(&self, place: &Place, number: Digits) -> Option<Served> {
        let (from, until) = place.ported;
        let network = self.ported.network(number, from..until)?;
        Some(Served {
            network,
            source: Source::Ported,
        })
    }

    /// Name of the operator that serves a number; `None` = the plan does not know the network.
    pub(crate) fn operator(&self, resolved: &Resolved<'_>) -> Option<&str> {
        let network = resolved.network?;
        if resolved.place.network == Some(network) {
            return Some(self.operators.name(resolved.place.plan));
        }
        let first = self
            .first_of_network
            .binary_search_by_key(&network, |(network, _)| *network);
        let (_, row) = self.first_of_network[first.ok()?];
        Some(self.operators.name(row))
    }

    /// How many ranges the plan has.
    pub(crate) fn len(&self) -> usize {
        self.operators.of_row.len()
    }
}

/// One place for each of `prefixes`, which are sorted: what a prefix does not say itself is said by the longest that begins it.
fn places(
    prefixes: &[Digits],
    spec: &Spec,
    ported: &Ported,
    rates: &RateBook,
    rated: &[(Digits, KeyId)],
    ranker: &mut Ranker<'_>,
    gates: &mut GateMaker,
) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::with_capacity(prefixes.len());
    let mut open: Vec<(Digits, usize)> = Vec::new();
    let (mut rows, mut rated) = (spec.plan.iter().zip(0..).peekable(), rated.iter().peekable());
    for (at, prefix) in prefixes.iter().enumerate() {
        while open.last().is_some_and(|(shorter, _)| !prefix.starts_with(*shorter)) {
            open.pop();
        }
        let above = open.last().map(|(_, above)| places[*above]);
        let row = rows.next_if(|(row, _)| row.prefix == *prefix);
        let (plan, network, country) = match (row, above) {
            (Some((row, at)), _) => (at, Some(row.network), row.country),
            (None, Some(above)) => (above.plan, above.network, above.country),
            (None, None) => (NONE, None, None),
        };
        let own = rated.next_if(|(rated, _)| rated == prefix).map(|(_, key)| *key);
        let key = own.or(above.map(|above| above.tariff.prefix)).unwrap_or(KeyId::NONE);
        let tariff = rates.tariff(network, key);
        places.push(Place {
            plan,
            network,
            country,
            tariff,
            ranking: ranker.ranking(tariff),
            without_network: ranker.ranking(Tariff {
                network: KeyId::NONE,
                ..tariff
            }),
            ported: ported.under(*prefix),
            gates: gates.place(*prefix, above.map(|above| above.gates), country, network),
        });
        open.push((*prefix, at));
    }
    places
}

impl Place {
    /// Which policies may apply to its numbers.
    pub(crate) fn gates(&self) -> PlaceGates {
        self.gates
    }
}

impl Operators {
    fn new(rows: &[PlanRow]) -> Self {
        let mut operators = Self::default();
        let mut places = std::collections::HashMap::new();
        for row in rows {
            let place = *places.entry(row.operator.as_str()).or_insert_with(|| {
                operators.names.push(row.operator.as_str().into());
                u32::try_from(operators.names.len() - 1).expect("row limits keep counts below 2^32")
            });
            operators.of_row.push(place);
        }
        operators
    }

    fn name(&self, row: u32) -> &str {
        &self.names[self.of_row[row as usize] as usize]
    }
}

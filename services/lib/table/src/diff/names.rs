//! What the numbering plans call a network, an MCC or a number range.

use std::collections::HashMap;

use crate::{
    digits::Digits,
    network::{Country, Mcc, Network},
    spec::{PlanRow, RateKey, Spec},
};

/// Names by key, of two tables; the newer knows better.
pub(super) struct Names<'a> {
    networks: HashMap<Network, &'a PlanRow>,
    countries: HashMap<Mcc, Country>,
    plan: &'a [PlanRow],
}

impl<'a> Names<'a> {
    pub(super) fn new(old: &'a Spec, new: &'a Spec) -> Self {
        let (mut networks, mut countries) = (HashMap::new(), HashMap::new());
        for row in new.plan.iter().chain(&old.plan) {
            networks.entry(row.network).or_insert(row);
            if let Some(country) = row.country {
                countries.entry(row.network.mcc()).or_insert(country);
            }
        }
        Self {
            networks,
            countries,
            plan: &new.plan,
        }
    }

    /// Operator and country; empty = not known.
    pub(super) fn of(&self, key: RateKey) -> String {
        match key {
            RateKey::Network(network) => match self.networks.get(&network) {
                Some(row) => named(row),
                None => self.country(network.mcc()),
            },
            RateKey::Mcc(mcc) => self.country(mcc),
            RateKey::Prefix(prefix) => self.row(prefix).map(named).unwrap_or_default(),
        }
    }

    pub(super) fn network(&self, network: Network) -> String {
        self.of(RateKey::Network(network))
    }

    fn country(&self, mcc: Mcc) -> String {
        self.countries.get(&mcc).map(Country::to_string).unwrap_or_default()
    }

    fn row(&self, prefix: Digits) -> Option<&PlanRow> {
        (1..=prefix.len()).rev().find_map(|len| {
            let at = self.plan.binary_search_by_key(&prefix.first(len), |row| row.prefix);
            at.ok().map(|at| &self.plan[at])
        })
    }
}

fn named(row: &PlanRow) -> String {
    let country = row.country.as_ref().map(Country::to_string).unwrap_or_default();
    format!("{} {country}", row.operator).trim().to_owned()
}

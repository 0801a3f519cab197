//! Who serves a number: the plan, the list of numbers that moved, and what the query names.

use std::collections::HashMap;

use super::book::{ByLength, digits};
use crate::{
    decide::scene::{Net, Scene},
    world::PlanRow,
};

/// Everything that tells who serves a number.
pub(super) struct Places<'a> {
    plan: ByLength<Planned<'a>>,
    /// Country of the first row of each MCC.
    country_of_mcc: HashMap<Net, Option<&'a str>>,
    ported: HashMap<u64, Net>,
}

/// A row of the numbering plan.
#[derive(Clone, Copy)]
struct Planned<'a> {
    net: Net,
    country: Option<&'a str>,
}

/// Who serves a number.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// Its digits behind a leading 1.
    pub(super) number: u64,
    pub(super) net: Option<Net>,
    pub(super) country: Option<&'a str>,
    pub(super) ported: bool,
}

impl<'a> Places<'a> {
    pub(super) fn new(scene: &'a Scene) -> Self {
        let rows = scene.plan.rows();
        let planned = |row: &'a PlanRow| Planned {
            net: Net::new(&row.mcc, &row.mnc),
            country: country(row),
        };
        let mut country_of_mcc = HashMap::new();
        for row in rows {
            country_of_mcc.entry(Net::new(&row.mcc, "")).or_insert(country(row));
        }
        let ported = scene.ported.iter().map(|(number, net)| (digits(number), *net));
        Self {
            plan: ByLength::new(rows.iter().map(|row| (digits(&row.prefix), planned(row)))),
            country_of_mcc,
            ported: ported.collect(),
        }
    }

    /// The place of the number with these digits. `told` and `ported` are what the query says of it.
    pub(super) fn of(&self, to: &str, told: Option<Net>, ported: Option<bool>) -> Place<'a> {
        let number = digits(to);
        let planned = self.plan.longest_first(number).next().copied();
        let named = told.or_else(|| self.ported.get(&number).copied());
        let (net, country, moved) = match named {
            None => (planned.map(|row| row.net), planned.and_then(|row| row.country), false),
            Some(net) => {
                let home = planned.filter(|row| row.net.mcc() == net.mcc());
                let first = || self.country_of_mcc.get(&net.mcc()).copied().flatten();
                let country = home.map_or_else(first, |row| row.country);
                let moved = planned.is_some_and(|row| row.net.has_mnc() && net.has_mnc() && row.net != net);
                (Some(net), country, moved)
            }
        };
        Place {
            number,
            net,
            country,
            ported: ported.unwrap_or(moved),
        }
    }
}

fn country(row: &PlanRow) -> Option<&str> {
    Some(&*row.country).filter(|country| !country.is_empty())
}

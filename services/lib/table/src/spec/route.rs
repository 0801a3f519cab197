//! Routes: the keys of `route` and of `[defaults]`.

use std::{collections::BTreeSet, time::Duration};

use sms::CarrierName;
use source::{Code, Entry, Place, Section};

use super::{CARRIERS_MAX, RouteType, carriers::words, sets::Sets};
use crate::{code, money::Micros};

/// Most carriers that one message may be offered to.
const ATTEMPTS_MAX: u32 = 100;
/// Heaviest weight.
const WEIGHT_MAX: u32 = 1_000_000;

/// A route as written; `None` = not said.
#[derive(Clone, Debug, Default)]
pub(crate) struct RouteSpec {
    pub(crate) strategy: Option<Strategy>,
    pub(crate) carriers: Option<Vec<Named>>,
    /// One for each of `carriers`, in their order; only with `weighted`.
    pub(crate) weights: Option<Vec<u32>>,
    pub(crate) route_types: Option<Vec<RouteType>>,
    pub(crate) attempts: Option<u32>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) max_price: Option<Micros>,
    pub(crate) min_margin: Option<Micros>,
    pub(crate) min_delivery_rate: Option<f64>,
    pub(crate) receipt_within: Option<Duration>,
    pub(crate) spill_after: Option<Duration>,
    pub(crate) on_unknown: Option<OnUnknown>,
    pub(crate) lookup: Option<Lookup>,
}

/// A carrier named by a policy, and where.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) carrier: CarrierName,
    pub(crate) place: Place,
}

/// How the candidates left are ranked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// By cost.
    #[default]
    LeastCost,
    /// In candidate order.
    Priority,
    /// The first by a die over weights, the others heaviest first.
    Weighted,
    /// By cost over delivery rate.
    BestValue,
    /// By the time in which 95 % are delivered.
    Fastest,
}

impl Strategy {
    /// Whether it ranks by how well carriers deliver.
    pub(crate) const fn is_by_quality(self) -> bool {
        matches!(self, Self::BestValue | Self::Fastest)
    }

    /// Whether it ranks by what a delivered message costs.
    pub(crate) const fn is_by_value(self) -> bool {
        matches!(self, Self::BestValue)
    }

    /// Words of the format.
    const WORDS: [(&'static str, Self); 5] = [
        ("least_cost", Self::LeastCost),
        ("priority", Self::Priority),
        ("weighted", Self::Weighted),
        ("best_value", Self::BestValue),
        ("fastest", Self::Fastest),
    ];
}

/// What to do when a submission was sent and no answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnUnknown {
    /// Ask the next carrier: the recipient may get it twice.
    Resend,
    /// Wait for a receipt until the deadline.
    Wait,
    /// End as unknown.
    Fail,
}

/// Whether whoever routes asks somebody which network serves the number before the message goes out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Lookup {
    /// What is known will do.
    #[default]
    Never,
    /// Where the answer may change what the message costs by more than the question does.
    WhenItMatters,
    /// For every message.
    Always,
}

/// Reads a whole route.
pub(super) fn read(section: &Section<'_>, sets: &Sets) -> RouteSpec {
    let carriers = read_carriers(&section.key("carriers"), sets);
    let spec = RouteSpec {
        carriers,
        ..read_terms(section)
    };
    let weights = section.key("weights");
    match (spec.strategy, weights.is_present()) {
        (Some(Strategy::Weighted), true) => {
            let weights = weights
                .section()
                .and_then(|table| read_weights(&table, spec.carriers.as_deref()));
            RouteSpec { weights, ..spec }
        }
        (Some(Strategy::Weighted), false) => {
            let help = "add weights = { atlas = 70, borealis = 30 }";
            section
                .key("strategy")
                .refuse(code::WEIGHTS, "is \"weighted\", but there are no weights", "", help);
            spec
        }
        (_, true) => {
            weights.refuse(
                code::WEIGHTS,
                "have no meaning here",
                "only strategy \"weighted\" uses them",
                "remove them, or add strategy = \"weighted\"",
            );
            spec
        }
        (_, false) => spec,
    }
}

/// Reads the keys that `[defaults]` may hold too: all but carriers and weights.
pub(super) fn read_terms(section: &Section<'_>) -> RouteSpec {
    RouteSpec {
        strategy: section.key("strategy").word(&Strategy::WORDS),
        carriers: None,
        weights: None,
        route_types: words(&section.key("route_types"), &RouteType::WORDS),
        attempts: section.key("attempts").integer(1..=ATTEMPTS_MAX),
        deadline: section.key("deadline").duration("1s", "7d"),
        max_price: section.key("max_price").parse(Micros::parse),
        min_margin: section.key("min_margin").parse(Micros::parse_signed),
        min_delivery_rate: section.key("min_delivery_rate").number(0.0..=1.0),
        receipt_within: section.key("receipt_within").duration("1s", "7d"),
        spill_after: section.key("spill_after").duration("0s", "7d"),
        on_unknown: section.key("on_unknown").word(&[
            ("resend", OnUnknown::Resend),
            ("wait", OnUnknown::Wait),
            ("fail", OnUnknown::Fail),
        ]),
        lookup: section.key("lookup").word(&[
            ("never", Lookup::Never),
            ("when_it_matters", Lookup::WhenItMatters),
            ("always", Lookup::Always),
        ]),
    }
}

/// A list of carrier names, each once.
pub(super) fn read_carriers(entry: &Entry<'_>, sets: &Sets) -> Option<Vec<Named>> {
    let named = sets.placed(entry, CarrierName::new)?;
    if named.len() > CARRIERS_MAX {
        entry.refuse(
            Code::RANGE,
            format_args!("has {} carriers, the limit is {CARRIERS_MAX}", named.len()),
            "",
            "",
        );
        return None;
    }
    let mut carriers: Vec<Named> = Vec::with_capacity(named.len());
    let mut seen = BTreeSet::new();
    for (carrier, place) in named {
        if !seen.insert(carrier.clone()) {
            let what = format!("\"{}\" names \"{carrier}\" twice", entry.path());
            entry.log().error(place, Code::DUPLICATE, what, "", "remove one");
        } else {
            carriers.push(Named { carrier, place });
        }
    }
    Some(carriers)
}

/// One weight for each of `carriers`, in their order.
fn read_weights(table: &Section<'_>, carriers: Option<&[Named]>) -> Option<Vec<u32>> {
    let entries = table.entries();
    let refuse = |what: String, help: &str| {
        let why = "weights give one positive whole number for each of the route's carriers";
        table.log().error(table.place(), code::WEIGHTS, what, why, help);
    };
    let Some(carriers) = carriers else {
        refuse(
            "weights without carriers".to_owned(),
            "add carriers = [...] with the names that have weights",
        );
        return None;
    };
    let weights: Vec<(&str, Option<u32>)> = entries
        .iter()
        .map(|(name, entry)| (*name, entry.integer(1..=WEIGHT_MAX)))
        .collect();
    for (name, _) in &weights {
        if !carriers.iter().any(|named| named.carrier.as_str() == *name) {
            let what = format!("\"{name}\" has a weight, but is none of the carriers");
            refuse(what, &format!("add \"{name}\" to carriers, or take its weight away"));
        }
    }
    let weight = |named: &Named| {
        let written = weights.iter().find(|(name, _)| *name == named.carrier.as_str());
        if written.is_none() {
            let name = &named.carrier;
            let help = format!("add {name} = … to weights, or take \"{name}\" out of carriers");
            refuse(format!("carrier \"{name}\" has no weight"), &help);
        }
        written.and_then(|(_, weight)| *weight)
    };
    Some(carriers.iter().filter_map(weight).collect())
}

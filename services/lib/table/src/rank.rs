//! The order in which carriers that are left are asked.

use std::cmp::Reverse;

use crate::{
    decision::Ranked,
    policy::Route,
    spec::{Charged, Strategy},
    table::Table,
};

/// Ranks the first `count` of `left`, which stands in candidate order; the order of those behind is left open. Ties fall
/// to the carrier's name, which is the order of its index.
pub(crate) fn rank(table: &Table, route: &Route, roll: u64, count: usize, left: &mut [Ranked]) {
    match route.strategy {
        Strategy::LeastCost => {
            let key = |one: &Ranked| (one.cost, one.carrier);
            let ranked = if (1..left.len()).contains(&count) {
                left.select_nth_unstable_by_key(count - 1, key);
                &mut left[..count]
            } else {
                left
            };
            ranked.sort_unstable_by_key(key);
        }
        Strategy::Priority => {}
        Strategy::Weighted => weigh(route.carriers.weights.as_deref().unwrap_or_default(), roll, left),
        Strategy::BestValue => by_figure(left, |one| cost_of_delivery(table, one)),
        Strategy::Fastest => by_figure(left, |one| one.quality.p95_seconds),
    }
}

fn by_figure(left: &mut [Ranked], figure: impl Fn(&Ranked) -> f64) {
    left.sort_unstable_by(|a, b| figure(a).total_cmp(&figure(b)).then(a.carrier.cmp(&b.carrier)));
}

/// What a delivered message costs. A carrier charged on delivery costs what it says; one that delivers nothing, no end.
fn cost_of_delivery(table: &Table, one: &Ranked) -> f64 {
    let cost = one.cost.0 as f64;
    match table.carriers[usize::from(one.carrier)].charged {
        Charged::Delivered => cost,
        Charged::Submit if one.quality.rate > 0.0 => cost / one.quality.rate,
        Charged::Submit => f64::INFINITY,
    }
}

/// The die picks the first; the others follow heaviest first, then as listed.
fn weigh(weights: &[u32], roll: u64, left: &mut [Ranked]) {
    let weight = |one: &Ranked| u64::from(weights[usize::from(one.place)]);
    let total: u64 = left.iter().map(weight).sum();
    if total == 0 {
        return;
    }
    let mut rest = roll % total;
    let picked = left.iter().position(|one| match rest.checked_sub(weight(one)) {
        Some(after) => {
            rest = after;
            false
        }
        None => true,
    });
    let picked = picked.expect("the die is below the sum of the weights");
    left[..=picked].rotate_right(1);
    left[1..].sort_unstable_by_key(|one| (Reverse(weight(one)), one.place));
}

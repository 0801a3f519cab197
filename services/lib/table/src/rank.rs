//! The order in which carriers that are left are asked, where it was not known when the table was compiled.

use std::cmp::{Ordering, Reverse};

use crate::{
    decision::Ranked,
    money::Micros,
    policy::Route,
    quality::Quality,
    spec::{Charged, Strategy},
    table::Carrier,
};

/// Most carriers that are sought one after the other rather than by putting all in order.
const SOUGHT_MAX: usize = 4;

/// What a strategy that goes by figures ranks a carrier by, the lowest first; nothing for the others. `cost` is that of all
/// segments.
pub(crate) fn figure(strategy: Strategy, carrier: &Carrier, cost: i64, quality: Quality) -> f64 {
    match strategy {
        Strategy::BestValue => cost_of_delivery(carrier, cost as f64, quality),
        Strategy::Fastest => quality.p95_seconds,
        Strategy::LeastCost | Strategy::Priority | Strategy::Weighted => 0.0,
    }
}

/// What a delivered message costs. A carrier charged on delivery costs what it says; one that delivers nothing, no end.
fn cost_of_delivery(carrier: &Carrier, cost: f64, quality: Quality) -> f64 {
    match carrier.charged {
        Charged::Delivered => cost,
        Charged::Submit if quality.rate > 0.0 => cost / quality.rate,
        Charged::Submit => f64::INFINITY,
    }
}

/// Least delivery rate that [`worth`] reckons with, in millionths: a carrier that delivers nothing has no cost to compare.
const RATE_LEAST: i64 = 100_000;

/// What a delivered message costs, as money: `cost` over the delivery rate, rounded down.
pub(crate) fn worth(carrier: &Carrier, cost: Micros, quality: Quality) -> Micros {
    if carrier.charged == Charged::Delivered {
        return cost;
    }
    let rate = ((quality.rate * 1e6) as i64).clamp(RATE_LEAST, 1_000_000);
    let worth = i128::from(cost.0) * 1_000_000 / i128::from(rate);
    Micros(i64::try_from(worth).unwrap_or(i64::MAX))
}

/// Ranks the first `count` of `left`, which stands in candidate order; the order of those behind is left open. Ties fall
/// to the carrier's name, which is the order of its index.
pub(crate) fn rank(route: &Route, roll: u64, count: usize, left: &mut [Ranked]) {
    match route.strategy {
        Strategy::LeastCost => first(count, left, |a, b| (a.cost, a.carrier).cmp(&(b.cost, b.carrier))),
        Strategy::Priority => {}
        Strategy::Weighted => weigh(route.carriers.weights.as_deref().unwrap_or_default(), roll, left),
        Strategy::BestValue | Strategy::Fastest => first(count, left, |a, b| {
            a.figure.total_cmp(&b.figure).then(a.carrier.cmp(&b.carrier))
        }),
    }
}

/// Puts the first `count` of `left` in order. Few are wanted of a few: one after the other is sought.
fn first(count: usize, left: &mut [Ranked], order: impl Fn(&Ranked, &Ranked) -> Ordering) {
    if count > SOUGHT_MAX {
        return left.sort_unstable_by(order);
    }
    for at in 0..count {
        let least = (at + 1..left.len()).fold(at, |least, other| match order(&left[other], &left[least]) {
            Ordering::Less => other,
            _ => least,
        });
        left.swap(at, least);
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

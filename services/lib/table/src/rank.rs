//! The order in which carriers that are left are asked.

use std::cmp::Reverse;

use crate::{decision::Ranked, policy::Route, spec::Strategy};

/// Ranks `left`, which stands in candidate order. Ties fall to the carrier's name, which is the order of its index.
pub(crate) fn rank(route: &Route, roll: u64, left: &mut [Ranked]) {
    match strategy_weights(route) {
        (Strategy::LeastCost, _) => left.sort_unstable_by_key(|one| (one.cost, one.carrier)),
        (Strategy::Priority, _) => {}
        (Strategy::Weighted, weights) => weigh(weights, roll, left),
    }
}

fn strategy_weights(route: &Route) -> (Strategy, &[u32]) {
    (route.strategy, route.carriers.weights.as_deref().unwrap_or_default())
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

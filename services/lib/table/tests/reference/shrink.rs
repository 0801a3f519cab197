//! Makes a table that shows a difference small: what can be left out without the difference going away, is.

use crate::world::{Ask, End, Policy, Route, World};

/// Removes the element at `at` of the lists together; `at` is counted down to 0 through all of them.
fn remove<T>(list: &mut Vec<T>, at: &mut usize) -> bool {
    if *at < list.len() {
        list.remove(*at);
        return true;
    }
    *at -= list.len();
    false
}

fn reset<T: Default>(value: &mut T, at: &mut usize) -> bool {
    if *at == 0 {
        *value = T::default();
        return true;
    }
    *at -= 1;
    false
}

fn policy(policy: &mut Policy, at: &mut usize) -> bool {
    let of_route = match &mut policy.end {
        End::Route(it) => route(it, at),
        End::On | End::Reject(_) => false,
    };
    of_route
        || reset(&mut policy.span, at)
        || remove(&mut policy.matches, at)
        || remove(&mut policy.excepts, at)
        || reset(&mut policy.sender, at)
        || reset(&mut policy.recipient, at)
        || reset(&mut policy.text, at)
        || remove(&mut policy.copies, at)
        || reset(&mut policy.tag, at)
        || remove(&mut policy.avoid, at)
}

fn route(route: &mut Route, at: &mut usize) -> bool {
    reset(&mut route.route_types, at)
        || reset(&mut route.attempts, at)
        || reset(&mut route.deadline, at)
        || reset(&mut route.max_price, at)
        || reset(&mut route.min_margin, at)
        || reset(&mut route.min_delivery_rate, at)
        || reset(&mut route.receipt_within, at)
        || reset(&mut route.spill_after, at)
        || reset(&mut route.on_unknown, at)
        || reset(&mut route.lookup, at)
}

/// Leaves out the thing at `at`; false where there are not so many.
fn leave_out(world: &mut World, ask: &mut Ask, mut at: usize) -> bool {
    let at = &mut at;
    remove(&mut world.policies, at)
        || remove(&mut world.senders, at)
        || remove(&mut world.quality, at)
        || remove(&mut world.ported, at)
        || remove(&mut world.sells, at)
        || remove(&mut world.rates, at)
        || remove(&mut world.plan, at)
        || remove(&mut world.carriers, at)
        || world.rates.iter_mut().any(|sheet| remove(&mut sheet.rows, at))
        || world.sells.iter_mut().any(|sheet| remove(&mut sheet.rows, at))
        || world.policies.iter_mut().any(|one| policy(one, at))
        || route(&mut world.defaults, at)
        || reset(&mut world.defaults.strategy, at)
        || reset(&mut ask.live, at)
        || reset(&mut ask.text, at)
        || reset(&mut ask.ported, at)
        || reset(&mut ask.network, at)
}

/// The smallest that still `differs`, which also has to say no to a table that does not compile.
pub(crate) fn smallest(mut world: World, mut ask: Ask, differs: impl Fn(&World, &Ask) -> bool) -> (World, Ask) {
    loop {
        let mut at = 0;
        let mut has_shrunk = false;
        loop {
            let (mut less, mut asked) = (world.clone(), ask.clone());
            if !leave_out(&mut less, &mut asked, at) {
                break;
            }
            let is_less = format!("{less:?}{asked:?}").len() < format!("{world:?}{ask:?}").len();
            if is_less && differs(&less, &asked) {
                (world, ask) = (less, asked);
                has_shrunk = true;
            } else {
                at += 1;
            }
        }
        if !has_shrunk {
            return (world, ask);
        }
    }
}

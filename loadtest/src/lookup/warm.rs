//! Numbers that are in memory, numbers that are not, and numbers on the list: what it takes to know that.

use std::{hint::black_box, time::Duration};

use anyhow::{Result, ensure};
use lookup::Chain;
use serde::Serialize;
use sms::{Msisdn, UnixMs};

use super::scene::{BATCH, Scene, listed, number};
use crate::{decide::Heap, rate::Rate};

/// A step through the numbers that meets each once in an order that no memory foresees.
const STRIDE: usize = 7_368_787;
/// Longest wait for the simulated provider, which answers at once.
const BUDGET: Duration = Duration::from_secs(30);

/// What it takes to know a number without asking anybody, on one core.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Warm {
    /// Those that memory kept: a set that is full forgets some.
    pub(crate) numbers: usize,
    /// What memory has room for takes so much for each.
    pub(crate) octets_per_number: f64,
    pub(crate) hits: Rate,
    /// The same, with the clock read for each number.
    pub(crate) hits_with_clock: Rate,
    /// Numbers that are neither in memory nor on the list.
    pub(crate) misses: Rate,
    /// Octets allocated for each of them.
    pub(crate) miss_octets: f64,
    /// Numbers on the list of ported ones.
    pub(crate) listed: Rate,
}

/// Fills memory with `numbers` and looks them up.
///
/// # Errors
/// A number that should be known is not, or the other way round.
pub(crate) async fn warm(scene: &Scene, numbers: usize, ported: usize, rounds: usize, heap: &dyn Heap) -> Result<Warm> {
    let octets_of = |room| {
        let before = heap.live();
        let chain = scene.chain(room, Duration::ZERO, None);
        (chain, heap.live() - before)
    };
    // Kept, as freeing it behind would be counted.
    let (_small, least) = octets_of(1);
    // With as much room again few sets of the memory are full.
    let room = (2 * numbers).next_power_of_two();
    let (chain, octets) = octets_of(room);
    let octets_per_number = octets.saturating_sub(least) as f64 / room as f64;
    let mut known = shuffled(numbers, number);
    for batch in known.chunks(BATCH) {
        chain.look_up(batch, BUDGET).await;
    }
    let (missing, moved) = (shuffled(numbers, |at| number(numbers + at)), shuffled(ported, listed));
    let now = scene.clock().now();
    let all = |numbers: &[Msisdn], share| expect(&chain, numbers, now, share);
    all(&known, 0.98..=1.0)?;
    known.retain(|number| chain.known_at(number, now).is_some());
    all(&missing, 0.0..=0.0)?;
    all(&moved, 1.0..=1.0)?;

    let at_now = |number: &Msisdn| chain.known_at(number, now).is_some();
    let allocated = heap.allocated();
    missing.iter().for_each(|number| _ = black_box(at_now(number)));
    let miss_octets = (heap.allocated() - allocated) as f64 / missing.len().max(1) as f64;
    Ok(Warm {
        numbers: known.len(),
        octets_per_number,
        hits: rate(&known, rounds, at_now),
        hits_with_clock: rate(&known, rounds, |number| chain.known(number).is_some()),
        misses: rate(&missing, rounds, at_now),
        miss_octets,
        listed: rate(&moved, rounds, at_now),
    })
}

fn expect(chain: &Chain, numbers: &[Msisdn], now: UnixMs, share: std::ops::RangeInclusive<f64>) -> Result<()> {
    let known = numbers
        .iter()
        .filter(|number| chain.known_at(number, now).is_some())
        .count();
    let found = known as f64 / numbers.len().max(1) as f64;
    let (least, most) = (*share.start(), *share.end());
    ensure!(
        numbers.is_empty() || share.contains(&found),
        "{known} of {} numbers are known, expected are {least} to {most} of them",
        numbers.len()
    );
    Ok(())
}

fn shuffled(count: usize, number: impl Fn(usize) -> Msisdn) -> Vec<Msisdn> {
    // In order of their place in memory a cache of the processor would foresee them.
    (0..count)
        .map(|at| number(at.wrapping_mul(STRIDE) % count.max(1)))
        .collect()
}

fn rate(numbers: &[Msisdn], rounds: usize, known: impl Fn(&Msisdn) -> bool) -> Rate {
    Rate::of(numbers.len(), rounds, || {
        numbers.iter().for_each(|number| _ = black_box(known(number)));
    })
}

//! One round of deciding: without a clock for throughput, with a clock around each decision for latency.

use std::{collections::BTreeMap, hint::black_box, time::Duration};

use hdrhistogram::Histogram;
use serde::Serialize;
use table::{Decision, Query, Table};

use super::{
    answers::trace,
    clock::{now, worked},
    heap::Heap,
    reference::{Answer, Reference},
    scene::Net,
};

/// Longest time that is told apart, in nanoseconds: a second.
const LATENCY_NS_MAX: u64 = 1_000_000_000;

/// Times of single decisions, in nanoseconds, without the cost of reading the clock.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Latency {
    pub(crate) p50_ns: f64,
    pub(crate) p99_ns: f64,
    pub(crate) p999_ns: f64,
    pub(crate) max_ns: f64,
}

impl Latency {
    /// The figures of `times`.
    pub(crate) fn of(times: &Histogram<u64>) -> Self {
        let at = |quantile| times.value_at_quantile(quantile) as f64;
        Self {
            p50_ns: at(0.5),
            p99_ns: at(0.99),
            p999_ns: at(0.999),
            max_ns: times.max() as f64,
        }
    }

    /// Each figure's median over `rounds`, which are not empty.
    pub(crate) fn median(rounds: &[Self]) -> Self {
        let median = |figure: fn(&Self) -> f64| super::clock::median(rounds.iter().map(figure).collect());
        Self {
            p50_ns: median(|one| one.p50_ns),
            p99_ns: median(|one| one.p99_ns),
            p999_ns: median(|one| one.p999_ns),
            max_ns: median(|one| one.max_ns),
        }
    }
}

/// An empty histogram of three digits.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_max(LATENCY_NS_MAX, 3).expect("three digits up to a second fit")
}

/// Adds one time to `times`, without what reading the clock cost.
pub(crate) fn record(times: &mut Histogram<u64>, took: Duration, clock_ns: u64) {
    times.saturating_record((took.as_nanos() as u64).saturating_sub(clock_ns));
}

/// Decides all `queries` and returns what one takes of a core on average, in nanoseconds, and the share of a core that
/// this thread was given.
pub(crate) fn throughput<'t>(table: &'t Table, queries: &[Query<'_>], decision: &mut Decision<'t>) -> (f64, f64) {
    let (spent, share) = worked(|| {
        let mut sum = 0_u64;
        for query in queries {
            table.decide(query, decision);
            sum = sum.wrapping_add(trace(decision));
        }
        black_box(sum);
    });
    (spent.as_nanos() as f64 / queries.len() as f64, share)
}

/// Decides all `queries`, each under the clock.
pub(crate) fn latency<'t>(
    table: &'t Table,
    queries: &[Query<'_>],
    decision: &mut Decision<'t>,
    clock_ns: u64,
) -> Latency {
    let mut times = histogram();
    for query in queries {
        let begun = now();
        table.decide(query, decision);
        let took = begun.elapsed();
        black_box(trace(decision));
        record(&mut times, took, clock_ns);
    }
    Latency::of(&times)
}

/// Decides all `queries`, each under the clock, and tells the times apart by what ended the walk: the kind of policy, or
/// `defaults`.
pub(crate) fn by_end<'t>(
    table: &'t Table,
    queries: &[Query<'_>],
    decision: &mut Decision<'t>,
    clock_ns: u64,
) -> BTreeMap<&'t str, Latency> {
    let mut times: BTreeMap<&str, Histogram<u64>> = BTreeMap::new();
    for query in queries {
        let begun = now();
        table.decide(query, decision);
        let took = begun.elapsed();
        let kind = kind(decision.policy);
        record(times.entry(kind).or_insert_with(histogram), took, clock_ns);
    }
    times.iter().map(|(kind, times)| (*kind, Latency::of(times))).collect()
}

/// What kind of policy a name tells; without one, the defaults.
pub(crate) fn kind(policy: Option<&str>) -> &str {
    let number = |octet: char| octet.is_ascii_digit() || octet == '-';
    policy.map_or("defaults", |name| name.trim_end_matches(number))
}

/// Lets the reference decide `queries` and returns what one takes of a core on average, in nanoseconds.
pub(crate) fn reference<'q>(reference: &Reference<'q>, queries: &[Query<'q>], told: &[Option<Net>]) -> f64 {
    let mut answer = Answer::default();
    let (spent, _) = worked(|| {
        let mut sum = 0_u64;
        for (query, told) in queries.iter().zip(told) {
            reference.decide(query, *told, &mut answer);
            sum = sum.wrapping_add(answer.ranked.first().map_or(0, |one| one.cost as u64));
        }
        black_box(sum);
    });
    spent.as_nanos() as f64 / queries.len() as f64
}

/// What deciding takes from the heap, once the buffers of the decision have grown.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Allocations {
    /// Decisions that allocated, on average; 0 = not one of all the messages did.
    pub(crate) per_decision: f64,
    /// Octets allocated, on average.
    pub(crate) bytes_per_decision: f64,
}

/// Decides all `queries` once for the buffers, then once more and counts.
pub(crate) fn allocations<'t>(
    table: &'t Table,
    queries: &[Query<'_>],
    decision: &mut Decision<'t>,
    heap: &dyn Heap,
) -> Allocations {
    for query in queries {
        table.decide(query, decision);
    }
    let (mut allocating, first) = (0_u64, heap.allocated());
    let mut before = first;
    for query in queries {
        table.decide(query, decision);
        let after = heap.allocated();
        allocating += u64::from(after != before);
        before = after;
    }
    Allocations {
        per_decision: allocating as f64 / queries.len() as f64,
        bytes_per_decision: (before - first) as f64 / queries.len() as f64,
    }
}

//! Deciding under measurement: a table of realistic size, a week's traffic before it, and a straightforward reference that
//! does the same work in the same run and must come to the same answers.

mod answers;
pub mod args;
mod asks;
pub(crate) mod clock;
mod compiled;
mod growth;
mod heap;
mod measure;
mod oracle;
mod reference;
mod report;
mod scene;
mod swap;
pub(crate) mod targets;

use std::{ops::Range, process::ExitCode};

use anyhow::{Result, anyhow, ensure};
use table::{Decision, Query, Table};

pub use args::Args;
pub use heap::Heap;
pub use report::Report;

use crate::printed;

use self::{
    asks::Asks,
    measure::{Latency, allocations, latency, throughput},
    oracle::Difference,
    reference::Reference,
    report::{Deciding, Referred},
    scene::{Net, Scene, Size},
    swap::Versions,
};

/// The reference decides one in so many of the messages in each round, others each time: it is that much slower.
const REFERRED_ONE_IN: usize = 10;

/// Runs the measurement that `args` ask for and prints it. `heap` counts for the program's allocator.
///
/// # Errors
/// Sizes out of range, a table that its own check refuses, or an answer that is not the reference's.
pub fn run(args: &Args, heap: &dyn Heap) -> Result<ExitCode> {
    let report = measure(args, heap)?;
    printed::print(&report, args.json)?;
    Ok(ExitCode::SUCCESS)
}

/// Runs the measurement and returns what it found, to be printed or serialized.
///
/// # Errors
/// Those of [`run`].
pub fn measure(args: &Args, heap: &dyn Heap) -> Result<Report> {
    ensure!(args.queries > 0 && args.rounds > 0, "queries and rounds are from 1 up");
    let load_average = clock::load_average();
    let size = Size {
        rows: args.rows,
        carriers: args.carriers,
        policies: args.policies,
        seed: args.seed,
    };
    let scene = Scene::new(size)?;
    let before = heap.live();
    let files = scene.files();
    let source_bytes = heap.live() - before;
    let (table, compiled) = compiled::compile(&files, source_bytes, args.rounds, heap)?;
    let versions = args.swap.then(|| [files.clone(), scene.repriced(files.clone())]);
    drop(files);

    let reference = Reference::new(&scene);
    let asks = Asks::new(&scene, args.queries, args.seed)?;
    let (queries, told) = (asks.queries(), asks.told());
    let answers = oracle::compare(&table, &reference, &queries, &told).map_err(|Difference(text)| anyhow!(text))?;
    let (deciding, referred) = deciding(&table, &reference, &queries, &told, args.rounds, heap);
    drop(reference);

    let growth = args
        .growth
        .then(|| growth::growth(size, &queries, &told, args.rounds))
        .transpose()?;
    let swapping = versions.map(|files| {
        let versions = Versions::new(files, &queries)?;
        swap::swapping(&versions, &queries, args.rounds, deciding.clock_ns)
    });
    let mut report = Report {
        rows: scene.rate_rows(),
        carriers: args.carriers,
        policies: args.policies,
        queries: queries.len(),
        rounds: args.rounds,
        load_average,
        compiled,
        deciding,
        reference: referred,
        growth,
        swapping: swapping.transpose()?,
        mix: asks.mix(),
        answers,
        targets: Vec::new(),
    };
    report.targets = targets::targets(&report);
    Ok(report)
}

/// Which of `count` queries the reference decides in `round`: never none of them, and in time each.
fn referred(count: usize, round: usize) -> Range<usize> {
    let part = count.div_ceil(REFERRED_ONE_IN).max(1);
    let parts = count.div_ceil(part).max(1);
    let from = round % parts * part;
    from..(from + part).min(count)
}

/// Lets table and reference decide by turns, so that what else the machine does meets both.
fn deciding<'q>(
    table: &Table,
    reference: &Reference<'q>,
    queries: &[Query<'q>],
    told: &[Option<Net>],
    rounds: usize,
    heap: &dyn Heap,
) -> (Deciding, Referred) {
    let mut decision = Decision::new();
    let clock_ns = clock::cost_ns();
    let allocations = allocations(table, queries, &mut decision, heap);
    let (mut ns, mut shares, mut latencies) = (Vec::new(), Vec::new(), Vec::new());
    let (mut referred_ns, mut ratios) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let (ours, share) = throughput(table, queries, &mut decision);
        latencies.push(latency(table, queries, &mut decision, clock_ns));
        let part = referred(queries.len(), round);
        let theirs = measure::reference(reference, &queries[part.clone()], &told[part]);
        ns.push(ours);
        shares.push(share);
        referred_ns.push(theirs);
        ratios.push(theirs / ours);
    }
    let by_end = measure::by_end(table, queries, &mut decision, clock_ns);
    let (ns, referred_ns) = (clock::median(ns), clock::median(referred_ns));
    let deciding = Deciding {
        ns_per_decision: ns,
        decisions_per_second: 1e9 / ns,
        core_share: clock::median(shares),
        latency: Latency::median(&latencies),
        by_end: by_end
            .into_iter()
            .map(|(kind, times)| (kind.to_owned(), times))
            .collect(),
        clock_ns,
        allocations,
    };
    let referred = Referred {
        ns_per_decision: referred_ns,
        decisions_per_second: 1e9 / referred_ns,
        ratio: clock::median(ratios),
    };
    (deciding, referred)
}

#[cfg(test)]
mod tests;

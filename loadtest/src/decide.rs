//! Deciding under measurement: a table of realistic size, a week's traffic before it, and a straightforward reference that
//! does the same work and must come to the same answers.

mod answers;
pub mod args;
mod asks;
mod clock;
mod compiled;
mod heap;
mod measure;
mod report;
mod scene;

use std::process::ExitCode;

use anyhow::{Result, ensure};
use table::{Decision, Query, Table};

pub use args::Args;
pub use heap::Heap;
pub use report::Report;

use self::{
    asks::Asks,
    measure::{Latency, allocations, latency, throughput},
    report::Deciding,
    scene::{Scene, Size},
};

/// Runs the measurement that `args` ask for and prints it. `heap` counts for the program's allocator.
///
/// # Errors
/// Sizes out of range, or a table that its own check refuses.
pub fn run(args: &Args, heap: &dyn Heap) -> Result<ExitCode> {
    let report = measure(args, heap)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs the measurement and returns what it found, to be printed or serialized.
///
/// # Errors
/// Those of [`run`].
pub fn measure(args: &Args, heap: &dyn Heap) -> Result<Report> {
    ensure!(args.queries > 0 && args.rounds > 0, "queries and rounds are from 1 up");
    let scene = Scene::new(Size {
        rows: args.rows,
        carriers: args.carriers,
        policies: args.policies,
        seed: args.seed,
    })?;
    let before = heap.live();
    let files = scene.files();
    let source_bytes = heap.live() - before;
    let (table, compiled) = compiled::compile(&files, source_bytes, args.rounds, heap)?;
    drop(files);
    let asks = Asks::new(&scene, args.queries, args.seed);
    let queries = asks.queries();
    let core = clock::pin(0);
    let deciding = deciding(&table, &queries, args.rounds, heap);
    Ok(Report {
        rows: scene.rate_rows(),
        carriers: args.carriers,
        policies: args.policies,
        queries: queries.len(),
        rounds: args.rounds,
        core,
        mix: asks.mix(),
        compiled,
        deciding,
    })
}

fn deciding(table: &Table, queries: &[Query<'_>], rounds: usize, heap: &dyn Heap) -> Deciding {
    let mut decision = Decision::new();
    let clock_ns = clock::cost_ns();
    let allocations = allocations(table, queries, &mut decision, heap);
    let (mut ns, mut latencies) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        ns.push(throughput(table, queries, &mut decision));
        latencies.push(latency(table, queries, &mut decision, clock_ns));
    }
    let ns_per_decision = clock::median(ns);
    Deciding {
        ns_per_decision,
        decisions_per_second: 1e9 / ns_per_decision,
        latency: Latency::median(&latencies),
        clock_ns,
        allocations,
    }
}

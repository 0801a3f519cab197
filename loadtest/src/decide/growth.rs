//! How deciding grows with the table: the same messages before tables of a twentieth, once and five times the rows.

use anyhow::{Result, anyhow};
use serde::Serialize;
use table::{Decision, Query, Table};

use super::{
    clock,
    measure::{Latency, latency, throughput},
    oracle::{self, Difference},
    reference::Reference,
    scene::{Net, Scene, Size},
};

/// Messages whose answers are held against the reference for each size.
const COMPARED_MAX: usize = 100_000;

/// What deciding takes before tables of three sizes.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Growth {
    /// The smallest first.
    pub(crate) sizes: Vec<Sized>,
    /// Time of a decision before the largest ÷ before the smallest; median of the rounds' ratios.
    pub(crate) ratio: f64,
}

/// What deciding takes before one of them.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Sized {
    pub(crate) rows: usize,
    pub(crate) compile_seconds: f64,
    pub(crate) ns_per_decision: f64,
    pub(crate) decisions_per_second: f64,
    pub(crate) latency: Latency,
}

/// Builds the three tables, holds their answers against the reference, and lets them decide by turns.
///
/// # Errors
/// Sizes that no table has, or an answer that is not the reference's.
pub(crate) fn growth(size: Size, queries: &[Query<'_>], told: &[Option<Net>], rounds: usize) -> Result<Growth> {
    let compared = queries.len().min(COMPARED_MAX);
    let mut tables = Vec::new();
    for rows in [size.rows / 20, size.rows, size.rows * 5] {
        tables.push(checked(Size { rows, ..size }, &queries[..compared], told)?);
    }
    let clock_ns = clock::cost_ns();
    let mut ns = vec![Vec::new(); tables.len()];
    let mut latencies = vec![Vec::new(); tables.len()];
    for _ in 0..rounds {
        for (at, (table, ..)) in tables.iter().enumerate() {
            let mut decision = Decision::new();
            ns[at].push(throughput(table, queries, &mut decision).0);
            latencies[at].push(latency(table, queries, &mut decision, clock_ns));
        }
    }
    let ratios = ns[2].iter().zip(&ns[0]).map(|(large, small)| large / small).collect();
    let sizes = tables
        .iter()
        .zip(ns)
        .zip(latencies)
        .map(|(((_, rows, compile_seconds), ns), latencies)| {
            let ns = clock::median(ns);
            Sized {
                rows: *rows,
                compile_seconds: *compile_seconds,
                ns_per_decision: ns,
                decisions_per_second: 1e9 / ns,
                latency: Latency::median(&latencies),
            }
        });
    Ok(Growth {
        sizes: sizes.collect(),
        ratio: clock::median(ratios),
    })
}

/// A table of `size` whose answers are right, its rows, and the seconds it took to compile.
fn checked(size: Size, queries: &[Query<'_>], told: &[Option<Net>]) -> Result<(Table, usize, f64)> {
    let scene = Scene::new(size)?;
    let files = scene.files();
    let (built, took) = clock::timed(|| table::build(&files));
    let (table, _) = built.map_err(|problems| anyhow!("the generated table is refused:\n{problems}"))?;
    drop(files);
    oracle::compare(&table, &Reference::new(&scene), queries, told).map_err(|Difference(text)| anyhow!(text))?;
    Ok((table, scene.rate_rows(), took.as_secs_f64()))
}

//! Compiling a table, and what that takes.

use anyhow::{Result, anyhow};
use serde::Serialize;
use table::{Table, files::Files};

use super::{
    clock::{median, on_core, timed},
    heap::Heap,
};

/// What checking and compiling took.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Compiled {
    /// Octets of the files.
    pub(crate) source_bytes: usize,
    /// Check and compile of the whole table, as read: median.
    pub(crate) seconds: f64,
    /// The same at best.
    pub(crate) seconds_min: f64,
    /// What it takes of a core, without the time in which other programs ran there: median.
    pub(crate) core_seconds: f64,
    /// Live heap of the compiled table.
    pub(crate) table_bytes: usize,
    /// Most heap live while compiling, files aside. Absent = hidden behind what was live before.
    pub(crate) peak_bytes: Option<usize>,
    /// Warnings of the check.
    pub(crate) warnings: usize,
    /// What the table says of itself.
    pub(crate) summary: String,
}

/// Compiles `files` so many `rounds` times and keeps the last table. The files stay where they are, so what is live more
/// afterwards is the table.
pub(crate) fn compile(files: &Files, source_bytes: usize, rounds: usize, heap: &dyn Heap) -> Result<(Table, Compiled)> {
    let (before, peak_before) = (heap.live(), heap.peak());
    let (mut seconds, mut core_seconds) = (Vec::with_capacity(rounds), Vec::with_capacity(rounds));
    let mut compiled = None;
    for _ in 0..rounds.max(1) {
        drop(compiled.take());
        let core = on_core();
        let (built, took) = timed(|| table::build(files));
        seconds.push(took.as_secs_f64());
        core_seconds.push((on_core() - core).as_secs_f64());
        compiled = Some(built.map_err(|problems| anyhow!("the generated table is refused:\n{problems}"))?);
    }
    let (table, warnings) = compiled.expect("at least one round");
    let count = warnings.iter().count() + warnings.left_out();
    drop(warnings);
    let peak = heap.peak();
    let found = Compiled {
        source_bytes,
        seconds_min: seconds.iter().copied().fold(f64::INFINITY, f64::min),
        seconds: median(seconds),
        core_seconds: median(core_seconds),
        table_bytes: heap.live() - before,
        peak_bytes: (peak > peak_before).then(|| peak - before),
        warnings: count,
        summary: table.summary(),
    };
    Ok((table, found))
}

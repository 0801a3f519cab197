//! What a run found, for people and as JSON.

use std::fmt;

use serde::Serialize;

use super::{
    asks::Mix,
    compiled::Compiled,
    measure::{Allocations, Latency},
};

/// What a run found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Rate rows of all carriers.
    pub(crate) rows: usize,
    pub(crate) carriers: usize,
    pub(crate) policies: usize,
    /// Different messages.
    pub(crate) queries: usize,
    /// Rounds that each median is over.
    pub(crate) rounds: usize,
    /// The core that decided; absent = the system chose.
    pub(crate) core: Option<usize>,
    pub(crate) mix: Mix,
    pub(crate) compiled: Compiled,
    pub(crate) deciding: Deciding,
}

/// How fast a table decides, on one core.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Deciding {
    /// Over all messages, without a clock between them.
    pub(crate) ns_per_decision: f64,
    pub(crate) decisions_per_second: f64,
    /// Of single decisions.
    pub(crate) latency: Latency,
    /// What reading the clock adds to a single time; taken off above.
    pub(crate) clock_ns: u64,
    pub(crate) allocations: Allocations,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (compiled, deciding) = (&self.compiled, &self.deciding);
        writeln!(f, "{}, {} rows", compiled.summary, self.rows)?;
        writeln!(
            f,
            "compile       {:.3} s (best {:.3})",
            compiled.seconds, compiled.seconds_min
        )?;
        writeln!(f, "table         {:.1} MB", compiled.table_bytes as f64 / 1e6)?;
        if let Some(peak) = compiled.peak_bytes {
            writeln!(f, "peak          {:.1} MB", peak as f64 / 1e6)?;
        }
        writeln!(f, "decisions/s   {:.0}", deciding.decisions_per_second)?;
        let times = &deciding.latency;
        writeln!(
            f,
            "latency       p50 {} ns, p99 {} ns, p99.9 {} ns, max {} ns",
            times.p50_ns, times.p99_ns, times.p999_ns, times.max_ns
        )?;
        writeln!(f, "clock         {} ns", deciding.clock_ns)?;
        writeln!(f, "allocations   {} a decision", deciding.allocations.per_decision)
    }
}

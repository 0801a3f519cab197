//! Deciding while a second thread compiles the table anew and puts it in force, again and again.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Result, anyhow};
use hdrhistogram::Histogram;
use serde::Serialize;
use table::{Decision, LiveTable, Query, Table, files::Files};

use super::{
    answers::digest,
    clock::now,
    measure::{Latency, histogram, record},
};

/// Messages decided on one snapshot of the table, as a router takes one for each batch.
const BATCH: usize = 256;
/// Swaps in each round.
const SWAPS: usize = 4;

/// Two versions of a table, by turns in force.
pub(crate) struct Versions {
    files: [Files; 2],
    /// Content hashes.
    names: [String; 2],
    /// Of each version, what each query comes to.
    expected: [Vec<u64>; 2],
}

/// What deciding took while tables were swapped, and while they were not.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Swapping {
    pub(crate) quiet: Latency,
    pub(crate) swapping: Latency,
    /// p99.9 while swapping ÷ quiet p99.9; of medians over the rounds.
    pub(crate) p999_ratio: f64,
    /// Times that a table was compiled and put in force.
    pub(crate) swaps: usize,
    /// Decisions by the version that made them, all equal to what that version says at rest.
    pub(crate) decided_by: BTreeMap<String, u64>,
    /// Batches that found another version than the batch before.
    pub(crate) versions_seen: u64,
}

impl Versions {
    /// Compiles both and notes their answers.
    ///
    /// # Errors
    /// A table that its own check refuses.
    pub(crate) fn new(files: [Files; 2], queries: &[Query<'_>]) -> Result<Self> {
        let tables = [built(&files[0])?, built(&files[1])?];
        let expected = |table: &Table| {
            let mut decision = Decision::new();
            let answer = |query: &Query<'_>| {
                table.decide(query, &mut decision);
                digest(&decision)
            };
            queries.iter().map(answer).collect()
        };
        Ok(Self {
            expected: [expected(&tables[0]), expected(&tables[1])],
            names: tables.map(|table| table.version().to_owned()),
            files,
        })
    }
}

/// Decides `queries` over and over, in each round first quietly and then while tables are swapped.
///
/// # Errors
/// A decision that is not what its version says, with its query.
pub(crate) fn swapping(versions: &Versions, queries: &[Query<'_>], rounds: usize, clock_ns: u64) -> Result<Swapping> {
    let live = LiveTable::new(built(&versions.files[0])?);
    let mut decider = Decider {
        versions,
        queries,
        clock_ns,
        held: None,
        at: 0,
        decided: [0; 2],
        last: 0,
        versions_seen: 0,
    };
    let (mut quiet, mut swapped) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let mut batches = queries.len().div_ceil(BATCH);
        quiet.push(decider.run(&live, || {
            batches -= 1;
            batches > 0
        })?);
        swapped.push(std::thread::scope(|scope| {
            let swapper = scope.spawn(|| swap(&live, versions));
            let times = decider.run(&live, || !swapper.is_finished())?;
            swapper.join().expect("compiling does not panic")?;
            anyhow::Ok(times)
        })?);
    }
    let (quiet, swapped) = (Latency::median(&quiet), Latency::median(&swapped));
    Ok(Swapping {
        p999_ratio: swapped.p999_ns / quiet.p999_ns,
        quiet,
        swapping: swapped,
        swaps: rounds * SWAPS,
        decided_by: versions.names.iter().cloned().zip(decider.decided).collect(),
        versions_seen: decider.versions_seen,
    })
}

/// Compiles and swaps; ends with the version that was in force before. An even number of swaps does that.
fn swap(live: &LiveTable, versions: &Versions) -> Result<()> {
    const { assert!(SWAPS.is_multiple_of(2), "a round begins with the first version") };
    for turn in 1..=SWAPS {
        drop(live.replace(built(&versions.files[turn % 2])?));
    }
    Ok(())
}

fn built(files: &Files) -> Result<Table> {
    let built = table::build(files).map_err(|problems| anyhow!("the generated table is refused:\n{problems}"))?;
    Ok(built.0)
}

/// Decides batch after batch, each on a snapshot of its own.
struct Decider<'q> {
    versions: &'q Versions,
    queries: &'q [Query<'q>],
    clock_ns: u64,
    /// The snapshot of the batch before.
    held: Option<Arc<Table>>,
    /// The next query.
    at: usize,
    decided: [u64; 2],
    /// The version of the batch before.
    last: usize,
    versions_seen: u64,
}

impl Decider<'_> {
    /// Decides batches while `goes_on` says so.
    fn run(&mut self, live: &LiveTable, mut goes_on: impl FnMut() -> bool) -> Result<Latency> {
        let mut times = histogram();
        while goes_on() {
            self.batch(live, &mut times)?;
        }
        Ok(Latency::of(&times))
    }

    fn batch(&mut self, live: &LiveTable, times: &mut Histogram<u64>) -> Result<()> {
        // The first message of a batch pays for taking its snapshot, and for freeing the one before if nobody else holds it.
        let mut begun = now();
        drop(self.held.take());
        let table = live.snapshot();
        let mut decision = Decision::new();
        let version = usize::from(table.version() != self.versions.names[0]);
        for _ in 0..BATCH {
            let query = &self.queries[self.at];
            table.decide(query, &mut decision);
            record(times, begun.elapsed(), self.clock_ns);
            if digest(&decision) != self.versions.expected[version][self.at] {
                let name = &self.versions.names[version];
                return Err(anyhow!(
                    "table {name} in force decided otherwise than at rest\n{}",
                    table.explain(query)
                ));
            }
            self.at = (self.at + 1) % self.queries.len();
            begun = now();
        }
        drop(decision);
        self.held = Some(table);
        self.decided[version] += BATCH as u64;
        self.versions_seen += u64::from(version != self.last);
        self.last = version;
        Ok(())
    }
}

//! The way of a table into force, whoever brings it: check, compile, run the cases, compare, swap. A bad one changes nothing.

use std::{sync::Arc, time::Duration};

use service::{Tasks, time};
use table::{
    LiveTable, Problems, Table,
    cases::{self, Unproven},
    diff::diff,
    files::Files,
};
use tracing::{error, info, warn};

use super::{last_good::LastGood, unserved::Unserved};

/// Tables read after a change, by what became of them.
const RELOADS: &str = "signalbox_router_table_reloads_total";

/// Which table is in force, so that routers that differ are seen.
const IN_FORCE: &str = "signalbox_router_table_version";
/// Hexadecimal digits of a version that a gauge can hold exactly, of 16.
const VERSION_DIGITS: usize = 13;

/// How often it is seen whether a replaced table is still held.
const SWEEP_PERIOD: Duration = Duration::from_millis(50);
/// How often that is looked at. Whoever holds a table for longer than all of it keeps it until the next change.
const SWEEPS_MAX: usize = 40;
/// Largest table that is compared with the one it replaces, in octets: about 150,000 rows. Its files are kept in memory for
/// that, and the swap waits until both tables were read once more.
const COMPARED_OCTETS_MAX: u64 = 4 * 1_024 * 1_024;

/// Describes what is counted here.
pub(super) fn describe() {
    metrics::describe_gauge!(
        IN_FORCE,
        "the first 13 hexadecimal digits of the version of the table in force, as a number"
    );
    metrics::describe_counter!(
        RELOADS,
        "tables read after a change, by result: swapped, same or refused"
    );
    // From the start, so that an alert on the first refusal has something to compare with.
    for result in ["swapped", "same", "refused"] {
        metrics::counter!(RELOADS, "result" => result).increment(0);
    }
}

/// Says that the table of `version` is in force.
pub(super) fn in_force(version: &str) {
    let digits = version.get(..VERSION_DIGITS).unwrap_or(version);
    if let Ok(number) = u64::from_str_radix(digits, 16) {
        metrics::gauge!(IN_FORCE).set(number as f64);
    }
}

/// Brings tables into force.
pub(super) struct Swap {
    live: Arc<LiveTable>,
    last_good: LastGood,
    /// Whether somebody is there to be asked about numbers.
    looks_up: bool,
    /// Where links are known, carriers that a version brings without one are covered before it comes into force.
    unserved: Option<Unserved>,
    /// What the table in force was made of; `None` = it is too large to compare with.
    in_force: Option<Arc<Files>>,
}

/// What became of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Became {
    /// It is in force.
    Swapped,
    /// It was in force before.
    Same,
    /// It changed nothing, and why, in lines.
    Refused(String),
}

/// How the copy for the next start is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Copy {
    /// A table that comes into force is kept.
    Kept,
    /// It is not: whether it stays is not known yet.
    Spared,
}

/// A table that comes into force.
struct Next {
    table: Table,
    warnings: Problems,
    /// What changes, in one line; `None` = one of the two tables is too large to compare.
    changes: Option<String>,
}

impl Swap {
    /// Goes on from the table in force, which was made of `files`.
    pub(super) fn new(live: Arc<LiveTable>, last_good: LastGood, unserved: Option<Unserved>, files: Files) -> Self {
        Self {
            live,
            last_good,
            looks_up: false,
            unserved,
            in_force: comparable(files),
        }
    }

    /// Knows whether somebody is there to be asked about numbers; unless told, nobody is.
    pub(super) fn looking_up(mut self, looks_up: bool) -> Self {
        self.looks_up = looks_up;
        self
    }

    /// Content hash of the table in force.
    pub(super) fn version(&self) -> String {
        self.live.snapshot().version().to_owned()
    }

    /// Brings into force what `read` reads, if it is sound and another; `place` is where it comes from, for the log.
    pub(super) async fn offer(
        &mut self,
        place: &'static str,
        copy: Copy,
        read: impl FnOnce() -> Result<Files, String> + Send + 'static,
    ) -> Became {
        let version = self.version();
        let mut work = Tasks::new();
        let (last_good, in_force, known) = (self.last_good.clone(), self.in_force.clone(), version.clone());
        work.spawn_blocking(move || {
            let found = next(read, &known, in_force.as_deref());
            if let (Ok(Some((_, files))), Copy::Kept) = (&found, copy) {
                last_good.keep(files);
            }
            found
        });
        match work.join_next().await {
            Some(Ok(Ok(Some((next, files))))) => {
                self.swap(next, files);
                sweep(&self.live).await;
                Became::Swapped
            }
            Some(Ok(Ok(None))) => {
                metrics::counter!(RELOADS, "result" => "same").increment(1);
                info!(version, "the table {place} is the one in force");
                Became::Same
            }
            Some(Ok(Err(refused))) => {
                metrics::counter!(RELOADS, "result" => "refused").increment(1);
                // The refusal has many lines, and a field would end up behind the last of them.
                error!("the table {place} is refused, the last good one stays in force, version {version}:\n{refused}");
                Became::Refused(refused)
            }
            Some(Err(panic)) => {
                error!(%panic, "the table could not be compiled, the last good one stays in force");
                Became::Refused("it could not be compiled".to_owned())
            }
            None => Became::Same,
        }
    }

    /// Keeps what `read` reads for the next start: it is in force, and stays.
    pub(super) async fn keep(&self, read: impl FnOnce() -> Result<Files, String> + Send + 'static) {
        let last_good = self.last_good.clone();
        let mut work = Tasks::new();
        work.spawn_blocking(move || match read() {
            Ok(files) => last_good.keep(&files),
            Err(reason) => warn!(reason, "the table in force could not be kept for the next start"),
        });
        work.join_all().await;
    }

    /// Waits until everything it started has drained.
    pub(super) async fn drained(self) {
        if let Some(unserved) = self.unserved {
            unserved.drained().await;
        }
    }

    fn swap(&mut self, next: Next, files: Files) {
        let Next {
            table,
            warnings,
            changes,
        } = next;
        if !warnings.is_empty() {
            warn!("the table has warnings:\n{warnings}");
        }
        if let Some(unserved) = &mut self.unserved {
            unserved.cover(&table);
        }
        if !self.looks_up {
            warn_of_lookups(&table);
        }
        let replaced = self.live.snapshot();
        let changes = changes.unwrap_or_else(|| format!("too much to compare, before it had {}", replaced.summary()));
        info!(
            version = table.version(),
            replaced = replaced.version(),
            "what changes: {changes}"
        );
        let (version, summary) = (table.version().to_owned(), table.summary());
        self.live.replace(table);
        in_force(&version);
        self.in_force = comparable(files);
        metrics::counter!(RELOADS, "result" => "swapped").increment(1);
        info!(version, replaced = replaced.version(), "table swapped in: {summary}");
    }
}

/// Reads a table, once, checks and compiles it, runs its cases and compares it with the one `in_force`. `None` = it is the one in
/// force, of this `version`.
fn next(
    read: impl FnOnce() -> Result<Files, String>,
    version: &str,
    in_force: Option<&Files>,
) -> Result<Option<(Next, Files)>, String> {
    let files = read()?;
    if files.version() == version {
        if !files.strays().is_empty() {
            warn!("beside the table in force:\n{}", files.strays());
        }
        return Ok(None);
    }
    let (table, warnings) = cases::prove(&files).map_err(|refused: Unproven| refused.to_string())?;
    let changes = in_force
        .filter(|_| is_comparable(&files))
        .and_then(|old| diff(old, &files).ok())
        .map(|diff| diff.line());
    let next = Next {
        table,
        warnings,
        changes,
    };
    Ok(Some((next, files)))
}

fn is_comparable(files: &Files) -> bool {
    files.octets() <= COMPARED_OCTETS_MAX
}

/// The files, if the next table can be compared with them.
fn comparable(files: Files) -> Option<Arc<Files>> {
    is_comparable(&files).then(|| Arc::new(files))
}

/// Frees the table that was replaced, away from those who decide.
async fn sweep(live: &LiveTable) {
    for _ in 0..SWEEPS_MAX {
        let (mut work, live) = (Tasks::new(), live.clone());
        work.spawn_blocking(move || live.sweep());
        if !matches!(work.join_next().await, Some(Ok(1..))) {
            return;
        }
        time::sleep(SWEEP_PERIOD).await;
    }
}

/// Says which policies ask for a look-up where nobody answers one, so that the numbering plan does.
pub(super) fn warn_of_lookups(table: &Table) {
    let policies: Vec<_> = table
        .lookups()
        .map(|name| if name.is_empty() { "the defaults" } else { name })
        .collect();
    if !policies.is_empty() {
        let policies = policies.join(", ");
        warn!(
            policies,
            "look-ups of numbers are asked for and nobody answers them: the network is that of the table's numbering"
        );
    }
}

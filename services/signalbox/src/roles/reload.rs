//! The table's directory, followed while people edit it: a good table is swapped in, a bad one changes nothing.

use std::{path::Path, time::Duration};

use service::{Stop, Tasks, time, watch::PathWatch};
use table::{
    LiveTable, Table,
    files::{self, fingerprint},
};
use tracing::{error, info, warn};

use super::{last_good::LastGood, unserved::Unserved};

/// Tables read after a change of their directory, by what became of them.
const RELOADS: &str = "signalbox_router_table_reloads_total";

/// How often it is seen whether a replaced table is still held.
const SWEEP_PERIOD: Duration = Duration::from_millis(50);
/// How often that is looked at. Whoever holds a table for longer than all of it keeps it until the next change.
const SWEEPS_MAX: usize = 40;

/// Describes what is counted here.
pub(super) fn describe() {
    metrics::describe_counter!(
        RELOADS,
        "tables read after a change, by result: swapped, same or refused"
    );
    // From the start, so that an alert on the first refusal has something to compare with.
    for result in ["swapped", "same", "refused"] {
        metrics::counter!(RELOADS, "result" => result).increment(0);
    }
}

/// Puts every good version of the table in `dir` into `live`, until `stop`. `seen` is the directory's fingerprint
/// from before the table in force was read, so that no change falls between. Where links are known, carriers that a version
/// brings without one are covered before it comes into force.
pub(super) async fn follow(
    dir: &Path,
    last_good: &LastGood,
    live: &LiveTable,
    mut unserved: Option<Unserved>,
    mut seen: u64,
    stop: &Stop,
) {
    let mut watch = PathWatch::new(dir);
    loop {
        tokio::select! { biased;
            () = stop.requested() => break,
            () = watch.next() => {}
        }
        let now = fingerprint(dir);
        if now != seen {
            seen = now;
            reload(dir, last_good, live, unserved.as_mut()).await;
        }
    }
    if let Some(unserved) = unserved {
        unserved.drained().await;
    }
}

async fn reload(dir: &Path, last_good: &LastGood, live: &LiveTable, unserved: Option<&mut Unserved>) {
    let mut work = Tasks::new();
    let (from, last_good) = (dir.to_owned(), last_good.clone());
    work.spawn_blocking(move || {
        let files = files::read(&from)?;
        let loaded = table::build(&files)?;
        last_good.keep(&files);
        Ok::<_, table::Problems>(loaded)
    });
    match work.join_next().await {
        Some(Ok(Ok((table, warnings)))) => {
            if !warnings.is_empty() {
                warn!("the table has warnings:\n{warnings}");
            }
            if let Some(unserved) = unserved {
                unserved.cover(&table);
            }
            warn_of_lookups(&table);
            swap(table, live);
            sweep(live).await;
        }
        Some(Ok(Err(problems))) => {
            let version = live.snapshot().version().to_owned();
            metrics::counter!(RELOADS, "result" => "refused").increment(1);
            error!(
                version,
                "the table on disk is refused, the last good one stays in force:\n{problems}"
            );
        }
        Some(Err(panic)) => error!(%panic, "the table could not be compiled, the last good one stays in force"),
        None => {}
    }
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

/// Says which policies ask for a look-up: nobody answers one yet, so the numbering plan does.
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

fn swap(table: Table, live: &LiveTable) {
    if table.version() == live.snapshot().version() {
        metrics::counter!(RELOADS, "result" => "same").increment(1);
        info!(version = table.version(), "the table on disk is the one in force");
        return;
    }
    let (version, summary) = (table.version().to_owned(), table.summary());
    let old = live.replace(table);
    metrics::counter!(RELOADS, "result" => "swapped").increment(1);
    info!(version, replaced = old.version(), "table swapped in: {summary}");
}

//! Tables published on the log, brought into force as they come: what is in force there is served here, unless it is refused.

use std::{collections::BTreeMap, time::Duration};

use ::router::{FetchError, InForce, Served, Tables};
use bytes::Bytes;
use service::{Readiness, Stop, Tasks, time};
use table::{cases, files::Files};
use tracing::{error, info, warn};

use super::{
    last_good::{LastGood, Loaded},
    swap::{Became, Copy, Swap},
};

/// Longest wait for the log to tell what was published, where a last good table is at hand.
const READ_LIMIT: Duration = Duration::from_secs(10);
/// How often what could not be had is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// How often the first is tried again where it was published and cannot be had.
const FIRST_AGAIN: Duration = Duration::from_secs(10);
/// What is said while there is none.
const NOTHING: &str = "no table was published yet: signalbox table publish DIR";
/// Longest reason that other routers are told, in characters.
const FAULT_CHARS_MAX: usize = 300;
/// What readiness calls it.
const TABLE: &str = "table";

/// A table to begin with.
pub(super) struct Begun {
    pub(super) loaded: Loaded,
    /// The version that it is, with its packed files; `None` = the last good one, whose number is not known.
    version: Option<(InForce, Bytes)>,
    /// Why the version in force is not served; empty = it is.
    fault: String,
}

/// Brings into force what is in force on the log.
pub(super) struct Published {
    tables: Tables,
    swap: Swap,
    last_good: LastGood,
    /// Number of the version that is served, as far as known.
    number: Option<u64>,
    /// The version that was refused last, and why.
    refused: Option<(u64, String)>,
    /// The version that could not be had at the last try.
    away: Option<u64>,
    /// Packed files, by number: of the version in force, and of the one that routers may return to by themselves, also while the log is
    /// away.
    packed: BTreeMap<u64, Bytes>,
    /// Content hash of the copy for the next start.
    kept: Option<String>,
}

/// Waits for a table to begin with: the version in force, or the last good one where that is refused or the log does not tell. `None` =
/// asked to stop before there was one.
pub(super) async fn begin(tables: &Tables, last_good: &LastGood, readiness: &Readiness, stop: &Stop) -> Option<Begun> {
    let mut watch = tables.watch();
    tokio::select! { biased;
        () = stop.requested() => return None,
        _ = tables.is_read(READ_LIMIT) => {}
    }
    loop {
        match first(tables, last_good).await {
            Ok(begun) => {
                readiness.have(TABLE);
                return Some(begun);
            }
            Err(fault) => {
                readiness.miss(TABLE, fault.clone());
                tables.serves(Served {
                    fault,
                    ..Served::default()
                });
            }
        }
        tokio::select! { biased;
            () = stop.requested() => return None,
            () = tables.changed(&mut watch) => {}
            () = time::sleep(FIRST_AGAIN), if tables.in_force().is_some() => {}
        }
    }
}

/// A table to begin with, or why there is none.
async fn first(tables: &Tables, last_good: &LastGood) -> Result<Begun, String> {
    let mut fault = NOTHING.to_owned();
    if let Some(version) = tables.in_force() {
        match load(tables, &version).await {
            Ok((loaded, packed)) => {
                let version = Some((version, packed));
                let fault = String::new();
                return Ok(Begun { loaded, version, fault });
            }
            Err(reason) => {
                error!(number = version.number, "the published table is refused:\n{reason}");
                fault = short(&reason);
            }
        }
    } else if !tables.is_read(Duration::ZERO).await {
        fault = "the log does not tell yet which table was published".to_owned();
    }
    let kept = aside({
        let last_good = last_good.clone();
        move || last_good.kept()
    });
    let Some(loaded) = kept.await.flatten() else {
        return Err(fault);
    };
    warn!(
        version = loaded.table.version(),
        fault, "the last good table is in force"
    );
    let version = None;
    Ok(Begun { loaded, version, fault })
}

/// The table of a version, read and compiled away from the threads that answer.
async fn load(tables: &Tables, version: &InForce) -> Result<(Loaded, Bytes), String> {
    let packed = tables.fetch(version).await.map_err(|error| error.to_string())?;
    let read = (version.clone(), packed.clone());
    let loaded = aside(move || {
        let files = unpack(&read.0, &read.1)?;
        let (table, warnings) = cases::prove(&files).map_err(|refused| refused.to_string())?;
        Ok(Loaded { table, warnings, files })
    });
    let loaded = loaded
        .await
        .unwrap_or_else(|| Err("it could not be compiled".to_owned()))?;
    Ok((loaded, packed))
}

impl Begun {
    /// What is said of it to the other routers.
    pub(super) fn served(&self) -> Served {
        Served {
            number: self.version.as_ref().map(|(version, _)| version.number),
            version: self.loaded.table.version().to_owned(),
            fault: self.fault.clone(),
        }
    }

    /// What the follower goes on from, beside the table itself.
    pub(super) fn follower(self, tables: Tables, last_good: LastGood) -> (Loaded, impl FnOnce(Swap) -> Published) {
        let is_kept = self.version.is_none();
        let kept = is_kept.then(|| self.loaded.table.version().to_owned());
        let number = self.version.as_ref().map(|(version, _)| version.number);
        let packed = self.version.map(|(version, packed)| (version.number, packed));
        let follower = move |swap| Published {
            tables,
            swap,
            last_good,
            number,
            refused: None,
            away: None,
            packed: packed.into_iter().collect(),
            kept,
        };
        (self.loaded, follower)
    }
}

impl Published {
    /// Brings every version into force until `stop`.
    pub(super) async fn follow(mut self, stop: &Stop) {
        let mut watch = self.tables.watch();
        loop {
            let again = tokio::select! { biased;
                () = stop.requested() => break,
                again = self.settle() => again,
            };
            tokio::select! { biased;
                () = stop.requested() => break,
                () = self.tables.changed(&mut watch) => {}
                () = time::sleep(AGAIN), if again => {}
            }
        }
        self.swap.drained().await;
    }

    /// Serves what is in force, and says so. True = it could not be had just now.
    async fn settle(&mut self) -> bool {
        let Some(target) = self.tables.in_force() else {
            return false;
        };
        let fault = self.bring(&target).await;
        let is_away = matches!(fault, Err(FetchError::Away { .. }));
        let fault = fault.map_or_else(|error| error.to_string(), |()| String::new());
        if is_away && self.away != Some(target.number) {
            warn!(fault, "the published table cannot be had, trying again");
        }
        self.away = is_away.then_some(target.number);
        self.tables.serves(Served {
            number: self.number,
            version: self.swap.version(),
            fault: short(&fault),
        });
        // At hand before the log may be away.
        let fallback = self.tables.returns_to();
        if let Some(fallback) = &fallback {
            let _ = self.packed(fallback).await;
        }
        let is_needed =
            |number: u64| number == target.number || fallback.as_ref().is_some_and(|one| one.number == number);
        self.packed.retain(|number, _| is_needed(*number));
        is_away
    }

    /// Brings `target` into force, unless it is or was refused; an error is why it is not served.
    async fn bring(&mut self, target: &InForce) -> Result<(), FetchError> {
        let is_settled = target.confirm_by.is_none();
        if target.version != self.swap.version() {
            let refused = |reason| FetchError::Unusable {
                number: target.number,
                reason,
            };
            if let Some((number, reason)) = &self.refused
                && *number == target.number
            {
                return Err(refused(reason.clone()));
            }
            let packed = self.packed(target).await?;
            let read = reading(target, &packed);
            let copy = if is_settled { Copy::Kept } else { Copy::Spared };
            if let Became::Refused(reason) = self.swap.offer("on the log", copy, read).await {
                self.refused = Some((target.number, reason.clone()));
                return Err(refused(reason));
            }
            info!(
                number = target.number,
                version = target.version,
                "published table in force"
            );
            if is_settled {
                self.kept = Some(target.version.clone());
            }
        }
        (self.number, self.refused) = (Some(target.number), None);
        if is_settled && self.last_good.is_somewhere() && self.kept.as_ref() != Some(&target.version) {
            let packed = self.packed(target).await?;
            self.swap.keep(reading(target, &packed)).await;
            self.kept = Some(target.version.clone());
        }
        Ok(())
    }

    /// The packed files of `version`, from memory if they are there.
    async fn packed(&mut self, version: &InForce) -> Result<Bytes, FetchError> {
        if let Some(packed) = self.packed.get(&version.number) {
            return Ok(packed.clone());
        }
        let packed = self.tables.fetch(version).await?;
        self.packed.insert(version.number, packed.clone());
        Ok(packed)
    }
}

fn reading(version: &InForce, packed: &Bytes) -> impl FnOnce() -> Result<Files, String> + Send + 'static {
    let (version, packed) = (version.clone(), packed.clone());
    move || unpack(&version, &packed)
}

fn unpack(version: &InForce, packed: &[u8]) -> Result<Files, String> {
    version.unpack(packed).map_err(|error| error.to_string())
}

/// Does `work` away from the threads that answer; `None` = it did not end.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let mut tasks = Tasks::new();
    tasks.spawn_blocking(work);
    tasks.join_next().await?.ok()
}

/// The first line, as far as it is told to others.
fn short(fault: &str) -> String {
    fault
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(FAULT_CHARS_MAX)
        .collect()
}

#[cfg(test)]
mod tests;

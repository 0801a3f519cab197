//! Where an order stands in the log, as far as it says who else may have started it.
//!
//! While the store remembers, claims say that. Once it forgot, only this is left: a run before ours can have started no
//! more than it may have fetched and not acked, and nothing that was stored after the partition became ours. Once it is not
//! ours any more, whoever has it may have started what we read and have not claimed yet.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bus::{Delivered, PartitionId};
use service::{LogTime, time::Instant};
use sms::UnixMs;

/// Records after the committed position that a run before ours may have fetched, and hence started.
pub(crate) const STARTED_MAX: u64 = crate::pump::OPEN_MAX as u64;
/// Clocks of the machines that the log runs on differ by less, and what is heard live was stored no longer ago.
const SKEW_MAX: Duration = Duration::from_secs(1);

/// Where an order stands in the log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    /// When the log took it.
    pub stored_at: UnixMs,
    /// Whether a run before ours may have started it.
    was_inherited: bool,
    /// Whether its partition went to somebody else since it was read.
    has_left: Arc<AtomicBool>,
}

impl Origin {
    /// Whether another run may have started it: one before ours, or one that has its partition since.
    pub(crate) fn is_inherited(&self) -> bool {
        self.was_inherited || self.has_left.load(Ordering::Relaxed)
    }
}

/// The partitions of one intake, and since when they are ours.
#[derive(Debug, Default)]
pub(crate) struct Origins(BTreeMap<PartitionId, Ours>);

#[derive(Debug)]
struct Ours {
    /// What was read last.
    read: Option<Delivered>,
    since: Instant,
    records: u64,
    /// Set once it is not ours any more.
    has_left: Arc<AtomicBool>,
}

impl Drop for Ours {
    fn drop(&mut self) {
        self.has_left.store(true, Ordering::Relaxed);
    }
}

impl Ours {
    fn since(now: Instant) -> Self {
        Self {
            read: None,
            since: now,
            records: 0,
            has_left: Arc::default(),
        }
    }
}

impl Origins {
    /// Notes that the intake has exactly `owned`, and of what it read what it still `holds`: a partition may have left and be
    /// back since.
    pub(crate) fn own(&mut self, owned: &[PartitionId], holds: impl Fn(&Delivered) -> bool, now: Instant) {
        self.0
            .retain(|partition, ours| owned.contains(partition) && ours.read.as_ref().is_none_or(&holds));
        for partition in owned {
            self.0.entry(*partition).or_insert_with(|| Ours::since(now));
        }
    }

    /// Enters a batch whose records were stored at `stored_at_ms`, and says where each stands. Before `log` tells the time
    /// anybody may have started what is read.
    pub(crate) fn enter(
        &mut self,
        delivered: &Delivered,
        stored_at_ms: impl Iterator<Item = u64>,
        now: Instant,
        log: &LogTime,
    ) -> Vec<Origin> {
        let ours = self.0.entry(delivered.partition).or_insert_with(|| Ours::since(now));
        if ours
            .read
            .as_ref()
            .is_some_and(|read| read.generation != delivered.generation)
        {
            *ours = Ours::since(now);
        }
        ours.read = Some(delivered.clone());
        let ours_at = log.at(ours.since).map(|at| at + SKEW_MAX);
        let origins = stored_at_ms.map(|stored_at_ms| {
            ours.records += 1;
            let stored_at = UnixMs(stored_at_ms);
            Origin {
                stored_at,
                was_inherited: ours.records <= STARTED_MAX && ours_at.is_none_or(|at| stored_at < at),
                has_left: Arc::clone(&ours.has_left),
            }
        });
        origins.collect()
    }
}

#[cfg(test)]
mod tests;

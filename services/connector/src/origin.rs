//! Where an order stands in the log, as far as it says who else may have started it.
//!
//! While the store remembers, claims say that. Once it forgot, only this is left: a run before ours can have started no
//! more than it may have fetched and not acked, and nothing that was stored after the partition became ours.

use std::{collections::BTreeMap, time::Duration};

use bus::{Delivered, PartitionId};
use sms::UnixMs;

/// Records after the committed position that a run before ours may have fetched, and hence started.
pub(crate) const STARTED_MAX: u64 = crate::pump::OPEN_MAX as u64;
/// Clocks of those who write to the log and ours differ by less.
const SKEW_MAX: Duration = Duration::from_secs(1);

/// Where an order stands in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    /// When the log took it.
    pub stored_at: UnixMs,
    /// Whether a run before ours may have started it.
    pub is_inherited: bool,
}

/// The partitions of one intake, and since when they are ours.
#[derive(Debug, Default)]
pub(crate) struct Origins(BTreeMap<PartitionId, Ours>);

#[derive(Debug)]
struct Ours {
    generation: Option<u64>,
    since: UnixMs,
    records: u64,
}

impl Ours {
    fn since(now: UnixMs) -> Self {
        Self {
            generation: None,
            since: now,
            records: 0,
        }
    }
}

impl Origins {
    /// Notes that the intake holds exactly `owned`.
    pub(crate) fn own(&mut self, owned: &[PartitionId], now: UnixMs) {
        self.0.retain(|partition, _| owned.contains(partition));
        for partition in owned {
            self.0.entry(*partition).or_insert_with(|| Ours::since(now));
        }
    }

    /// Enters a batch whose records were stored at `stored_at_ms`, and says where each stands.
    pub(crate) fn enter(
        &mut self,
        delivered: &Delivered,
        stored_at_ms: impl Iterator<Item = u64>,
        now: UnixMs,
    ) -> Vec<Origin> {
        let ours = self.0.entry(delivered.partition).or_insert_with(|| Ours::since(now));
        if *ours.generation.get_or_insert(delivered.generation) != delivered.generation {
            *ours = Ours {
                generation: Some(delivered.generation),
                ..Ours::since(now)
            };
        }
        let ours_at = ours.since + SKEW_MAX;
        let origins = stored_at_ms.map(|stored_at_ms| {
            ours.records += 1;
            let stored_at = UnixMs(stored_at_ms);
            Origin {
                stored_at,
                is_inherited: ours.records <= STARTED_MAX && stored_at < ours_at,
            }
        });
        origins.collect()
    }
}

#[cfg(test)]
mod tests;

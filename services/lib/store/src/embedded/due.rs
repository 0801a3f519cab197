//! The due index: keys in the order in which they are due, `partition u32 | second u64 | key`, beside their values.
//!
//! What was due and is done leaves a trail of removals that a look from the beginning would walk over again and again. So each
//! partition remembers a second before which nothing is left, and looks begin there.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use disk::{Batch, Disk, DiskError, Layout, Space};

use super::{entry, expiry};
use crate::{Due, DueEntry, Key};

const DUE: &str = "store.due";
/// Octets before the key.
const HEAD_OCTETS: usize = 4 + 8;

pub(super) struct DueIndex {
    space: Space,
    /// For each partition, a second before which nothing is due.
    clear_before: Mutex<BTreeMap<u32, Arc<Mutex<u64>>>>,
}

impl DueIndex {
    pub(super) fn open(disk: &Disk) -> Result<Self, DiskError> {
        Ok(Self {
            space: disk.space(DUE, Layout::Expiring)?,
            clear_before: Mutex::default(),
        })
    }

    pub(super) fn put(&self, batch: &mut Batch, due: Due, key: &Key, expires_at_ms: u64) {
        batch.put(&self.space, path(due, &key.0), expiry(expires_at_ms));
    }

    pub(super) fn remove(&self, batch: &mut Batch, due: Due, key: &Key) {
        batch.remove(&self.space, path(due, &key.0));
    }

    /// Takes note of entries that were written. Comes after the write: a look in between either sees them or is followed by
    /// this.
    pub(super) fn added(&self, entries: Vec<Due>) {
        for due in entries {
            let clear_before = self.clear_before(due.partition);
            let mut clear_before = clear_before.lock().expect("no holder panics");
            *clear_before = due.second.min(*clear_before);
        }
    }

    /// Entries of `partition` due at or before `second`, earliest first, at most `max`, without what has expired.
    pub(super) fn find(
        &self,
        partition: u32,
        second: u64,
        max: usize,
        now_ms: u64,
    ) -> Result<Vec<DueEntry>, DiskError> {
        let clear_before = self.clear_before(partition);
        let mut clear_before = clear_before.lock().expect("no holder panics");
        let (from, to) = (
            Due {
                partition,
                second: *clear_before,
            },
            Due {
                partition,
                second: second.saturating_add(1),
            },
        );
        let mut found = Vec::new();
        if from.second >= to.second || max == 0 {
            return Ok(found);
        }
        for next in self.space.range(path(from, &[])..path(to, &[])) {
            let (path, value) = next?;
            let is_fresh = entry::number(&value).is_some_and(|expires_at_ms| expires_at_ms > now_ms);
            let second = path.get(4..).and_then(entry::number);
            if let Some(second) = second.filter(|_| is_fresh) {
                found.push(DueEntry {
                    key: Key(path.slice(HEAD_OCTETS..)),
                    second,
                });
            }
            if found.len() >= max {
                break;
            }
        }
        *clear_before = found.first().map_or(to.second, |entry| entry.second);
        Ok(found)
    }

    fn clear_before(&self, partition: u32) -> Arc<Mutex<u64>> {
        self.clear_before
            .lock()
            .expect("no holder panics")
            .entry(partition)
            .or_default()
            .clone()
    }
}

fn path(due: Due, key: &[u8]) -> Vec<u8> {
    let mut path = Vec::with_capacity(HEAD_OCTETS + key.len());
    path.extend_from_slice(&due.partition.to_be_bytes());
    path.extend_from_slice(&due.second.to_be_bytes());
    path.extend_from_slice(key);
    path
}

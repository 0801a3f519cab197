//! The recent records of one partition, in memory.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use crate::Stored;

/// Octets that all tails over a disk may hold together before they drop what the disk has too. Tails below their equal share
/// drop nothing, so that twice as much is the most there can be.
pub(crate) const TAILS_OCTETS_MAX: usize = 32 * 1024 * 1024;
/// What a record in memory costs beside its value and headers.
const ENTRY_OCTETS: usize = 128;

/// A record and its position.
pub(super) struct Entry {
    pub(super) position: u64,
    pub(super) stored: Stored,
}

/// Recent records, oldest first; positions rise but may have gaps.
#[derive(Default)]
pub(super) struct Tail {
    entries: VecDeque<Entry>,
    /// Everything at or after this position is here.
    from: u64,
    octets: usize,
    /// Position of the newest record of each key; kept for compacted topics only.
    newest: BTreeMap<u64, u64>,
}

/// What all tails hold together.
#[derive(Default)]
pub(super) struct Budget {
    octets: AtomicUsize,
    partitions: AtomicUsize,
}

impl Budget {
    pub(super) fn add_partition(&self) {
        self.partitions.fetch_add(1, Ordering::Relaxed);
    }

    fn share(&self) -> usize {
        TAILS_OCTETS_MAX / self.partitions.load(Ordering::Relaxed).max(1)
    }
}

impl Tail {
    /// Begins at `position`: all before is elsewhere.
    pub(super) fn begin(&mut self, position: u64) {
        self.from = position;
    }

    /// Takes over what a compacted topic holds, oldest first.
    pub(super) fn fill(&mut self, records: Vec<(u64, Stored)>) {
        for (position, stored) in records {
            self.push(Entry { position, stored });
            self.compact();
        }
    }

    pub(super) fn push(&mut self, entry: Entry) {
        self.octets += entry.octets();
        self.entries.push_back(entry);
    }

    /// Drops what was stored longer ago than `kept`.
    pub(super) fn drop_older(&mut self, now_ms: u64, kept: Duration) {
        let limit_ms = now_ms.saturating_sub(u64::try_from(kept.as_millis()).unwrap_or(u64::MAX));
        while self
            .entries
            .front()
            .is_some_and(|entry| entry.stored.stored_at_ms < limit_ms)
        {
            self.pop();
        }
    }

    /// Drops the predecessor of the newest record. Cost grows with the number of keys.
    pub(super) fn compact(&mut self) {
        let Some(last) = self.entries.back() else { return };
        let (key, position) = (last.stored.key, last.position);
        if let Some(older) = self.newest.insert(key, position)
            && let Ok(index) = self.entries.binary_search_by_key(&older, |entry| entry.position)
            && let Some(entry) = self.entries.remove(index)
        {
            self.octets -= entry.octets();
        }
    }

    /// Counts what was pushed since the last call and drops the oldest records while all tails are over their limit and this
    /// one over its share.
    pub(super) fn shrink(&mut self, budget: &Budget, pushed_octets: usize) {
        let mut total = budget.octets.fetch_add(pushed_octets, Ordering::Relaxed) + pushed_octets;
        let share = budget.share();
        while total > TAILS_OCTETS_MAX && self.octets > share {
            let dropped = self.pop();
            total = budget.octets.fetch_sub(dropped, Ordering::Relaxed) - dropped;
        }
    }

    /// Octets held, with what each record costs by itself.
    pub(super) fn octets(&self) -> usize {
        self.octets
    }

    /// Records from `from` on, at most `records_max`, and where to go on; `next` if there are none.
    pub(super) fn fetch(&self, from: u64, next: u64, records_max: usize) -> (Vec<Stored>, u64) {
        let start = self.entries.partition_point(|entry| entry.position < from);
        let end = self.entries.len().min(start.saturating_add(records_max));
        let records: Vec<_> = self
            .entries
            .range(start..end)
            .map(|entry| entry.stored.clone())
            .collect();
        let go_on = if end == self.entries.len() {
            next
        } else {
            self.entries[end].position
        };
        (records, go_on)
    }

    /// Position of the oldest record here, `next` if there is none.
    pub(super) fn first(&self, next: u64) -> u64 {
        self.entries.front().map_or(next, |entry| entry.position)
    }

    /// The position from which on everything is here.
    pub(super) fn from(&self) -> u64 {
        self.from
    }

    /// Position of the first record here stored at or after `instant_ms`, `next` if there is none.
    pub(super) fn since(&self, instant_ms: u64, next: u64) -> u64 {
        let index = self
            .entries
            .partition_point(|entry| entry.stored.stored_at_ms < instant_ms);
        self.entries.get(index).map_or(next, |entry| entry.position)
    }

    /// Records here from `from` on.
    pub(super) fn count(&self, from: u64) -> u64 {
        let start = self.entries.partition_point(|entry| entry.position < from);
        (self.entries.len() - start) as u64
    }

    /// Position of the newest record of `key` in a compacted topic.
    pub(super) fn newest(&self, key: u64) -> Option<u64> {
        self.newest.get(&key).copied()
    }

    /// Drops the oldest record and says how many octets that freed.
    fn pop(&mut self) -> usize {
        let Some(entry) = self.entries.pop_front() else {
            return 0;
        };
        self.from = entry.position + 1;
        self.octets -= entry.octets();
        entry.octets()
    }
}

impl Entry {
    /// What it costs in memory.
    pub(super) fn octets(&self) -> usize {
        let headers = self
            .stored
            .headers
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum::<usize>();
        ENTRY_OCTETS + self.stored.value.len() + headers
    }
}

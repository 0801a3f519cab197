//! The recent records of one partition.

use std::collections::{BTreeMap, VecDeque};

use crate::{Retention, Stored};

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
    /// Position of the newest record of each key; kept for compacted topics only.
    newest: BTreeMap<u64, u64>,
}

impl Tail {
    pub(super) fn push(&mut self, entry: Entry) {
        self.entries.push_back(entry);
    }

    /// Drops what `retention` no longer keeps. Cost is amortized to a constant per record, for compacted topics to the
    /// number of keys.
    pub(super) fn trim(&mut self, retention: Retention, now_ms: u64) {
        match retention {
            Retention::Time(kept) => {
                let limit_ms = now_ms.saturating_sub(u64::try_from(kept.as_millis()).unwrap_or(u64::MAX));
                while self
                    .entries
                    .front()
                    .is_some_and(|entry| entry.stored.stored_at_ms < limit_ms)
                {
                    self.pop();
                }
            }
            Retention::Compacted => self.compact(),
        }
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

    /// Position of the oldest record kept, `next` if there is none.
    pub(super) fn first(&self, next: u64) -> u64 {
        self.entries.front().map_or(next, |entry| entry.position)
    }

    /// Oldest position that was not dropped for its age.
    pub(super) fn from(&self) -> u64 {
        self.from
    }

    /// Position of the first record stored at or after `instant_ms`, `next` if there is none.
    pub(super) fn since(&self, instant_ms: u64, next: u64) -> u64 {
        let index = self
            .entries
            .partition_point(|entry| entry.stored.stored_at_ms < instant_ms);
        self.entries.get(index).map_or(next, |entry| entry.position)
    }

    fn pop(&mut self) {
        if let Some(entry) = self.entries.pop_front() {
            self.from = entry.position + 1;
        }
    }

    fn compact(&mut self) {
        let Some(last) = self.entries.back() else { return };
        let (key, position) = (last.stored.key, last.position);
        if let Some(older) = self.newest.insert(key, position)
            && let Ok(index) = self.entries.binary_search_by_key(&older, |entry| entry.position)
        {
            self.entries.remove(index);
        }
    }
}

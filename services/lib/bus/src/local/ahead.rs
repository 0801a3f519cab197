//! What was read from the disk ahead of who asked for less: a read costs as much for one record as for hundreds.

use std::collections::VecDeque;

use super::tail::Entry;
use crate::Stored;

/// Records of one partition that follow on from where its reader stands.
#[derive(Default)]
pub(super) struct Ahead {
    entries: VecDeque<Entry>,
    /// Where to go on after the last of them.
    next: u64,
}

impl Ahead {
    /// Takes over what was read, in the order of its positions, and where to go on after it.
    pub(super) fn fill(&mut self, entries: Vec<Entry>, next: u64) {
        self.entries = entries.into();
        self.next = next;
    }

    /// Drops what was read.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Up to `records_max` records from `from` on, and where to go on; `None` if they were not read ahead, and what was is
    /// dropped then: its reader stands elsewhere.
    pub(super) fn take(&mut self, from: u64, records_max: usize) -> Option<(Vec<Stored>, u64)> {
        if self.entries.front()?.position != from {
            self.entries.clear();
            return None;
        }
        let count = self.entries.len().min(records_max);
        let records = self.entries.drain(..count).map(|entry| entry.stored).collect();
        let go_on = self.entries.front().map_or(self.next, |entry| entry.position);
        Some((records, go_on))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ahead(positions: &[u64], next: u64) -> Ahead {
        let entry = |position: &u64| Entry {
            position: *position,
            stored: Stored {
                key: *position,
                value: "value".into(),
                stored_at_ms: 0,
                headers: Vec::new(),
            },
        };
        let mut ahead = Ahead::default();
        ahead.fill(positions.iter().map(entry).collect(), next);
        ahead
    }

    fn keys((records, next): (Vec<Stored>, u64)) -> (Vec<u64>, u64) {
        (records.iter().map(|record| record.key).collect(), next)
    }

    #[test]
    fn records_are_handed_out_once_in_order_across_gaps() {
        let mut ahead = ahead(&[3, 4, 9], 12);
        assert_eq!(ahead.take(3, 2).map(keys), Some((vec![3, 4], 9)));
        assert_eq!(ahead.take(9, 2).map(keys), Some((vec![9], 12)));
        assert_eq!(ahead.take(12, 2).map(keys), None);
    }

    #[test]
    fn a_reader_that_stands_elsewhere_gets_nothing_and_all_is_dropped() {
        let mut ahead = ahead(&[3, 4], 5);
        assert_eq!(ahead.take(4, 2).map(keys), None);
        assert_eq!(ahead.take(3, 2).map(keys), None);
    }
}

//! How many records are written and not yet safe, for who closes in a hurry.

use std::{collections::VecDeque, sync::Mutex};

use disk::{Disk, Ticket};

use super::lock;

/// Publishes that are not known to be safe, oldest first. Bounded by what the disk lets be unsynced.
#[derive(Default)]
pub(super) struct Unsynced(Mutex<VecDeque<(Ticket, usize)>>);

impl Unsynced {
    pub(super) fn add(&self, disk: &Disk, ticket: Ticket, records: usize) {
        let mut publishes = lock(&self.0);
        while publishes.front().is_some_and(|(ticket, _)| disk.is_synced(*ticket)) {
            publishes.pop_front();
        }
        publishes.push_back((ticket, records));
    }

    pub(super) fn count(&self, disk: &Disk) -> usize {
        lock(&self.0)
            .iter()
            .filter(|(ticket, _)| !disk.is_synced(*ticket))
            .map(|(_, records)| records)
            .sum()
    }
}

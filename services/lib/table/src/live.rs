//! The table in force, to be replaced while it is used.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use crate::Table;

/// A handle to the table in force. Clones share it.
#[derive(Clone, Debug)]
pub struct LiveTable {
    current: Arc<ArcSwap<Table>>,
    /// Tables that were replaced and that somebody still holds. Freeing a large one takes milliseconds, which whoever decides
    /// must not pay only because it was the last to hold it.
    retired: Arc<Mutex<Vec<Arc<Table>>>>,
}

impl LiveTable {
    /// Puts `table` in force.
    pub fn new(table: Table) -> Self {
        Self {
            current: Arc::new(ArcSwap::from_pointee(table)),
            retired: Arc::default(),
        }
    }

    /// The table in force now. Take one for each batch; the one taken stays as it is, whatever comes after.
    pub fn snapshot(&self) -> Arc<Table> {
        self.current.load_full()
    }

    /// Puts `table` in force for every snapshot from now on, and gives back the one before. What it replaces is freed by
    /// [`LiveTable::sweep`], also by that of the next replacement.
    pub fn replace(&self, table: Table) -> Arc<Table> {
        self.sweep();
        let before = self.current.swap(Arc::new(table));
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        retired.push(Arc::clone(&before));
        before
    }

    /// Frees the replaced tables that no snapshot holds any more, and returns how many are still held.
    pub fn sweep(&self) -> usize {
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        retired.retain(|table| Arc::strong_count(table) > 1);
        retired.len()
    }
}

#[cfg(test)]
mod tests;

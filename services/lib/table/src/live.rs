//! The table in force, to be replaced while it is used.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::Table;

/// A handle to the table in force. Clones share it.
#[derive(Clone, Debug)]
pub struct LiveTable(Arc<ArcSwap<Table>>);

impl LiveTable {
    /// Puts `table` in force.
    pub fn new(table: Table) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(table)))
    }

    /// The table in force now. Take one for each batch; the one taken stays as it is, whatever comes after.
    pub fn snapshot(&self) -> Arc<Table> {
        self.0.load_full()
    }

    /// Puts `table` in force for every snapshot from now on, and gives back the one before.
    pub fn replace(&self, table: Table) -> Arc<Table> {
        self.0.swap(Arc::new(table))
    }
}

#[cfg(test)]
mod tests;

//! Which fetched batches are done, so that each is acked once everything before it in its partition is done too.

use std::collections::{BTreeMap, VecDeque};

use bus::{Delivered, PartitionId};

/// Names a batch in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct BatchId(u64);

/// Open batches of one subscription.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    next: u64,
    open: BTreeMap<BatchId, Open>,
    order: BTreeMap<PartitionId, VecDeque<BatchId>>,
    records: usize,
}

#[derive(Debug)]
struct Open {
    delivered: Delivered,
    left: usize,
}

impl Ledger {
    /// Enters a batch of `records`.
    pub(crate) fn open(&mut self, delivered: Delivered, records: usize) -> BatchId {
        let id = BatchId(self.next);
        self.next += 1;
        self.order.entry(delivered.partition).or_default().push_back(id);
        self.open.insert(
            id,
            Open {
                delivered,
                left: records,
            },
        );
        self.records += records;
        id
    }

    /// One record of `id` is done.
    pub(crate) fn done(&mut self, id: BatchId) {
        let batch = self
            .open
            .get_mut(&id)
            .expect("a batch stays open until its last record is done");
        batch.left = batch.left.checked_sub(1).expect("each record is done once");
        self.records -= 1;
    }

    /// Batches that may be acked now, the last of each partition's finished prefix; they leave the ledger.
    pub(crate) fn take_finished(&mut self) -> Vec<Delivered> {
        let mut finished = Vec::new();
        for queue in self.order.values_mut() {
            let mut last = None;
            while let Some(id) = queue.front()
                && self.open.get(id).is_some_and(|batch| batch.left == 0)
            {
                last = self.open.remove(id);
                queue.pop_front();
            }
            finished.extend(last.map(|batch| batch.delivered));
        }
        finished
    }

    /// Records not done yet.
    pub(crate) fn records_open(&self) -> usize {
        self.records
    }
}

#[cfg(test)]
mod tests;

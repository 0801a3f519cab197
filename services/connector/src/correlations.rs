//! What the carriers' ids of the latest parts stand for, so that most receipts need no look into the store.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use journey::Correlation;

/// Ids kept for one link; the oldest go first, and their receipts ask the store. About 200 octets each.
const KEPT_MAX: usize = 100_000;

/// A bounded memory of one link.
#[derive(Debug, Default)]
pub(crate) struct Correlations {
    known: HashMap<Arc<str>, Correlation>,
    order: VecDeque<Arc<str>>,
}

impl Correlations {
    /// Remembers what `remote_id` stands for.
    pub(crate) fn insert(&mut self, remote_id: &str, correlation: Correlation) {
        let id: Arc<str> = remote_id.into();
        self.known.insert(Arc::clone(&id), correlation);
        self.order.push_back(id);
        if self.order.len() > KEPT_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    /// What `remote_id` stands for. After a final receipt it is forgotten: another one about it is rare, and asks the store.
    pub(crate) fn look(&mut self, remote_id: &str, is_final: bool) -> Option<Correlation> {
        if is_final {
            self.known.remove(remote_id)
        } else {
            self.known.get(remote_id).cloned()
        }
    }
}

#[cfg(test)]
mod tests;

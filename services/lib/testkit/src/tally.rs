//! What a run asked of log and store, counted: records by topic, operations and calls by what they touched.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use bus::Topic;
use store::Key;

use crate::budget::BESIDE;

/// Counts calls. Clones are one count.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally(Arc<Mutex<Counts>>);

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Records by the first word of their topic.
    pub(crate) records: BTreeMap<String, usize>,
    /// Store operations, reads included, by the first word of their key.
    pub(crate) operations: BTreeMap<String, usize>,
    /// Calls by the first words of the keys they touched.
    pub(crate) calls: BTreeMap<String, usize>,
}

impl Tally {
    pub(crate) fn published(&self, topic: &Topic, records: usize) {
        let name = topic.as_str().trim_start_matches("signalbox.");
        let word = name.split('.').next().unwrap_or_default().to_owned();
        *self.counts().records.entry(word).or_insert(0) += records;
    }

    /// One call that touches `keys`.
    pub(crate) fn applied<'a>(&self, keys: impl Iterator<Item = &'a Key>) {
        let mut counts = self.counts();
        let mut words = BTreeSet::new();
        for key in keys {
            let word = key.0.split(|octet| *octet == b'/').next().unwrap_or_default();
            let word = String::from_utf8_lossy(word).into_owned();
            *counts.operations.entry(word.clone()).or_insert(0) += 1;
            words.insert(word);
        }
        let words: Vec<_> = words.into_iter().collect();
        *counts.calls.entry(words.join(BESIDE)).or_insert(0) += 1;
    }

    pub(crate) fn counted(&self) -> Counts {
        self.counts().clone()
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! What a run asked of log and store, counted: records by topic, operations and calls by what they touched, and the octets of both.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use bus::{Record, Topic};
use store::{Key, Op};

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
    /// Octets of records by the first word of their topic, and of keys and values that were written by that of their key.
    pub(crate) octets: BTreeMap<String, usize>,
}

impl Tally {
    pub(crate) fn published(&self, topic: &Topic, records: &[Record]) {
        let name = topic.as_str().trim_start_matches("signalbox.");
        let word = name.split('.').next().unwrap_or_default();
        let octets: usize = records.iter().map(|record| record.value.len()).sum();
        let mut counts = self.counts();
        *counts.records.entry(word.to_owned()).or_insert(0) += records.len();
        *counts.octets.entry(word.to_owned()).or_insert(0) += octets;
    }

    /// What `ops` write, whether they come to pass or not.
    pub(crate) fn written(&self, ops: &[Op]) {
        let mut counts = self.counts();
        for op in ops {
            let (key, value) = match op {
                Op::Claim { key, owner, .. } => (key, owner),
                Op::Put { key, value, .. }
                | Op::Swap {
                    key,
                    value: Some(value),
                    ..
                } => (key, value),
                Op::Swap { value: None, .. } | Op::Remove { .. } => continue,
            };
            *counts.octets.entry(word_of(key)).or_insert(0) += key.0.len() + value.len();
        }
    }

    /// One call that touches `keys`.
    pub(crate) fn applied<'a>(&self, keys: impl Iterator<Item = &'a Key>) {
        let mut counts = self.counts();
        let mut words = BTreeSet::new();
        for key in keys {
            let word = word_of(key);
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

/// The kind of `key`.
fn word_of(key: &Key) -> String {
    let word = key.0.split(|octet| *octet == b'/').next().unwrap_or_default();
    String::from_utf8_lossy(word).into_owned()
}

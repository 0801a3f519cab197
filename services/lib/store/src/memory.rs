//! The store in memory: for tests and simulation. Writes are safe at once, for as long as the process lives.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard},
};

use futures::{FutureExt, future::BoxFuture};

use crate::{
    Applied, Clock, Commit, Due, DueEntry, Key, Op, Store, StoreError, Versioned, limit,
    step::{Change, Entry, step},
};

/// A store that lives as long as the process. Cheap to clone; clones are the same store.
#[derive(Clone)]
pub struct MemoryStore {
    clock: Clock,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    entries: BTreeMap<Key, Entry>,
    due: BTreeSet<(Due, Key)>,
    expiry: BTreeSet<(u64, Key)>,
    version: u64,
    epoch: u64,
}

impl MemoryStore {
    /// An empty store; `clock` says the time in milliseconds since the epoch.
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            state: Arc::default(),
        }
    }

    /// Forgets everything and starts a new epoch, as a lost disk would.
    pub fn lose(&self) {
        let mut state = self.state.lock().expect("no holder panics");
        *state = State {
            epoch: state.epoch + 1,
            version: state.version,
            ..State::default()
        };
    }

    /// The state without what has expired by now.
    fn fresh(&self) -> MutexGuard<'_, State> {
        let now_ms = (self.clock)();
        let mut state = self.state.lock().expect("no holder panics");
        state.purge(now_ms);
        state
    }
}

impl State {
    fn purge(&mut self, now_ms: u64) {
        while let Some((expires_at_ms, _)) = self.expiry.first()
            && *expires_at_ms <= now_ms
        {
            let (_, key) = self.expiry.pop_first().expect("it was just looked at");
            self.remove(&key);
        }
    }

    fn apply(&mut self, op: Op) -> Applied {
        let key = op.key().clone();
        self.version += 1;
        let (applied, change) = step(op, self.entries.get(&key), self.version);
        match change {
            Change::Keep => {}
            Change::Remove => self.remove(&key),
            Change::Write(entry) => {
                self.remove(&key);
                self.due.extend(entry.due.map(|due| (due, key.clone())));
                self.expiry.insert((entry.expires_at_ms, key.clone()));
                self.entries.insert(key, entry);
            }
        }
        applied
    }

    fn remove(&mut self, key: &Key) {
        if let Some(entry) = self.entries.remove(key) {
            self.expiry.remove(&(entry.expires_at_ms, key.clone()));
            if let Some(due) = entry.due {
                self.due.remove(&(due, key.clone()));
            }
        }
    }

    fn due(&self, partition: u32, second: u64, max: usize) -> Vec<DueEntry> {
        let first = (Due { partition, second: 0 }, Key::default());
        let within = |(due, _): &&(Due, Key)| due.partition == partition && due.second <= second;
        let found = self.due.range(first..).take_while(within).take(max);
        found
            .map(|(due, key)| DueEntry {
                key: key.clone(),
                second: due.second,
            })
            .collect()
    }

    fn scan(&self, prefix: &str, after: Option<&Key>, max: usize) -> Vec<(Key, Versioned)> {
        let prefix = Key(bytes::Bytes::copy_from_slice(prefix.as_bytes()));
        let start = match after {
            Some(after) if *after >= prefix => Bound::Excluded(after.clone()),
            _ => Bound::Included(prefix.clone()),
        };
        let found = self
            .entries
            .range((start, Bound::Unbounded))
            .take_while(|(key, _)| key.0.starts_with(&prefix.0));
        found
            .take(max)
            .map(|(key, entry)| (key.clone(), entry.versioned()))
            .collect()
    }
}

impl Store for MemoryStore {
    fn apply(&self, ops: Vec<Op>) -> BoxFuture<'_, Result<(Vec<Applied>, Commit), StoreError>> {
        async move {
            limit::check(&ops)?;
            let mut state = self.fresh();
            let applied = ops.into_iter().map(|op| state.apply(op)).collect();
            Ok((applied, std::future::ready(Ok(())).boxed()))
        }
        .boxed()
    }

    fn get(&self, keys: Vec<Key>) -> BoxFuture<'_, Result<Vec<Option<Versioned>>, StoreError>> {
        async move {
            let state = self.fresh();
            Ok(keys
                .iter()
                .map(|key| state.entries.get(key).map(Entry::versioned))
                .collect())
        }
        .boxed()
    }

    fn due(&self, partition: u32, second: u64, max: usize) -> BoxFuture<'_, Result<Vec<DueEntry>, StoreError>> {
        async move { Ok(self.fresh().due(partition, second, max)) }.boxed()
    }

    fn scan<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a Key>,
        max: usize,
    ) -> BoxFuture<'a, Result<Vec<(Key, Versioned)>, StoreError>> {
        async move { Ok(self.fresh().scan(prefix, after, max)) }.boxed()
    }

    fn epoch(&self) -> BoxFuture<'_, Result<String, StoreError>> {
        async move { Ok(format!("memory-{}", self.fresh().epoch)) }.boxed()
    }
}

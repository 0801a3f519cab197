//! The store in memory: for tests and simulation. Writes are safe at once, for as long as the process lives.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use futures::{FutureExt, future::BoxFuture};

use crate::{
    Applied, Clock, Commit, Due, DueEntry, Epoch, Key, Op, Rebuild, Store, StoreError, Versioned, limit,
    step::{Change, Entry, step},
};

/// How long a rebuilder that does nothing keeps others from beginning.
const REBUILDER_KEPT_MS: u64 = 5_000;

/// A store that lives as long as the process. Cheap to clone; clones are the same store and adopt epochs together.
#[derive(Clone)]
pub struct MemoryStore {
    clock: Clock,
    state: Arc<Mutex<State>>,
    access: Access,
}

/// As whom a handle comes.
#[derive(Clone)]
enum Access {
    /// Under the epoch with this number.
    Epoch(Arc<AtomicU64>),
    /// As the rebuilder with this number.
    Rebuilder(u64),
}

/// One who rebuilds.
struct Rebuilder(MemoryStore);

#[derive(Clone, Default)]
struct State {
    entries: BTreeMap<Key, Entry>,
    due: BTreeSet<(Due, Key)>,
    expiry: BTreeSet<(u64, Key)>,
    version: u64,
    /// The last epoch that began; is it over, the store is lost.
    epoch: u64,
    epoch_began_at_ms: u64,
    is_lost: bool,
    /// Number of the last one who began to rebuild, and until when it keeps others away.
    rebuilder: (u64, u64),
}

impl MemoryStore {
    /// An empty store; `clock` says the time in milliseconds since the epoch.
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            state: Arc::default(),
            access: Access::Epoch(Arc::default()),
        }
    }

    /// The same store as another process sees it: it adopts epochs by itself.
    pub fn handle(&self) -> Self {
        let epoch = self.state.lock().expect("no holder panics").epoch;
        Self {
            access: Access::Epoch(Arc::new(AtomicU64::new(epoch))),
            ..self.clone()
        }
    }

    /// A copy as it stands now, as a replica has it that is left behind.
    pub fn replica(&self) -> Self {
        let state = self.state.lock().expect("no holder panics").clone();
        Self {
            clock: Arc::clone(&self.clock),
            access: Access::Epoch(Arc::new(AtomicU64::new(state.epoch))),
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Forgets everything, as a lost disk would: the store is `Lost` until somebody has rebuilt it.
    pub fn lose(&self) {
        let mut state = self.state.lock().expect("no holder panics");
        *state = State {
            epoch: state.epoch,
            version: state.version,
            // What somebody rebuilt so far is gone too.
            rebuilder: (state.rebuilder.0 + 1, 0),
            is_lost: true,
            ..State::default()
        };
    }

    /// The state without what has expired by now, if this handle may touch it.
    fn fresh(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        let now_ms = (self.clock)();
        let mut state = self.state.lock().expect("no holder panics");
        match &self.access {
            Access::Epoch(epoch) if state.is_lost || epoch.load(Ordering::Relaxed) != state.epoch => {
                return Err(StoreError::Lost);
            }
            Access::Rebuilder(number) if !state.is_lost || state.rebuilder.0 != *number => {
                return Err(StoreError::Lost);
            }
            Access::Rebuilder(_) => state.rebuilder.1 = now_ms + REBUILDER_KEPT_MS,
            Access::Epoch(_) => {}
        }
        state.purge(now_ms);
        Ok(state)
    }
}

impl Rebuild for Rebuilder {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.0.clone())
    }

    fn finish(self: Box<Self>) -> BoxFuture<'static, Result<Epoch, StoreError>> {
        async move {
            let mut state = self.0.fresh()?;
            state.is_lost = false;
            state.epoch += 1;
            state.epoch_began_at_ms = (self.0.clock)();
            Ok(state.epoch())
        }
        .boxed()
    }
}

impl State {
    fn epoch(&self) -> Epoch {
        Epoch::of_word(format!("{:x}-{}", self.epoch_began_at_ms, self.epoch))
    }

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
            let mut state = self.fresh()?;
            let applied = ops.into_iter().map(|op| state.apply(op)).collect();
            Ok((applied, Commit::done()))
        }
        .boxed()
    }

    fn get(&self, keys: Vec<Key>) -> BoxFuture<'_, Result<Vec<Option<Versioned>>, StoreError>> {
        async move {
            let state = self.fresh()?;
            Ok(keys
                .iter()
                .map(|key| state.entries.get(key).map(Entry::versioned))
                .collect())
        }
        .boxed()
    }

    fn due(&self, partition: u32, second: u64, max: usize) -> BoxFuture<'_, Result<Vec<DueEntry>, StoreError>> {
        async move { Ok(self.fresh()?.due(partition, second, max)) }.boxed()
    }

    fn scan<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a Key>,
        max: usize,
    ) -> BoxFuture<'a, Result<Vec<(Key, Versioned)>, StoreError>> {
        async move { Ok(self.fresh()?.scan(prefix, after, max)) }.boxed()
    }

    fn epoch(&self) -> BoxFuture<'_, Result<Epoch, StoreError>> {
        let state = self.state.lock().expect("no holder panics");
        let epoch = if state.is_lost {
            Err(StoreError::Lost)
        } else {
            Ok(state.epoch())
        };
        std::future::ready(epoch).boxed()
    }

    fn adopt(&self, epoch: &Epoch) {
        let number = epoch.word.split('-').nth(1).and_then(|number| number.parse().ok());
        if let (Access::Epoch(adopted), Some(number)) = (&self.access, number) {
            adopted.store(number, Ordering::Relaxed);
        }
    }

    fn rebuild(&self) -> BoxFuture<'_, Result<Option<Box<dyn Rebuild>>, StoreError>> {
        let now_ms = (self.clock)();
        let mut state = self.state.lock().expect("no holder panics");
        if !state.is_lost || state.rebuilder.1 > now_ms {
            return std::future::ready(Ok(None)).boxed();
        }
        state.rebuilder = (state.rebuilder.0 + 1, now_ms + REBUILDER_KEPT_MS);
        let rebuilder: Box<dyn Rebuild> = Box::new(Rebuilder(Self {
            access: Access::Rebuilder(state.rebuilder.0),
            ..self.clone()
        }));
        std::future::ready(Ok(Some(rebuilder))).boxed()
    }
}

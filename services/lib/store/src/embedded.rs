//! The store on the disk of this machine, in one database and under one log with the bus. A commit resolves after the sync
//! that covers it; everybody sees a write before that.

mod due;
mod entry;
mod locks;
mod values;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use disk::{Batch, Disk, DiskError, Layout, Ticket};
use futures::{FutureExt, future::BoxFuture};

use self::{
    due::DueIndex,
    locks::Locks,
    values::{Found, Values},
};
use crate::{
    Applied, Clock, Commit, DueEntry, Epoch, Key, Op, Rebuild, Store, StoreError, Versioned, limit,
    step::{Change, Entry, step},
};

/// Most operations of one write. Keys are locked for as long as it takes, and the log with them: a password's one operation waits
/// for these at the most, and not for all those of a campaign's batch.
const WRITE_OPS_MAX: usize = 16;

const META: &str = "store.meta";
const EPOCH: &[u8] = b"epoch";
const OPENINGS: &[u8] = b"openings";

/// A store on disk. Cheap to clone; clones are the same store. The disk stays open until the last clone is dropped.
#[derive(Clone)]
pub struct EmbeddedStore {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Clock,
    disk: Arc<Disk>,
    values: Values,
    due: DueIndex,
    locks: Locks,
    /// The last version given out. Begins above all of earlier openings.
    version: AtomicU64,
    epoch: Epoch,
}

impl EmbeddedStore {
    /// The store on `disk`; `clock` says the time in milliseconds since the epoch.
    ///
    /// # Errors
    /// The disk is away.
    pub fn open(disk: Arc<Disk>, clock: Clock) -> Result<Self, StoreError> {
        let meta = disk.space(META, Layout::Small)?;
        let openings = meta.get(OPENINGS)?.and_then(|value| entry::number(&value)).unwrap_or(0) + 1;
        let mut batch = disk.batch();
        batch.put(&meta, OPENINGS, openings.to_be_bytes().to_vec());
        let epoch = match meta.get(EPOCH)? {
            Some(epoch) => Epoch::of_word(String::from_utf8_lossy(&epoch).into_owned()),
            None => {
                // An empty directory in place of a lost one must not look the same, and is not opened in the same instant.
                let epoch = Epoch::of_word(format!("{:x}-{:x}", clock(), std::process::id()));
                batch.put(&meta, EPOCH, epoch.word.clone().into_bytes());
                epoch
            }
        };
        let ticket = disk.write(batch)?;
        // Before anything is written, so that no version is given out twice, not even one that a crash took.
        futures::executor::block_on(disk.synced(ticket))?;
        let (values, due) = (Values::open(disk.clone())?, DueIndex::open(&disk)?);
        let (locks, version) = (Locks::default(), AtomicU64::new(openings << 40));
        Ok(Self {
            inner: Arc::new(Inner {
                clock,
                disk,
                values,
                due,
                locks,
                version,
                epoch,
            }),
        })
    }
}

impl Inner {
    fn now_ms(&self) -> u64 {
        let now_ms = (self.clock)();
        self.disk.expire(now_ms);
        now_ms
    }

    /// Applies `ops`, a few at a time, and gives the ticket of the last of them.
    fn apply(&self, ops: Vec<Op>) -> Result<(Vec<Applied>, Ticket), DiskError> {
        let mut applied = Vec::with_capacity(ops.len());
        let mut ops = ops.into_iter();
        loop {
            let (few, ticket) = self.write(ops.by_ref().take(WRITE_OPS_MAX).collect())?;
            applied.extend(few);
            if ops.len() == 0 {
                return Ok((applied, ticket));
            }
        }
    }

    /// Applies `ops` as one write, with all their keys locked.
    fn write(&self, ops: Vec<Op>) -> Result<(Vec<Applied>, Ticket), DiskError> {
        let now_ms = self.now_ms();
        let held = self.locks.lock(ops.iter().map(Op::key));
        let mut call = Call {
            store: self,
            now_ms,
            batch: self.disk.batch(),
            changed: HashMap::with_capacity(ops.len()),
            due: Vec::new(),
        };
        let applied = ops.into_iter().map(|op| call.apply(op)).collect::<Result<_, _>>()?;
        let Call { batch, due, .. } = call;
        let ticket = self.disk.write(batch)?;
        self.due.added(due);
        drop(held);
        Ok((applied, ticket))
    }

    fn get(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, DiskError> {
        let now_ms = self.now_ms();
        let fresh = |entry: Entry| (!entry.is_expired(now_ms)).then(|| entry.versioned());
        keys.iter()
            .map(|key| Ok(self.values.get(key)?.map(|found| found.entry).and_then(fresh)))
            .collect()
    }

    fn scan(&self, prefix: &str, after: Option<&Key>, max: usize) -> Result<Vec<(Key, Versioned)>, DiskError> {
        let found = self.values.scan(prefix.as_bytes(), after, max, self.now_ms())?;
        Ok(found
            .into_iter()
            .map(|(key, entry)| (Key(key), entry.versioned()))
            .collect())
    }
}

/// One call in the making.
struct Call<'a> {
    store: &'a Inner,
    now_ms: u64,
    batch: Batch,
    /// Keys this call has changed; later operations of the call see them so.
    changed: HashMap<Key, Option<Found>>,
    /// Places in the due index that were added.
    due: Vec<crate::Due>,
}

impl Call<'_> {
    fn apply(&mut self, op: Op) -> Result<Applied, DiskError> {
        let key = op.key().clone();
        let there = match self.changed.get(&key) {
            Some(changed) => changed.clone(),
            None => self.store.values.get(&key)?,
        };
        let (entry, shelf) = there.map(|found| (found.entry, found.shelf)).unzip();
        let fresh = entry.as_ref().filter(|entry| !entry.is_expired(self.now_ms));
        let version = self.store.version.fetch_add(1, Ordering::Relaxed) + 1;
        let (applied, change) = step(op, fresh, version);
        match change {
            Change::Keep => {}
            Change::Remove => {
                self.move_due(&key, entry.as_ref(), None);
                if let Some(shelf) = shelf {
                    self.batch.remove(&shelf, key.0.clone());
                }
                self.changed.insert(key, None);
            }
            Change::Write(new) => {
                self.move_due(&key, entry.as_ref(), Some(&new));
                let found = self.store.values.put(&mut self.batch, &key, new, shelf, self.now_ms)?;
                self.changed.insert(key, Some(found));
            }
        }
        Ok(applied)
    }

    /// Moves the due entry of `key` along with its value; what was there may have expired and still be in the index.
    fn move_due(&mut self, key: &Key, from: Option<&Entry>, to: Option<&Entry>) {
        let (old, new) = (from.and_then(|entry| entry.due), to.and_then(|entry| entry.due));
        if let Some(old) = old.filter(|old| Some(*old) != new) {
            self.store.due.remove(&mut self.batch, old, key);
        }
        if let Some((new, entry)) = new.zip(to) {
            self.store.due.put(&mut self.batch, new, key, entry.expires_at_ms);
            self.due.push(new);
        }
    }
}

impl Store for EmbeddedStore {
    fn apply(&self, ops: Vec<Op>) -> BoxFuture<'_, Result<(Vec<Applied>, Commit), StoreError>> {
        async move {
            limit::check(&ops)?;
            self.inner.disk.room().await?;
            let (applied, ticket) = self.inner.apply(ops)?;
            // A later write is safe no sooner than those before it.
            Ok((applied, self.inner.disk.commit(ticket)))
        }
        .boxed()
    }

    fn get(&self, keys: Vec<Key>) -> BoxFuture<'_, Result<Vec<Option<Versioned>>, StoreError>> {
        async move { Ok(self.inner.get(&keys)?) }.boxed()
    }

    fn due(&self, partition: u32, second: u64, max: usize) -> BoxFuture<'_, Result<Vec<DueEntry>, StoreError>> {
        async move { Ok(self.inner.due.find(partition, second, max, self.inner.now_ms())?) }.boxed()
    }

    fn scan<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a Key>,
        max: usize,
    ) -> BoxFuture<'a, Result<Vec<(Key, Versioned)>, StoreError>> {
        async move { Ok(self.inner.scan(prefix, after, max)?) }.boxed()
    }

    fn epoch(&self) -> BoxFuture<'_, Result<Epoch, StoreError>> {
        std::future::ready(Ok(self.inner.epoch.clone())).boxed()
    }

    /// Log and state are one database: what loses one loses both, and there is nothing to go on from.
    fn adopt(&self, _epoch: &Epoch) {}

    fn rebuild(&self) -> BoxFuture<'_, Result<Option<Box<dyn Rebuild>>, StoreError>> {
        std::future::ready(Ok(None)).boxed()
    }
}

impl From<DiskError> for StoreError {
    fn from(error: DiskError) -> Self {
        Self::Away(error.to_string())
    }
}

/// The octets of a due index entry's value: when it expires.
fn expiry(expires_at_ms: u64) -> Bytes {
    Bytes::copy_from_slice(&expires_at_ms.to_be_bytes())
}

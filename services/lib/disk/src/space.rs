//! Spaces of keys in order, and batches that write to several of them at once.

use std::{
    ops::RangeBounds,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use fjall::{Keyspace, UserKey, UserValue};

use crate::DiskError;

/// What an entry costs in memory beside its key and value.
const ENTRY_OCTETS: u64 = 64;

/// A space of keys in octet order. Cheap to clone; clones are equal.
#[derive(Clone)]
pub struct Space {
    keyspace: Keyspace,
    memory: Arc<Memory>,
}

/// What a space holds in memory.
struct Memory {
    octets: AtomicU64,
    octets_max: u64,
}

/// Writes that take effect together.
pub struct Batch {
    writes: fjall::OwnedWriteBatch,
    octets: u64,
    /// Spaces that this batch fills up.
    full: Vec<Space>,
}

impl Space {
    pub(crate) fn new(keyspace: Keyspace, octets_max: u64) -> Self {
        Self {
            keyspace,
            memory: Arc::new(Memory {
                octets: AtomicU64::new(0),
                octets_max,
            }),
        }
    }

    pub(crate) fn keyspace(&self) -> &Keyspace {
        &self.keyspace
    }

    /// The value of `key`, `None` if there is none. Looks in memory first; allocates only if it has to read the disk.
    ///
    /// # Errors
    /// The disk is away.
    pub fn get(&self, key: &[u8]) -> Result<Option<Bytes>, DiskError> {
        Ok(self.keyspace.get(key)?.map(Bytes::from))
    }

    /// Lets what is in memory be written out to a table. Done by itself whenever enough has gathered; of use for a space that
    /// will not be written to for a while. Returns before it is done; nothing is lost either way.
    ///
    /// # Errors
    /// The disk is away.
    pub fn flush(&self) -> Result<(), DiskError> {
        self.memory.octets.store(0, Ordering::Relaxed);
        Ok(self.keyspace.rotate_memtable().map(|_| ())?)
    }

    /// Keys and values within `range`, in order, from either end; as of this call.
    pub fn range<K: AsRef<[u8]>>(
        &self,
        range: impl RangeBounds<K>,
    ) -> impl DoubleEndedIterator<Item = Result<(Bytes, Bytes), DiskError>> {
        self.keyspace.range(range).map(|guard| {
            let (key, value) = guard.into_inner()?;
            Ok((Bytes::from(key), Bytes::from(value)))
        })
    }

    /// Counts octets that are about to be written; true if they are the ones that fill it up.
    fn fill(&self, octets: u64) -> bool {
        let octets = octets + ENTRY_OCTETS;
        let before = self.memory.octets.fetch_add(octets, Ordering::Relaxed);
        before < self.memory.octets_max && before + octets >= self.memory.octets_max
    }
}

impl PartialEq for Space {
    fn eq(&self, other: &Self) -> bool {
        self.keyspace == other.keyspace
    }
}

impl Eq for Space {}

impl std::fmt::Debug for Space {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Space").field(&&**self.keyspace.name()).finish()
    }
}

impl Batch {
    pub(crate) fn new(writes: fjall::OwnedWriteBatch) -> Self {
        Self {
            writes,
            octets: 0,
            full: Vec::new(),
        }
    }

    /// Sets `key` to `value`; neither is copied.
    pub fn put(&mut self, space: &Space, key: impl Into<Bytes>, value: impl Into<Bytes>) {
        let (key, value) = (key.into(), value.into());
        self.count(space, key.len() + value.len());
        self.writes
            .insert(&space.keyspace, UserKey::from(key), UserValue::from(value));
    }

    /// Removes `key`, if there.
    pub fn remove(&mut self, space: &Space, key: impl Into<Bytes>) {
        let key = key.into();
        self.count(space, key.len());
        self.writes.remove(&space.keyspace, UserKey::from(key));
    }

    /// Octets of all keys and values so far.
    pub fn octets(&self) -> u64 {
        self.octets
    }

    fn count(&mut self, space: &Space, octets: usize) {
        self.octets += octets as u64;
        if space.fill(octets as u64) {
            self.full.push(space.clone());
        }
    }

    /// Writes, and gives the spaces that are full now and must be flushed. The database would do so by itself, but sends its
    /// one worker a message with every write until it has, which stops for good once these messages fill their queue.
    pub(crate) fn commit(self) -> Result<Vec<Space>, DiskError> {
        self.writes.commit()?;
        Ok(self.full)
    }
}

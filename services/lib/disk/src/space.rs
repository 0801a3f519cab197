//! Spaces of keys in order, and batches that write to several of them at once.

use std::ops::RangeBounds;

use bytes::Bytes;
use fjall::{Keyspace, UserKey, UserValue};

use crate::DiskError;

/// A space of keys in octet order. Cheap to clone; clones are equal.
#[derive(Clone, PartialEq, Eq)]
pub struct Space(Keyspace);

/// Writes that take effect together.
pub struct Batch {
    writes: fjall::OwnedWriteBatch,
    octets: u64,
}

impl Space {
    pub(crate) fn new(keyspace: Keyspace) -> Self {
        Self(keyspace)
    }

    pub(crate) fn into_keyspace(self) -> Keyspace {
        self.0
    }

    /// The value of `key`, `None` if there is none. Looks in memory first; allocates only if it has to read the disk.
    ///
    /// # Errors
    /// The disk is away.
    pub fn get(&self, key: &[u8]) -> Result<Option<Bytes>, DiskError> {
        Ok(self.0.get(key)?.map(Bytes::from))
    }

    /// Lets what is in memory be written out to a table, for a space that will not be written to for a while. Returns before
    /// that is done; nothing is lost either way.
    ///
    /// # Errors
    /// The disk is away.
    pub fn flush(&self) -> Result<(), DiskError> {
        Ok(self.0.rotate_memtable().map(|_| ())?)
    }

    /// Keys and values within `range`, in order, from either end; as of this call.
    pub fn range<K: AsRef<[u8]>>(
        &self,
        range: impl RangeBounds<K>,
    ) -> impl DoubleEndedIterator<Item = Result<(Bytes, Bytes), DiskError>> {
        self.0.range(range).map(|guard| {
            let (key, value) = guard.into_inner()?;
            Ok((Bytes::from(key), Bytes::from(value)))
        })
    }
}

impl std::fmt::Debug for Space {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Space").field(&&**self.0.name()).finish()
    }
}

impl Batch {
    pub(crate) fn new(writes: fjall::OwnedWriteBatch) -> Self {
        Self { writes, octets: 0 }
    }

    /// Sets `key` to `value`; neither is copied.
    pub fn put(&mut self, space: &Space, key: impl Into<Bytes>, value: impl Into<Bytes>) {
        let (key, value) = (key.into(), value.into());
        self.octets += (key.len() + value.len()) as u64;
        self.writes.insert(&space.0, UserKey::from(key), UserValue::from(value));
    }

    /// Removes `key`, if there.
    pub fn remove(&mut self, space: &Space, key: impl Into<Bytes>) {
        let key = key.into();
        self.octets += key.len() as u64;
        self.writes.remove(&space.0, UserKey::from(key));
    }

    /// Octets of all keys and values so far.
    pub fn octets(&self) -> u64 {
        self.octets
    }

    pub(crate) fn commit(self) -> Result<(), DiskError> {
        Ok(self.writes.commit()?)
    }
}

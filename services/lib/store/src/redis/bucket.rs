//! The eight buckets of a store in Redis, and the names of what is in them.
//!
//! Each bucket is one slot of a cluster, since its name stands in braces, so one script can see all of it. Eight are enough
//! to spread a store over as many servers, and few enough that a call is few scripts.

use crate::Key;

/// How many buckets there are. Changing it loses what is stored.
pub(super) const BUCKETS: usize = 8;

/// Length of what comes before the key in the name of a value; the scripts cut it off.
pub(super) const VALUE_PREFIX_OCTETS: usize = 18;

/// One bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bucket(pub(super) u8);

impl Bucket {
    /// The bucket with the lock of the one who rebuilds, which stands for all.
    pub(super) const LOCKED: Self = Self(0);

    /// All of them.
    pub(super) fn all() -> impl ExactSizeIterator<Item = Self> {
        (0..BUCKETS).map(|number| Self(number as u8))
    }

    /// Its place among all.
    pub(super) fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The bucket `key` is in: the FNV-1a hash of its octets, folded.
    pub(super) fn of(key: &Key) -> Self {
        let step = |hash: u64, octet: &u8| (hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3);
        let hash = key.0.iter().fold(0xcbf2_9ce4_8422_2325, step);
        let folded = hash ^ (hash >> 32);
        Self(((folded ^ (folded >> 16)) % BUCKETS as u64) as u8)
    }

    /// Name of the string that says which epoch the bucket is in.
    pub(super) fn epoch(self) -> String {
        self.named("epoch")
    }

    /// Name of the last version given out in the bucket.
    pub(super) fn version(self) -> String {
        self.named("version")
    }

    /// Name of the due index of the bucket.
    pub(super) fn due(self) -> String {
        self.named("due")
    }

    /// Name of the run of the server that the bucket was last written on.
    pub(super) fn run(self) -> String {
        self.named("run")
    }

    /// Name of the lock of the one who rebuilds.
    pub(super) fn lock() -> String {
        Self::LOCKED.named("rebuild")
    }

    /// What the names of all values of the bucket begin with.
    pub(super) fn values(self) -> String {
        self.named("v:")
    }

    fn named(self, what: &str) -> String {
        format!("signalbox:{{b{:02}}}:{what}", self.0)
    }
}

#[cfg(test)]
mod tests;

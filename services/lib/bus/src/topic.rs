//! Topics and partitions.

use std::{fmt, sync::Arc, time::Duration};

/// Name of a topic, such as `signalbox.accepted.urgent`. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic(Arc<str>);

/// One partition of a topic, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionId(pub u32);

/// How long a topic keeps its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// At least this long after publication, never by size.
    Time(Duration),
    /// The last record of each key, for good. One with an empty value takes its key off: who follows the topic sees it, and
    /// whoever reads it from the start later sees nothing of that key, or still the empty value.
    Compacted,
}

/// A topic as it shall be created.
#[derive(Clone, Debug)]
pub struct TopicSpec {
    /// Its name.
    pub topic: Topic,
    /// Its partitions, at least 1.
    pub partitions: u32,
    /// How long it keeps records.
    pub retention: Retention,
}

impl Topic {
    /// A topic called `name`; letters, digits, `.`, `_` and `-` up to 200 octets are understood by every backend.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartitionId {
    /// The partition that `key` belongs to, of `partitions`. Topics with equal counts put equal keys into equal partitions.
    pub const fn of(key: u64, partitions: u32) -> Self {
        // The upper bits are as good as the lower ones, since keys are hashes; multiply-shift avoids a division.
        Self(((key as u128 * partitions as u128) >> 64) as u32)
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

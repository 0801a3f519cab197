//! How a space is laid out, by what is kept in it.

use std::sync::Arc;

use fjall::{
    CompressionType, KeyspaceCreateOptions,
    compaction::Leveled,
    config::{BlockSizePolicy, CompressionPolicy, FilterPolicy},
};

/// Octets of a block of a segment: a fetch unpacks one of each table that it looks into.
const SEGMENT_BLOCK_OCTETS: u32 = 16 * 1024;
const MIB: u64 = 1024 * 1024;

/// Octets of a segment in memory before a table is written.
pub(crate) const SEGMENT_MEMORY_OCTETS: u64 = 16 * MIB;
/// Octets of a segment after which its owner should begin another: its tables are never merged, and a read looks into all.
pub const SEGMENT_OCTETS_MAX: u64 = 16 * SEGMENT_MEMORY_OCTETS;
/// Tables at which the database would merge; above what a segment reaches.
const SEGMENT_TABLES_MAX: u8 = 255;

const _: () = assert!(
    SEGMENT_OCTETS_MAX / SEGMENT_MEMORY_OCTETS < 20,
    "at 20 tables unmerged, the database slows writers"
);

/// What a space is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Written once, read in order, removed as a whole: never merged.
    Segment,
    /// Values that begin with the instant they expire, in milliseconds since the epoch as 8 octets, most significant first.
    /// Written often, looked up by key, dropped in passing once expired.
    Expiring,
    /// A few small values, overwritten often.
    Small,
}

impl Layout {
    /// The name in the database, which tells the layout.
    pub(crate) fn name(self, name: &str) -> String {
        format!("{}.{name}", self.prefix())
    }

    /// The name as its owner knows it, `None` if `name` has another layout.
    pub(crate) fn own_name(self, name: &str) -> Option<&str> {
        name.strip_prefix(self.prefix())?.strip_prefix('.')
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Segment => "segment",
            Self::Expiring => "expiring",
            Self::Small => "small",
        }
    }

    /// Octets in memory after which a table is written.
    pub(crate) fn memory_octets_max(self) -> u64 {
        match self {
            Self::Segment => SEGMENT_MEMORY_OCTETS,
            Self::Expiring => 16 * MIB,
            Self::Small => 4 * MIB,
        }
    }

    pub(crate) fn options(self) -> KeyspaceCreateOptions {
        let options = KeyspaceCreateOptions::default()
            // When to write a table is decided by `Space`.
            .max_memtable_size(u64::MAX)
            // Messages of a campaign repeat each other, and every octet of a table is one that a sync may wait behind.
            .data_block_compression_policy(CompressionPolicy::all(CompressionType::Lz4));
        match self {
            Self::Segment => options
                .data_block_size_policy(BlockSizePolicy::all(SEGMENT_BLOCK_OCTETS))
                // Looked up by range only.
                .filter_policy(FilterPolicy::disabled())
                .compaction_strategy(Arc::new(Leveled::default().with_l0_threshold(SEGMENT_TABLES_MAX))),
            Self::Expiring | Self::Small => options,
        }
    }
}

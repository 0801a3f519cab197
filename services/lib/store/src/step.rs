//! What one operation does to one key: a pure function that every backend in this process shares.

use bytes::Bytes;

use crate::{Applied, Due, Key, Op, Versioned};

/// What is kept under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) value: Bytes,
    pub(crate) version: u64,
    pub(crate) expires_at_ms: u64,
    pub(crate) due: Option<Due>,
}

/// What becomes of the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Keep,
    Write(Entry),
    Remove,
}

impl Entry {
    pub(crate) fn is_expired(&self, now_ms: u64) -> bool {
        self.expires_at_ms <= now_ms
    }

    pub(crate) fn versioned(&self) -> Versioned {
        Versioned {
            value: self.value.clone(),
            version: self.version,
        }
    }
}

impl Op {
    /// The key it is about.
    pub fn key(&self) -> &Key {
        match self {
            Self::Claim { key, .. } | Self::Put { key, .. } | Self::Swap { key, .. } | Self::Remove { key } => key,
        }
    }
}

/// Decides `op` over `there`, which must not be expired; `version` is what a write gets.
pub(crate) fn step(op: Op, there: Option<&Entry>, version: u64) -> (Applied, Change) {
    match op {
        Op::Claim {
            owner, expires_at_ms, ..
        } => claim(owner, expires_at_ms, there, version),
        Op::Put {
            value, expires_at_ms, ..
        } => (
            Applied::Written(version),
            Change::Write(Entry {
                value,
                version,
                expires_at_ms,
                due: None,
            }),
        ),
        Op::Swap { expected, .. } if expected != there.map(|entry| entry.version) => {
            (Applied::Conflict(there.map(Entry::versioned)), Change::Keep)
        }
        Op::Swap {
            value: Some(value),
            expires_at_ms,
            due,
            ..
        } => (
            Applied::Written(version),
            Change::Write(Entry {
                value,
                version,
                expires_at_ms,
                due,
            }),
        ),
        Op::Swap { value: None, .. } | Op::Remove { .. } => (
            Applied::Removed,
            if there.is_some() { Change::Remove } else { Change::Keep },
        ),
    }
}

fn claim(owner: Bytes, expires_at_ms: u64, there: Option<&Entry>, version: u64) -> (Applied, Change) {
    match there {
        Some(entry) if entry.value != owner => (
            Applied::Held {
                owner: entry.value.clone(),
            },
            Change::Keep,
        ),
        // A claim that would lapse no later than it does anyway costs no write.
        Some(entry) if entry.expires_at_ms >= expires_at_ms => (Applied::Reclaimed, Change::Keep),
        Some(entry) => (
            Applied::Reclaimed,
            Change::Write(Entry {
                value: owner,
                version,
                expires_at_ms,
                due: entry.due,
            }),
        ),
        None => (
            Applied::Claimed,
            Change::Write(Entry {
                value: owner,
                version,
                expires_at_ms,
                due: None,
            }),
        ),
    }
}

//! Operations and values in the form the scripts know them, and back.

use ::redis::{Cmd, Value, from_redis_value};
use bytes::Bytes;

use super::{
    bucket::{BUCKETS, Bucket, VALUE_PREFIX_OCTETS},
    fault,
    scripts::SCRIPTS,
};
use crate::{Applied, DueEntry, Key, Op, StoreError, Versioned};

/// One more than the last partition that a due entry can name.
const PARTITIONS_MAX: u64 = 1 << 20;
/// One more than the last second that a due entry can name: in the year 2242.
const SECONDS_MAX: u64 = 1 << 33;
const _: () = assert!(
    PARTITIONS_MAX * SECONDS_MAX <= 1 << 53,
    "a score is exact as a floating-point number"
);
/// The expiry of what never expires, as the scripts know it.
const NEVER_MS: u64 = (1 << 53) - 1;
/// Octets of version, expiry and due place before a value.
const HEADER_OCTETS: usize = 24;
/// Octets of the expiry after the key in the name of a due entry.
const EXPIRY_OCTETS: usize = 8;

/// What a handle says with every call.
pub(super) struct Caller<'a> {
    /// The epoch it is in.
    pub(super) word: &'a str,
    /// The time of its clock; expiries are counted from it.
    pub(super) now_ms: u64,
    /// The time that the store shall take for now, in decimal; empty = its own.
    pub(super) time: &'a str,
}

/// The operations of a call that fall into one bucket.
pub(super) struct Part {
    pub(super) bucket: Bucket,
    /// Their places in the call.
    pub(super) places: Vec<usize>,
    pub(super) command: Cmd,
}

/// Whether every due place of `ops` can be kept.
pub(super) fn check(ops: &[Op]) -> Result<(), StoreError> {
    for op in ops {
        let Op::Swap { due: Some(due), .. } = op else { continue };
        let limits = [
            (
                "partition of a due entry, at most one below the limit,",
                u64::from(due.partition),
                PARTITIONS_MAX,
            ),
            (
                "second of a due entry, at most one below the limit,",
                due.second,
                SECONDS_MAX,
            ),
        ];
        for (what, size, limit) in limits {
            if size >= limit {
                let (size, limit) = (size as usize, limit as usize);
                return Err(StoreError::TooLarge { what, size, limit });
            }
        }
    }
    Ok(())
}

/// `ops` as one script for each bucket.
pub(super) fn parts(ops: &[Op], caller: &Caller<'_>) -> Vec<Part> {
    let mut places: [Vec<usize>; BUCKETS] = Default::default();
    for (place, op) in ops.iter().enumerate() {
        places[Bucket::of(op.key()).index()].push(place);
    }
    Bucket::all()
        .zip(places)
        .filter(|(_, places)| !places.is_empty())
        .map(|(bucket, places)| Part {
            bucket,
            command: command(bucket, places.iter().map(|place| &ops[*place]), caller),
            places,
        })
        .collect()
}

fn command<'a>(bucket: Bucket, ops: impl ExactSizeIterator<Item = &'a Op> + Clone, caller: &Caller<'_>) -> Cmd {
    let octets = |op: &Op| 64 + op.key().0.len() + value(op).len();
    let mut command = Cmd::with_capacity(9 + 2 * ops.len(), 256 + ops.clone().map(octets).sum::<usize>());
    command.arg("EVALSHA").arg(SCRIPTS.apply.get_hash()).arg(3 + ops.len());
    command.arg(bucket.epoch()).arg(bucket.version()).arg(bucket.due());
    let mut name = bucket.values().into_bytes();
    let mut operations = Vec::with_capacity(25 * ops.len());
    for op in ops.clone() {
        name.truncate(VALUE_PREFIX_OCTETS);
        name.extend_from_slice(&op.key().0);
        command.arg(&name);
        pack(op, caller.now_ms, &mut operations);
    }
    command.arg(caller.word).arg(caller.time).arg(operations);
    for op in ops {
        command.arg(value(op));
    }
    command
}

fn value(op: &Op) -> &[u8] {
    match op {
        Op::Claim { owner: value, .. } | Op::Put { value, .. } => value,
        Op::Swap { value, .. } => value.as_deref().unwrap_or_default(),
        Op::Remove { .. } => &[],
    }
}

/// Kind, span, expected version and due place, as `apply.lua` unpacks them.
fn pack(op: &Op, now_ms: u64, into: &mut Vec<u8>) {
    let span = |expires_at_ms: u64| match expires_at_ms {
        NEVER_MS.. => NEVER_MS as f64,
        _ => expires_at_ms.saturating_sub(now_ms) as f64,
    };
    let (kind, span, expected, due) = match op {
        Op::Claim { expires_at_ms, .. } => (1, span(*expires_at_ms), None, None),
        Op::Put { expires_at_ms, .. } => (2, span(*expires_at_ms), None, None),
        Op::Swap {
            value: None, expected, ..
        } => (4, 0.0, *expected, None),
        Op::Swap {
            expected,
            expires_at_ms,
            due,
            ..
        } => (3, span(*expires_at_ms), *expected, *due),
        Op::Remove { .. } => (5, 0.0, None, None),
    };
    into.push(kind);
    into.extend(span.to_le_bytes());
    into.extend(expected.map_or(-1.0, |version| version as f64).to_le_bytes());
    into.extend(
        due.map_or(-1.0, |due| score(due.partition, due.second) as f64)
            .to_le_bytes(),
    );
}

/// Where a due entry stands in the index of its bucket.
pub(super) fn score(partition: u32, second: u64) -> u64 {
    u64::from(partition) * SECONDS_MAX + second.min(SECONDS_MAX - 1)
}

/// What `answer` of `apply.lua` says became of `op`.
pub(super) fn applied(op: &Op, answer: Value) -> Result<Applied, StoreError> {
    Ok(match (op, answer) {
        (Op::Claim { .. }, Value::Int(0)) => Applied::Claimed,
        (Op::Claim { .. }, Value::Int(1)) => Applied::Reclaimed,
        (Op::Claim { .. }, Value::BulkString(owner)) => Applied::Held { owner: owner.into() },
        (Op::Swap { value: None, .. } | Op::Remove { .. }, Value::Int(0)) => Applied::Removed,
        (Op::Put { .. } | Op::Swap { value: Some(_), .. }, Value::Int(version)) => Applied::Written(version as u64),
        (Op::Swap { .. }, Value::Nil) => Applied::Conflict(None),
        (Op::Swap { .. }, Value::BulkString(entry)) => Applied::Conflict(Some(Entry::of(entry)?.versioned)),
        _ => return Err(fault::unexpected("an operation")),
    })
}

/// A value as it is kept.
pub(super) struct Entry {
    pub(super) versioned: Versioned,
    pub(super) expires_at_ms: u64,
}

impl Entry {
    pub(super) fn of(octets: Vec<u8>) -> Result<Self, StoreError> {
        let number = |at: usize| -> Option<f64> { Some(f64::from_le_bytes(octets.get(at..at + 8)?.try_into().ok()?)) };
        let header = number(0).zip(number(8)).filter(|_| octets.len() >= HEADER_OCTETS);
        let (version, expires) = header.ok_or_else(|| fault::unexpected("a value"))?;
        Ok(Self {
            versioned: Versioned {
                value: Bytes::from(octets).slice(HEADER_OCTETS..),
                version: version as u64,
            },
            expires_at_ms: expires as u64,
        })
    }
}

/// The entries in an answer of `due.lua`, in its order.
pub(super) fn due_entries(answer: Value, partition: u32) -> Result<Vec<DueEntry>, StoreError> {
    let flat: Vec<Vec<u8>> = from_redis_value(answer).map_err(|_| fault::unexpected("a look at the due index"))?;
    let entry = |pair: &[Vec<u8>]| {
        let [name, score] = pair else { return None };
        let key = name.get(..name.len().checked_sub(EXPIRY_OCTETS)?)?;
        let score: f64 = std::str::from_utf8(score).ok()?.parse().ok()?;
        Some(DueEntry {
            key: Key(Bytes::copy_from_slice(key)),
            second: score as u64 - self::score(partition, 0),
        })
    };
    let entries: Option<_> = flat.chunks(2).map(entry).collect();
    entries.ok_or_else(|| fault::unexpected("a look at the due index"))
}

/// The milliseconds in an answer to TIME.
pub(super) fn time_ms(answer: Value) -> Result<u64, StoreError> {
    let (seconds, micros): (u64, u64) = from_redis_value(answer).map_err(|_| fault::unexpected("TIME"))?;
    Ok(seconds * 1_000 + micros / 1_000)
}

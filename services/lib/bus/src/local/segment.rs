//! One segment of the log on disk: chunks of all places, written for a while and dropped as a whole.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use disk::{Batch, Disk, DiskError, Layout, SEGMENT_OCTETS_MAX, Space};

use super::{
    chunk,
    durable::{Fetched, Place, key, place_of, position_of},
    lock,
};

pub(super) struct Segment {
    /// Rises from segment to segment.
    pub(super) number: u64,
    /// When it was begun, in milliseconds since the epoch.
    pub(super) began_ms: u64,
    pub(super) space: Space,
    octets: AtomicU64,
    /// First position of each place that has records here.
    first: Mutex<BTreeMap<Place, u64>>,
}

impl Segment {
    pub(super) fn create(disk: &Disk, prefix: &str, number: u64, began_ms: u64) -> Result<Self, DiskError> {
        // Digits are padded, so that the order of names is the order of segments.
        let space = disk.space(&format!("{prefix}.{number:012}.{began_ms:015}"), Layout::Segment)?;
        Ok(Self {
            number,
            began_ms,
            space,
            octets: AtomicU64::new(0),
            first: Mutex::default(),
        })
    }

    /// The segment called `name`; `None` if that is no segment's name, or if it is empty, which drops it.
    pub(super) fn open(disk: &Disk, name: &str) -> Result<Option<Self>, DiskError> {
        let mut parts = name.rsplit('.').map(|part| part.parse::<u64>().ok());
        let (Some(Some(began_ms)), Some(Some(number))) = (parts.next(), parts.next()) else {
            return Ok(None);
        };
        let space = disk.space(name, Layout::Segment)?;
        let first = first_positions(&space)?;
        if first.is_empty() {
            disk.drop_space(&space)?;
            return Ok(None);
        }
        Ok(Some(Self {
            number,
            began_ms,
            space,
            octets: AtomicU64::new(0),
            first: Mutex::new(first),
        }))
    }

    pub(super) fn is_full(&self) -> bool {
        self.octets.load(Ordering::Relaxed) >= SEGMENT_OCTETS_MAX
    }

    /// Adds a chunk that begins at `position` to `batch`.
    pub(super) fn put(&self, batch: &mut Batch, place: Place, position: u64, chunk: Bytes) {
        self.octets.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        lock(&self.first).entry(place).or_insert(position);
        batch.put(&self.space, key(place, position).to_vec(), chunk);
    }

    /// Says that nothing more will be written, so that it leaves memory.
    pub(super) fn finish(&self) -> Result<(), DiskError> {
        self.space.flush()
    }

    pub(super) fn first(&self, place: Place) -> Option<u64> {
        lock(&self.first).get(&place).copied()
    }

    /// First position of `place` here and the one after its last. Reads one chunk.
    pub(super) fn span(&self, place: Place) -> Result<Option<(u64, u64)>, DiskError> {
        let Some(first) = self.first(place) else {
            return Ok(None);
        };
        let last = self.space.range(key(place, first)..=key(place, u64::MAX)).next_back();
        let end = last
            .transpose()?
            .and_then(|(key, chunk)| Some(position_of(&key)? + chunk::count(&chunk)?));
        Ok(Some((first, end.unwrap_or(first))))
    }

    /// Position of the first chunk of `place` stored at or after `instant_ms`. Reads all chunks before it.
    pub(super) fn since(&self, place: Place, instant_ms: u64) -> Result<Option<u64>, DiskError> {
        if self.first(place).is_none() {
            return Ok(None);
        }
        for found in self.space.range(key(place, 0)..=key(place, u64::MAX)) {
            let (key, chunk) = found?;
            if chunk::instant_ms(&chunk).is_some_and(|stored_at_ms| stored_at_ms >= instant_ms) {
                return Ok(position_of(&key));
            }
        }
        Ok(None)
    }

    /// Adds to `fetched`; true when it has enough.
    pub(super) fn fetch(&self, place: Place, fetched: &mut Fetched) -> Result<bool, DiskError> {
        let Some(first) = self.first(place) else {
            return Ok(false);
        };
        let mut start = fetched.next;
        if first < fetched.next {
            // The chunk that begins before the place to go on from may reach beyond it.
            let before = self
                .space
                .range(key(place, first)..=key(place, fetched.next))
                .next_back()
                .transpose()?;
            start = before.and_then(|(key, _)| position_of(&key)).unwrap_or(start);
        }
        for found in self.space.range(key(place, start)..=key(place, u64::MAX)) {
            let (key, octets) = found?;
            let Some((base, records)) = position_of(&key).zip(chunk::decode(octets)) else {
                tracing::error!(
                    partition = place.partition,
                    "a chunk of the log cannot be read, it is passed over"
                );
                continue;
            };
            if fetched.take(base, records) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Jumps from place to place; reads one key of each.
fn first_positions(space: &Space) -> Result<BTreeMap<Place, u64>, DiskError> {
    let mut first = BTreeMap::new();
    let mut from = key(Place { topic: 0, partition: 0 }, 0);
    while let Some(found) = space.range(from..).next() {
        let (found, _) = found?;
        let Some((place, position)) = place_of(&found).zip(position_of(&found)) else {
            break;
        };
        first.insert(place, position);
        from = key(place, u64::MAX);
    }
    Ok(first)
}

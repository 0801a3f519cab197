//! The log on disk, below the tails: topics, positions of groups, and records in segments that are dropped as a whole.
//!
//! Segments follow one another in time and hold all topics with a retention in time. Dropping one costs no read and no
//! rewrite, so records live until the whole segment is older than the longest retention of any topic. Compacted topics lie
//! in a space of their own, where a record is removed in the batch that writes its successor.

use std::sync::{Arc, Mutex, RwLock};

use bytes::Bytes;
use disk::{Batch, Disk, DiskError, Layout, Space, Ticket};

use super::{lock, positions::Positions, segment::Segment, tail::Entry};
use crate::{Clock, ConsumeError, PublishError, Retention, Stored, Topic, TopicSpec};

/// Segments that the longest retention is cut into: what is kept too long is at most one part of so many.
const SEGMENTS_PER_RETENTION: u64 = 16;
/// Shortest time a segment is written to, so that a short retention does not make many small ones.
const SEGMENT_MS_MIN: u64 = 60_000;
/// Instants within a segment may be so much later than the beginning of the next one, since publishes overlap.
const OVERLAP_MS: u64 = 10_000;
/// Most octets one fetch reads from disk; at least one chunk is read whatever its size.
const FETCH_OCTETS_MAX: usize = 1024 * 1024;
/// Octets one fetch reads at least, if they are there: it costs a look into every table of its segments, however little it
/// reads. What is more than was asked for stays in memory, for each partition of each member that reads the disk.
const AHEAD_OCTETS: usize = 64 * 1024;

const TOPICS: &str = "bus.topics";
const COMPACTED: &str = "bus.compacted";
const SEGMENTS: &str = "bus.log";
/// Key of the number of openings; topics have a key that begins otherwise.
const OPENINGS: &[u8] = b"openings";
const TOPIC_PREFIX: &[u8] = b"topic/";

/// One partition of one topic, unique in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) topic: u32,
    pub(super) partition: u32,
}

/// A topic and its number in the log.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) spec: TopicSpec,
    pub(super) number: u32,
}

pub(super) struct Durable {
    pub(super) disk: Arc<Disk>,
    topics: Space,
    pub(super) positions: Positions,
    compacted: Space,
    /// Oldest first; the last one is written to.
    segments: RwLock<Vec<Arc<Segment>>>,
    /// Longest retention in time of any topic.
    retention_ms: Mutex<u64>,
    /// First position that this opening gives out; greater than any given out before.
    pub(super) first_position: u64,
}

impl Durable {
    /// Opens what is there. The opening is counted on disk first, so that no position is ever given out twice, not even one
    /// whose record a crash took.
    pub(super) fn open(disk: Arc<Disk>, clock: &Clock) -> Result<Self, DiskError> {
        let topics = disk.space(TOPICS, Layout::Small)?;
        let openings = topics.get(OPENINGS)?.and_then(|value| number(&value)).unwrap_or(0) + 1;
        let mut batch = disk.batch();
        batch.put(&topics, OPENINGS, openings.to_be_bytes().to_vec());
        let ticket = disk.write(batch)?;
        futures::executor::block_on(disk.synced(ticket))?;
        let mut segments = Vec::new();
        for name in disk.spaces(Layout::Segment) {
            segments.extend(Segment::open(&disk, &name)?.map(Arc::new));
        }
        let positions = Positions::open(disk.clone(), clock.clone())?;
        let compacted = disk.space(COMPACTED, Layout::Small)?;
        let (segments, retention_ms) = (RwLock::new(segments), Mutex::new(0));
        let durable = Self {
            disk,
            topics,
            positions,
            compacted,
            segments,
            retention_ms,
            first_position: openings << 40,
        };
        durable.roll(clock())?;
        Ok(durable)
    }

    /// All topics that were ever created.
    pub(super) fn known(&self) -> Result<Vec<Known>, DiskError> {
        let mut known = Vec::new();
        for found in self.topics.range::<&[u8]>(..) {
            let (key, value) = found?;
            known.extend(read_topic(&key, &value));
        }
        Ok(known)
    }

    /// Writes a topic down, new or with another retention.
    pub(super) fn keep_topic(&self, topic: &Known) -> Result<Ticket, DiskError> {
        let mut batch = self.disk.batch();
        let key = [TOPIC_PREFIX, topic.spec.topic.as_str().as_bytes()].concat();
        batch.put(&self.topics, key, write_topic(topic));
        self.disk.write(batch)
    }

    /// Takes the retention of a topic into account.
    pub(super) fn retain(&self, retention: Retention) {
        if let Retention::Time(kept) = retention {
            let mut retention_ms = lock(&self.retention_ms);
            *retention_ms = (*retention_ms).max(u64::try_from(kept.as_millis()).unwrap_or(u64::MAX));
        }
    }

    /// The segment to write to now, beginning another one and dropping old ones when it is time.
    pub(super) fn current(&self, now_ms: u64) -> Result<Arc<Segment>, DiskError> {
        let current = self.segments.read().expect("no holder panics").last().cloned();
        let part_ms = (*lock(&self.retention_ms) / SEGMENTS_PER_RETENTION).max(SEGMENT_MS_MIN);
        match current {
            Some(segment) if !segment.is_full() && now_ms.saturating_sub(segment.began_ms) < part_ms => Ok(segment),
            _ => self.roll(now_ms),
        }
    }

    /// Begins another segment and drops what is too old.
    fn roll(&self, now_ms: u64) -> Result<Arc<Segment>, DiskError> {
        let mut segments = self.segments.write().expect("no holder panics");
        let number = segments.last().map_or(0, |segment| segment.number + 1);
        let began_ms = segments.last().map_or(now_ms, |segment| segment.began_ms.max(now_ms));
        if let Some(last) = segments.last() {
            last.finish()?;
        }
        let segment = Arc::new(Segment::create(&self.disk, SEGMENTS, number, began_ms)?);
        segments.push(segment.clone());
        drop(segments);
        self.drop_old(now_ms)?;
        Ok(segment)
    }

    /// Drops segments whose newest record is older than the longest retention.
    pub(super) fn drop_old(&self, now_ms: u64) -> Result<(), DiskError> {
        let retention_ms = *lock(&self.retention_ms);
        // Until a topic is known, nothing is known to be old.
        if retention_ms == 0 {
            return Ok(());
        }
        let mut segments = self.segments.write().expect("no holder panics");
        let is_old =
            |next: &Arc<Segment>| next.began_ms.saturating_add(OVERLAP_MS).saturating_add(retention_ms) < now_ms;
        while segments.get(1).is_some_and(is_old) {
            let old = segments.remove(0);
            self.disk.drop_space(&old.space)?;
        }
        Ok(())
    }

    /// Position of the oldest record kept of `place`, `None` if there is none on disk.
    pub(super) fn first(&self, place: Place) -> Option<u64> {
        self.segments
            .read()
            .expect("no holder panics")
            .iter()
            .find_map(|segment| segment.first(place))
    }

    /// Where the records of `place` from before this opening lie; without gaps within a stretch, since every opening begins
    /// another segment. Reads one chunk of each segment.
    pub(super) fn stretches(&self, place: Place) -> Result<Vec<(u64, u64)>, DiskError> {
        let segments = self.segments.read().expect("no holder panics").clone();
        let spans = segments.iter().filter_map(|segment| segment.span(place).transpose());
        spans
            .filter(|span| span.as_ref().map_or(true, |(first, _)| *first < self.first_position))
            .collect()
    }

    /// Position of the first record of `place` stored at or after `instant_ms`, `None` if there is none on disk.
    pub(super) fn since(&self, place: Place, instant_ms: u64) -> Result<Option<u64>, ConsumeError> {
        let segments = self.segments.read().expect("no holder panics").clone();
        for (index, segment) in segments.iter().enumerate() {
            let is_before = segments
                .get(index + 1)
                .is_some_and(|next| next.began_ms + OVERLAP_MS < instant_ms);
            if !is_before && let Some(position) = segment.since(place, instant_ms)? {
                return Ok(Some(position));
            }
        }
        Ok(None)
    }

    /// Records of `place` from `from` on, before `limit`, about as many as are `wanted` or more, and where to go on.
    pub(super) fn fetch(
        &self,
        place: Place,
        from: u64,
        limit: u64,
        wanted: usize,
    ) -> Result<(Vec<Entry>, u64), ConsumeError> {
        let segments: Vec<_> = {
            let segments = self.segments.read().expect("no holder panics");
            // The last segment that begins at or before `from` may hold it, and all after that may.
            let begins_before = |segment: &Arc<Segment>| segment.first(place).is_some_and(|first| first <= from);
            let start = segments.iter().rposition(begins_before).unwrap_or(0);
            segments[start..].to_vec()
        };
        let mut fetched = Fetched {
            records: Vec::new(),
            octets: 0,
            next: from,
            limit,
            wanted,
        };
        for segment in segments {
            if segment.fetch(place, &mut fetched)? {
                return Ok((fetched.records, fetched.next));
            }
        }
        Ok((fetched.records, limit))
    }

    /// All records of `place`, which is of a compacted topic, with their positions. Keys that were taken off go with this: nobody
    /// follows the topic yet who had to be told.
    pub(super) fn compacted(&self, place: Place) -> Result<Vec<(u64, Stored)>, DiskError> {
        let (mut records, mut batch) = (Vec::new(), self.disk.batch());
        let mut has_gone = false;
        for found in self.compacted.range(key(place, 0)..=key(place, u64::MAX)) {
            let (key, chunk) = found?;
            let stored = super::chunk::decode(chunk).and_then(|records| records.into_iter().next());
            if stored.as_ref().is_some_and(|stored| stored.value.is_empty()) {
                batch.remove(&self.compacted, key.to_vec());
                has_gone = true;
                continue;
            }
            records.extend(position_of(&key).zip(stored));
        }
        if has_gone {
            self.disk.write(batch)?;
        }
        Ok(records)
    }

    /// Adds a record of a compacted topic to `batch`, in place of its predecessor.
    pub(super) fn replace(&self, batch: &mut Batch, place: Place, older: Option<u64>, position: u64, chunk: Bytes) {
        if let Some(older) = older {
            batch.remove(&self.compacted, key(place, older).to_vec());
        }
        batch.put(&self.compacted, key(place, position).to_vec(), chunk);
    }
}

/// What a fetch has gathered so far.
pub(super) struct Fetched {
    records: Vec<Entry>,
    octets: usize,
    pub(super) next: u64,
    limit: u64,
    wanted: usize,
}

impl Fetched {
    /// Takes what it still wants of a chunk that begins at `base`; true when it has enough.
    pub(super) fn take(&mut self, base: u64, records: Vec<Stored>) -> bool {
        for (position, record) in (base..).zip(records) {
            if position < self.next {
                continue;
            }
            if position >= self.limit {
                self.next = self.limit;
                return true;
            }
            if self.is_enough() {
                return true;
            }
            let entry = Entry {
                position,
                stored: record,
            };
            self.octets += entry.octets();
            self.records.push(entry);
            self.next = position + 1;
        }
        self.is_enough() || self.next >= self.limit
    }

    fn is_enough(&self) -> bool {
        self.octets >= FETCH_OCTETS_MAX || (self.records.len() >= self.wanted && self.octets >= AHEAD_OCTETS)
    }
}

/// Key of a chunk: its place, then its position, most significant octet first so that octet order is their order.
pub(super) fn key(place: Place, position: u64) -> [u8; 16] {
    let mut key = [0; 16];
    key[..4].copy_from_slice(&place.topic.to_be_bytes());
    key[4..8].copy_from_slice(&place.partition.to_be_bytes());
    key[8..].copy_from_slice(&position.to_be_bytes());
    key
}

pub(super) fn place_of(key: &[u8]) -> Option<Place> {
    let topic = u32::from_be_bytes(*key.first_chunk()?);
    let partition = u32::from_be_bytes(*key.get(4..)?.first_chunk()?);
    Some(Place { topic, partition })
}

pub(super) fn position_of(key: &[u8]) -> Option<u64> {
    number(key.get(8..)?)
}

pub(super) fn number(octets: &[u8]) -> Option<u64> {
    octets.first_chunk().map(|octets| u64::from_be_bytes(*octets))
}

/// `number u32 | partitions u32 | retention u64`, the retention in milliseconds, all ones = compacted.
fn write_topic(topic: &Known) -> Vec<u8> {
    let retention_ms = match topic.spec.retention {
        Retention::Time(kept) => u64::try_from(kept.as_millis()).unwrap_or(u64::MAX).min(u64::MAX - 1),
        Retention::Compacted => u64::MAX,
    };
    let mut octets = Vec::with_capacity(16);
    octets.extend_from_slice(&topic.number.to_be_bytes());
    octets.extend_from_slice(&topic.spec.partitions.to_be_bytes());
    octets.extend_from_slice(&retention_ms.to_be_bytes());
    octets
}

fn read_topic(key: &[u8], value: &[u8]) -> Option<Known> {
    let name = key.strip_prefix(TOPIC_PREFIX)?;
    let Place {
        topic: number_of_topic,
        partition: partitions,
    } = place_of(value)?;
    let retention = match position_of(value)? {
        u64::MAX => Retention::Compacted,
        kept_ms => Retention::Time(std::time::Duration::from_millis(kept_ms)),
    };
    let topic = Topic::new(std::str::from_utf8(name).ok()?);
    Some(Known {
        spec: TopicSpec {
            topic,
            partitions,
            retention,
        },
        number: number_of_topic,
    })
}

impl From<DiskError> for PublishError {
    fn from(error: DiskError) -> Self {
        Self::Away(error.to_string())
    }
}

impl From<DiskError> for ConsumeError {
    fn from(error: DiskError) -> Self {
        Self::Away(error.to_string())
    }
}

//! One topic: its partitions, what is recent of them in memory, and who waits for news.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use disk::Ticket;
use tokio::{runtime::RuntimeFlavor, sync::Notify};

use super::{
    ahead::Ahead,
    chunk,
    durable::{Durable, Known, Place},
    lock,
    tail::{Budget, Entry, Tail},
};
use crate::{ConsumeError, PartitionId, Position, PublishError, Record, Retention, Stored, Topic};

pub(super) struct TopicLog {
    pub(super) topic: Topic,
    number: u32,
    retention: Mutex<Retention>,
    partitions: Vec<Partition>,
    budget: Arc<Budget>,
    durable: Option<Arc<Durable>>,
    /// Held while a publish is taken, so that positions and instants rise in one order. Holds the newest instant.
    appending: Mutex<u64>,
    waiting: Mutex<BTreeMap<u64, Arc<Notify>>>,
}

/// One partition. `next` is the position the next record gets, readable without the lock.
struct Partition {
    next: AtomicU64,
    tail: Mutex<Tail>,
    /// Where older openings left records on disk; looked up when first asked for.
    older: OnceLock<Vec<(u64, u64)>>,
}

impl TopicLog {
    /// The topic with what is on disk of it, if there is a disk.
    pub(super) fn open(
        known: Known,
        budget: &Arc<Budget>,
        durable: Option<Arc<Durable>>,
    ) -> Result<Self, PublishError> {
        let Known { spec, number } = known;
        let mut partitions = Vec::new();
        for partition in 0..spec.partitions.max(1) {
            let (mut tail, mut next) = (Tail::default(), 0);
            if let Some(durable) = &durable {
                next = durable.first_position;
                // Of a compacted topic all is in memory; of others, what was there before is on disk.
                match spec.retention {
                    Retention::Compacted => tail.fill(durable.compacted(Place {
                        topic: number,
                        partition,
                    })?),
                    Retention::Time(_) => tail.begin(next),
                }
                durable.retain(spec.retention);
            }
            budget.add_partition();
            partitions.push(Partition {
                next: AtomicU64::new(next),
                tail: Mutex::new(tail),
                older: OnceLock::new(),
            });
        }
        Ok(Self {
            topic: spec.topic,
            number,
            retention: Mutex::new(spec.retention),
            partitions,
            budget: budget.clone(),
            durable,
            appending: Mutex::new(0),
            waiting: Mutex::default(),
        })
    }

    /// The topic as it is to be written down.
    pub(super) fn known(&self) -> Known {
        let partitions = self.partitions.len() as u32;
        let spec = crate::TopicSpec {
            topic: self.topic.clone(),
            partitions,
            retention: *lock(&self.retention),
        };
        Known {
            spec,
            number: self.number,
        }
    }

    /// Takes another retention in time over; true if that is a change. What is compacted stays so, and what is not, not.
    pub(super) fn retain(&self, retention: Retention) -> bool {
        let mut current = lock(&self.retention);
        let is_change = *current != retention && *current != Retention::Compacted && retention != Retention::Compacted;
        if is_change {
            *current = retention;
            self.durable.iter().for_each(|durable| durable.retain(retention));
        }
        is_change
    }

    pub(super) fn partitions(&self) -> usize {
        self.partitions.len()
    }

    pub(super) fn place(&self, partition: usize) -> Place {
        Place {
            topic: self.number,
            partition: partition as u32,
        }
    }

    pub(super) fn next(&self, partition: usize) -> u64 {
        self.partitions[partition].next.load(Ordering::Acquire)
    }

    /// Takes `records` and lets readers see them. Gives the ticket of the write if there is a disk.
    pub(super) fn append(&self, now_ms: u64, records: Vec<Record>) -> Result<Option<Ticket>, PublishError> {
        let mut newest_ms = lock(&self.appending);
        // A clock that steps back must not let instants fall within a partition: `Position::Since` relies on their order.
        *newest_ms = now_ms.max(*newest_ms);
        let ticket = match &self.durable {
            Some(durable) => Some(self.append_durable(durable, *newest_ms, records)?),
            None => {
                self.append_memory(*newest_ms, records);
                None
            }
        };
        drop(newest_ms);
        self.wake();
        Ok(ticket)
    }

    fn append_memory(&self, now_ms: u64, records: Vec<Record>) {
        let retention = *lock(&self.retention);
        for record in records {
            let partition = self.partition_of(record.key);
            let mut tail = lock(&self.partitions[partition].tail);
            let position = self.next(partition);
            tail.push(Entry {
                position,
                stored: stored(record, now_ms),
            });
            match retention {
                Retention::Time(kept) => tail.drop_older(now_ms, kept),
                Retention::Compacted => tail.compact(),
            }
            self.partitions[partition].next.store(position + 1, Ordering::Release);
        }
    }

    fn append_durable(&self, durable: &Durable, now_ms: u64, records: Vec<Record>) -> Result<Ticket, PublishError> {
        let mut shares: Vec<Vec<Record>> = Vec::new();
        shares.resize_with(self.partitions.len(), Vec::new);
        for record in records {
            shares[self.partition_of(record.key)].push(record);
        }
        match *lock(&self.retention) {
            Retention::Time(_) => self.append_chunks(durable, now_ms, &shares),
            Retention::Compacted => self.append_compacted(durable, now_ms, &shares),
        }
    }

    fn append_chunks(&self, durable: &Durable, now_ms: u64, shares: &[Vec<Record>]) -> Result<Ticket, PublishError> {
        let segment = durable.current(now_ms)?;
        let mut batch = durable.disk.batch();
        let mut chunks: Vec<(usize, Bytes)> = Vec::new();
        for (partition, records) in shares.iter().enumerate().filter(|(_, records)| !records.is_empty()) {
            let chunk = chunk::encode(now_ms, records);
            segment.put(&mut batch, self.place(partition), self.next(partition), chunk.clone());
            chunks.push((partition, chunk));
        }
        let ticket = durable.disk.write(batch)?;
        for (partition, chunk) in chunks {
            let records = chunk::decode(chunk).expect("it was just encoded");
            let mut tail = lock(&self.partitions[partition].tail);
            let position = self.next(partition);
            let (next, octets) = (position + records.len() as u64, tail.octets());
            for (position, stored) in (position..).zip(records) {
                tail.push(Entry { position, stored });
            }
            let pushed = tail.octets() - octets;
            tail.shrink(&self.budget, pushed);
            self.partitions[partition].next.store(next, Ordering::Release);
        }
        Ok(ticket)
    }

    fn append_compacted(&self, durable: &Durable, now_ms: u64, shares: &[Vec<Record>]) -> Result<Ticket, PublishError> {
        let mut batch = durable.disk.batch();
        let mut entries = Vec::new();
        for (partition, records) in shares.iter().enumerate() {
            let tail = lock(&self.partitions[partition].tail);
            let mut newest: BTreeMap<u64, u64> = BTreeMap::new();
            for (position, record) in (self.next(partition)..).zip(records) {
                let older = newest.insert(record.key, position).or_else(|| tail.newest(record.key));
                let chunk = chunk::encode(now_ms, std::slice::from_ref(record));
                durable.replace(&mut batch, self.place(partition), older, position, chunk);
                entries.push((
                    partition,
                    Entry {
                        position,
                        stored: stored(record.clone(), now_ms),
                    },
                ));
            }
        }
        let ticket = durable.disk.write(batch)?;
        for (partition, entry) in entries {
            let mut tail = lock(&self.partitions[partition].tail);
            let next = entry.position + 1;
            tail.push(entry);
            tail.compact();
            self.partitions[partition].next.store(next, Ordering::Release);
        }
        Ok(ticket)
    }

    /// Up to `records_max` records of `partition` from `from` on, and where to go on; none if that is the end for now. What
    /// was read beyond that is left `ahead`.
    pub(super) fn fetch(
        &self,
        partition: usize,
        from: u64,
        records_max: usize,
        ahead: &mut Ahead,
    ) -> Result<(Vec<Stored>, u64), ConsumeError> {
        let records_max = records_max.max(1);
        let mut from = from;
        loop {
            if let Some(fetched) = ahead.take(from, records_max) {
                return Ok(fetched);
            }
            let limit = {
                let tail = lock(&self.partitions[partition].tail);
                if from >= tail.from() || self.durable.is_none() {
                    // `next` is read under the lock, so that an empty answer really is the end.
                    return Ok(tail.fetch(from, self.next(partition), records_max));
                }
                tail.from()
            };
            let durable = self.durable.as_ref().expect("without a disk the tail has answered");
            let fetch = || durable.fetch(self.place(partition), from, limit, records_max);
            let (entries, next) = aside(fetch)?;
            from = entries.first().map_or(next, |entry| entry.position);
            ahead.fill(entries, next);
        }
    }

    /// Records of `partition` from `from` on. Positions have gaps, so they are counted where they lie; the first call for
    /// what lies before this opening reads one chunk of each segment. What became too old meanwhile may still count.
    pub(super) fn count(&self, partition: usize, from: u64) -> u64 {
        let (tail_from, in_tail) = {
            let tail = lock(&self.partitions[partition].tail);
            (tail.from(), tail.count(from))
        };
        let below = self.durable.as_ref().filter(|_| from < tail_from);
        in_tail + below.map_or(0, |durable| self.count_below(durable, partition, from..tail_from))
    }

    fn count_below(&self, durable: &Durable, partition: usize, range: Range<u64>) -> u64 {
        let stretches = || {
            durable.stretches(self.place(partition)).unwrap_or_else(|error| {
                tracing::warn!(%error, "cannot count older records");
                Vec::new()
            })
        };
        let within = |first: u64, end: u64| end.min(range.end).saturating_sub(first.max(range.start));
        let older = self.partitions[partition].older.get_or_init(stretches);
        let before: u64 = older.iter().map(|(first, end)| within(*first, *end)).sum();
        before + within(durable.first_position, u64::MAX)
    }

    /// Where `from` lies in `partition`; `At` is resolved by the reader.
    pub(super) fn locate(&self, partition: usize, from: &Position) -> Result<u64, ConsumeError> {
        let (below, in_tail) = {
            let tail = lock(&self.partitions[partition].tail);
            let next = self.next(partition);
            match from {
                Position::Start => (self.durable.as_ref(), tail.first(next)),
                Position::Since(instant_ms) => (self.durable.as_ref(), tail.since(*instant_ms, next)),
                Position::End | Position::At(_) => (None, next),
            }
        };
        let on_disk = match (below, from) {
            (Some(durable), Position::Since(instant_ms)) => durable.since(self.place(partition), *instant_ms)?,
            (Some(durable), _) => durable.first(self.place(partition)),
            (None, _) => None,
        };
        Ok(on_disk.map_or(in_tail, |position| position.min(in_tail)))
    }

    /// True if `position` was given out and nothing after it was dropped for its age.
    pub(super) fn is_kept(&self, partition: usize, position: u64) -> bool {
        let tail = lock(&self.partitions[partition].tail);
        let from = match &self.durable {
            Some(durable) if *lock(&self.retention) != Retention::Compacted => {
                durable.first(self.place(partition)).unwrap_or(0).min(tail.from())
            }
            _ => tail.from(),
        };
        (from..=self.next(partition)).contains(&position)
    }

    pub(super) fn wait_with(&self, id: u64, notify: &Arc<Notify>) {
        lock(&self.waiting).insert(id, notify.clone());
    }

    pub(super) fn forget(&self, id: u64) {
        lock(&self.waiting).remove(&id);
    }

    pub(super) fn wake(&self) {
        for notify in lock(&self.waiting).values() {
            notify.notify_one();
        }
    }

    fn partition_of(&self, key: u64) -> usize {
        PartitionId::of(key, self.partitions.len() as u32).0 as usize
    }
}

fn stored(record: Record, stored_at_ms: u64) -> Stored {
    let headers = record
        .headers
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    Stored {
        key: record.key,
        value: record.value,
        stored_at_ms,
        headers,
    }
}

/// Does what takes a millisecond or more, and may wait for the disk, while the other tasks of this thread go on elsewhere.
fn aside<T>(work: impl FnOnce() -> T) -> T {
    match tokio::runtime::Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        // Its only thread has nobody to hand them to, or there is none.
        _ => work(),
    }
}

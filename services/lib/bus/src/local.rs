//! The log inside one process: topics, their recent records, groups and readers. Memory is this alone; embedded adds a
//! disk below it. No thread, no timer and no random order: what happens follows from the order of the calls.

mod group;
mod member;
mod reader;
mod tail;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use tokio::sync::Notify;

use self::{
    group::Group,
    tail::{Entry, Tail},
};
use crate::{
    Clock, Commit, ConsumeError, PUBLISH_RECORDS_MAX, PartitionId, Position, PublishError, RECORD_OCTETS_MAX, Read,
    Record, Retention, Stored, Subscribe, Topic, TopicSpec,
};

/// Topics, groups and readers of one process.
pub(crate) struct Local {
    clock: Clock,
    topics: RwLock<BTreeMap<Topic, Arc<TopicLog>>>,
    groups: Mutex<BTreeMap<String, Arc<Group>>>,
    closed: AtomicBool,
    ids: AtomicU64,
}

/// One topic: its partitions and who waits for news of it.
pub(super) struct TopicLog {
    topic: Topic,
    retention: Mutex<Retention>,
    partitions: Vec<Partition>,
    /// Held while a publish is taken, so that positions and instants rise in one order. Holds the newest instant.
    appending: Mutex<u64>,
    waiting: Mutex<BTreeMap<u64, Arc<Notify>>>,
}

/// One partition. `next` is the position the next record gets, readable without the lock.
struct Partition {
    next: AtomicU64,
    tail: Mutex<Tail>,
}

impl Local {
    pub(crate) fn new(clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            clock,
            topics: RwLock::default(),
            groups: Mutex::default(),
            closed: AtomicBool::new(false),
            ids: AtomicU64::new(1),
        })
    }

    pub(crate) fn ensure(&self, specs: &[TopicSpec]) -> Result<(), PublishError> {
        self.publishable()?;
        let mut topics = self.topics.write().expect("no holder panics");
        for spec in specs {
            match topics.get(&spec.topic) {
                Some(there) => *lock(&there.retention) = spec.retention,
                None => {
                    topics.insert(spec.topic.clone(), Arc::new(TopicLog::new(spec)));
                }
            }
        }
        Ok(())
    }

    pub(crate) fn publish(&self, topic: &Topic, records: Vec<Record>) -> Result<Commit, PublishError> {
        self.publishable()?;
        let log = self
            .topic(topic)
            .ok_or_else(|| PublishError::UnknownTopic(topic.clone()))?;
        check_limits(&records)?;
        log.append((self.clock)(), records);
        Ok(Box::pin(std::future::ready(Ok(()))))
    }

    pub(crate) fn subscribe(
        self: &Arc<Self>,
        group: &str,
        topics: &[Topic],
    ) -> Result<Box<dyn Subscribe>, ConsumeError> {
        self.readable()?;
        let mut logs = Vec::with_capacity(topics.len());
        for topic in topics {
            let log = self
                .topic(topic)
                .ok_or_else(|| ConsumeError::UnknownTopic(topic.clone()))?;
            if !logs.iter().any(|known| Arc::ptr_eq(known, &log)) {
                logs.push(log);
            }
        }
        let group = lock(&self.groups).entry(group.to_owned()).or_default().clone();
        Ok(Box::new(member::Member::join(self.clone(), group, logs)))
    }

    pub(crate) fn read(self: &Arc<Self>, topic: &Topic, from: &Position) -> Result<Box<dyn Read>, ConsumeError> {
        self.readable()?;
        let log = self
            .topic(topic)
            .ok_or_else(|| ConsumeError::UnknownTopic(topic.clone()))?;
        Ok(Box::new(reader::Reader::open(self.clone(), log, from)?))
    }

    pub(crate) fn partitions(&self, topic: &Topic) -> Option<u32> {
        self.topic(topic).map(|log| log.partitions.len() as u32)
    }

    /// Refuses all that comes later and wakes all who wait.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        for log in self.topics.read().expect("no holder panics").values() {
            log.wake();
        }
    }

    fn topic(&self, topic: &Topic) -> Option<Arc<TopicLog>> {
        self.topics.read().expect("no holder panics").get(topic).cloned()
    }

    fn publishable(&self) -> Result<(), PublishError> {
        if self.closed.load(Ordering::Acquire) {
            Err(PublishError::Closed)
        } else {
            Ok(())
        }
    }

    fn readable(&self) -> Result<(), ConsumeError> {
        if self.closed.load(Ordering::Acquire) {
            Err(ConsumeError::Closed)
        } else {
            Ok(())
        }
    }

    fn id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }
}

impl TopicLog {
    fn new(spec: &TopicSpec) -> Self {
        let partition = |_| Partition {
            next: AtomicU64::new(0),
            tail: Mutex::default(),
        };
        Self {
            topic: spec.topic.clone(),
            retention: Mutex::new(spec.retention),
            partitions: (0..spec.partitions.max(1)).map(partition).collect(),
            appending: Mutex::new(0),
            waiting: Mutex::default(),
        }
    }

    fn append(&self, now_ms: u64, records: Vec<Record>) {
        let retention = *lock(&self.retention);
        let mut newest_ms = lock(&self.appending);
        // A clock that steps back must not let instants fall within a partition: `Position::Since` relies on their order.
        *newest_ms = now_ms.max(*newest_ms);
        for record in records {
            let index = PartitionId::of(record.key, self.partitions.len() as u32).0 as usize;
            let partition = &self.partitions[index];
            let position = partition.next.load(Ordering::Relaxed);
            let mut tail = lock(&partition.tail);
            tail.push(Entry {
                position,
                stored: stored(record, *newest_ms),
            });
            tail.trim(retention, *newest_ms);
            partition.next.store(position + 1, Ordering::Release);
        }
        drop(newest_ms);
        self.wake();
    }

    /// Up to `records_max` records of `partition` from `from` on, and where to go on.
    fn fetch(&self, partition: usize, from: u64, records_max: usize) -> (Vec<Stored>, u64) {
        let partition = &self.partitions[partition];
        let tail = lock(&partition.tail);
        // Read under the lock, so that an empty answer really is the end.
        let next = partition.next.load(Ordering::Acquire);
        tail.fetch(from, next, records_max.max(1))
    }

    fn next(&self, partition: usize) -> u64 {
        self.partitions[partition].next.load(Ordering::Acquire)
    }

    fn wait_with(&self, id: u64, notify: &Arc<Notify>) {
        lock(&self.waiting).insert(id, notify.clone());
    }

    fn forget(&self, id: u64) {
        lock(&self.waiting).remove(&id);
    }

    fn wake(&self) {
        for notify in lock(&self.waiting).values() {
            notify.notify_one();
        }
    }
}

fn check_limits(records: &[Record]) -> Result<(), PublishError> {
    if records.len() > PUBLISH_RECORDS_MAX {
        let (size, limit) = (records.len(), PUBLISH_RECORDS_MAX);
        return Err(PublishError::TooLarge {
            what: "number of records in one publish",
            size,
            limit,
        });
    }
    match records
        .iter()
        .map(|record| record.value.len())
        .find(|octets| *octets > RECORD_OCTETS_MAX)
    {
        Some(size) => Err(PublishError::TooLarge {
            what: "value of a record in octets",
            size,
            limit: RECORD_OCTETS_MAX,
        }),
        None => Ok(()),
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no holder panics")
}

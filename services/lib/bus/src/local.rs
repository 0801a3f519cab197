//! The log inside one process: topics, their recent records, groups and readers. Memory is this alone; embedded has a disk
//! below it. No thread, no timer and no random order: what happens follows from the order of the calls.

mod ahead;
mod chunk;
mod durable;
mod group;
mod member;
mod positions;
mod reader;
mod segment;
mod tail;
mod topic;
mod unsynced;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use disk::{Disk, DiskError};

use self::{
    durable::{Durable, Known},
    group::Group,
    tail::Budget,
    topic::TopicLog,
    unsynced::Unsynced,
};
use crate::{
    Clock, Commit, ConsumeError, Position, PublishError, Read, Record, Subscribe, Topic, TopicSpec,
    record::check_limits,
};

/// Topics, groups and readers of one process.
pub(crate) struct Local {
    clock: Clock,
    topics: RwLock<BTreeMap<Topic, Arc<TopicLog>>>,
    groups: Mutex<BTreeMap<String, Arc<Group>>>,
    budget: Arc<Budget>,
    durable: Option<Arc<Durable>>,
    unsynced: Unsynced,
    closed: AtomicBool,
    ids: AtomicU64,
}

impl Local {
    /// An empty log in memory.
    pub(crate) fn new(clock: Clock) -> Arc<Self> {
        Arc::new(Self::over(clock, None))
    }

    /// The log on `disk`, with the topics that are there.
    pub(crate) fn open(disk: Arc<Disk>, clock: Clock) -> Result<Arc<Self>, PublishError> {
        let durable = Arc::new(Durable::open(disk, &clock)?);
        let local = Self::over(clock, Some(durable.clone()));
        for known in durable.known()? {
            local.add_topic(known)?;
        }
        durable.drop_old((local.clock)())?;
        Ok(Arc::new(local))
    }

    fn over(clock: Clock, durable: Option<Arc<Durable>>) -> Self {
        Self {
            clock,
            topics: RwLock::default(),
            groups: Mutex::default(),
            budget: Arc::default(),
            durable,
            unsynced: Unsynced::default(),
            closed: AtomicBool::new(false),
            ids: AtomicU64::new(1),
        }
    }

    fn add_topic(&self, known: Known) -> Result<(), PublishError> {
        let topic = known.spec.topic.clone();
        let log = TopicLog::open(known, &self.budget, self.durable.clone())?;
        self.topics
            .write()
            .expect("no holder panics")
            .insert(topic, Arc::new(log));
        Ok(())
    }

    /// Creates what is missing; the commit is that of everything written down.
    pub(crate) fn ensure(&self, specs: &[TopicSpec]) -> Result<Commit, PublishError> {
        self.publishable()?;
        let mut ticket = None;
        for spec in specs {
            let known = match self.topic(&spec.topic) {
                Some(log) if log.partitions() as u32 != spec.partitions => {
                    let (topic, there, wanted) = (spec.topic.clone(), log.partitions() as u32, spec.partitions);
                    return Err(PublishError::Partitions { topic, there, wanted });
                }
                Some(log) if log.retain(spec.retention) => log.known(),
                Some(_) => continue,
                None => {
                    // Topics are never removed, so their count is a number none of them has.
                    let number = self.topics.read().expect("no holder panics").len() as u32;
                    let known = Known {
                        spec: spec.clone(),
                        number,
                    };
                    self.add_topic(known.clone())?;
                    known
                }
            };
            if let Some(durable) = &self.durable {
                ticket = Some(durable.keep_topic(&known)?);
            }
        }
        Ok(self.commit(ticket))
    }

    /// Waits while too much is written and not safe.
    pub(crate) async fn room(&self) -> Result<(), PublishError> {
        match &self.durable {
            Some(durable) => Ok(durable.disk.room().await?),
            None => Ok(()),
        }
    }

    pub(crate) fn publish(&self, topic: &Topic, records: Vec<Record>) -> Result<Commit, PublishError> {
        self.publishable()?;
        let log = self
            .topic(topic)
            .ok_or_else(|| PublishError::UnknownTopic(topic.clone()))?;
        check_limits(&records)?;
        let count = records.len();
        if let Some(durable) = &self.durable {
            durable.positions.write_due()?;
        }
        let ticket = log.append((self.clock)(), records)?;
        if let Some((durable, ticket)) = self.durable.as_ref().zip(ticket) {
            self.unsynced.add(&durable.disk, ticket, count);
        }
        Ok(self.commit(ticket))
    }

    fn commit(&self, ticket: Option<disk::Ticket>) -> Commit {
        match self.durable.as_ref().zip(ticket) {
            Some((durable, ticket)) => durable.disk.commit(ticket),
            None => Commit::done(),
        }
    }

    pub(crate) fn subscribe(
        self: &Arc<Self>,
        name: &str,
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
        let durable = self.durable.clone();
        let group = lock(&self.groups)
            .entry(name.to_owned())
            .or_insert_with(|| Arc::new(Group::new(name, durable)))
            .clone();
        Ok(Box::new(member::Member::join(self.clone(), group, logs)?))
    }

    pub(crate) fn read(self: &Arc<Self>, topic: &Topic, from: &Position) -> Result<Box<dyn Read>, ConsumeError> {
        self.readable()?;
        let log = self
            .topic(topic)
            .ok_or_else(|| ConsumeError::UnknownTopic(topic.clone()))?;
        Ok(Box::new(reader::Reader::open(self.clone(), log, from)?))
    }

    pub(crate) fn partitions(&self, topic: &Topic) -> Option<u32> {
        self.topic(topic).map(|log| log.partitions() as u32)
    }

    /// Drops what is older than its retention.
    pub(crate) fn maintain(&self) -> Result<(), DiskError> {
        self.durable
            .as_ref()
            .map_or(Ok(()), |durable| durable.drop_old((self.clock)()))
    }

    /// Refuses all that comes later, wakes all who wait, and waits for what is unsafe.
    pub(crate) async fn close(&self, limit: Duration) -> Result<(), PublishError> {
        self.closed.store(true, Ordering::Release);
        for log in self.topics.read().expect("no holder panics").values() {
            log.wake();
        }
        let Some(durable) = &self.durable else { return Ok(()) };
        durable.positions.write()?;
        let all = durable.disk.write(durable.disk.batch())?;
        #[expect(clippy::disallowed_methods, reason = "the limit is one of real time, on a real disk")]
        match tokio::time::timeout(limit, durable.disk.synced(all)).await {
            Ok(synced) => Ok(synced?),
            Err(_) => Err(PublishError::Unflushed(self.unsynced.count(&durable.disk))),
        }
    }

    fn topic(&self, topic: &Topic) -> Option<Arc<TopicLog>> {
        self.topics.read().expect("no holder panics").get(topic).cloned()
    }

    pub(crate) fn publishable(&self) -> Result<(), PublishError> {
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no holder panics")
}

//! Log and store as a process sees them, with every call taken down: wrappers that change nothing.

use std::{sync::Arc, time::Duration};

use bus::{
    Batch, Bus, ConsumeError, Delivered, PartitionId, Position, PublishError, Read, Record, Subscribe, Topic, TopicSpec,
};
use futures::{FutureExt, future::BoxFuture};
use signalbox_proto::keys;
use sms::MessageId;
use store::{Applied, DueEntry, Epoch, Key, Op, Rebuild, Store, StoreError, Versioned};

use crate::{
    steps::{Steps, record_in_short},
    tally::Tally,
};

/// Who watches one process.
#[derive(Clone)]
pub(crate) struct Watch {
    pub(crate) who: Arc<str>,
    /// Absent = calls are counted and not told.
    pub(crate) steps: Option<Steps>,
    pub(crate) tally: Tally,
}

/// The log of a process that is watched.
pub(crate) struct WatchedBus {
    pub(crate) inner: Arc<dyn Bus>,
    pub(crate) watch: Watch,
}

/// The store of a process that is watched.
pub(crate) struct WatchedStore {
    pub(crate) inner: Arc<dyn Store>,
    pub(crate) watch: Watch,
}

struct WatchedMember {
    inner: Box<dyn Subscribe>,
    watch: Watch,
}

impl Watch {
    fn note(&self, tell: impl FnOnce() -> (String, Vec<MessageId>)) {
        if let Some(steps) = &self.steps {
            let (what, messages) = tell();
            steps.note(&self.who, what, messages);
        }
    }
}

/// `topic` and what is said of its records, in one line.
fn told<'a>(
    verb: &str,
    topic: &Topic,
    records: impl Iterator<Item = (u64, &'a bytes::Bytes)>,
) -> (String, Vec<MessageId>) {
    let (mut lines, mut messages) = (Vec::new(), Vec::new());
    for (key, value) in records {
        let (line, message) = record_in_short(topic, key, value);
        lines.push(line);
        messages.extend(message);
    }
    (format!("{verb} {topic}: {}", lines.join("; ")), messages)
}

fn short<T>(result: &Result<T, impl std::fmt::Display>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(error) => error.to_string(),
    }
}

impl Bus for WatchedBus {
    fn ensure<'a>(&'a self, topics: &'a [TopicSpec]) -> BoxFuture<'a, Result<(), PublishError>> {
        self.inner.ensure(topics)
    }

    fn publish<'a>(
        &'a self,
        topic: &'a Topic,
        records: Vec<Record>,
    ) -> BoxFuture<'a, Result<bus::Commit, PublishError>> {
        async move {
            self.watch.tally.published(topic, &records);
            let (what, messages) = match self.watch.steps {
                Some(_) => told(
                    "publishes to",
                    topic,
                    records.iter().map(|record| (record.key, &record.value)),
                ),
                None => Default::default(),
            };
            let taken = self.inner.publish(topic, records).await;
            self.watch
                .note(|| (format!("{what}: {}", short(&taken)), messages.clone()));
            let (watch, topic) = (self.watch.clone(), topic.clone());
            let commit = taken?.inspect(move |safe| {
                watch.note(|| (format!("what went to {topic} is safe: {}", short(safe)), messages));
            });
            Ok(bus::Commit::new(commit))
        }
        .boxed()
    }

    fn subscribe<'a>(
        &'a self,
        group: &'a str,
        topics: &'a [Topic],
    ) -> BoxFuture<'a, Result<Box<dyn Subscribe>, ConsumeError>> {
        async move {
            let inner = self.inner.subscribe(group, topics).await;
            self.watch
                .note(|| (format!("joins {group}: {}", short(&inner)), Vec::new()));
            let (inner, watch) = (inner?, self.watch.clone());
            let member: Box<dyn Subscribe> = Box::new(WatchedMember { inner, watch });
            Ok(member)
        }
        .boxed()
    }

    fn read<'a>(&'a self, topic: &'a Topic, from: Position) -> BoxFuture<'a, Result<Box<dyn Read>, ConsumeError>> {
        self.watch.note(|| (format!("reads {topic} from {from:?}"), Vec::new()));
        self.inner.read(topic, from)
    }

    fn partitions(&self, topic: &Topic) -> Option<u32> {
        self.inner.partitions(topic)
    }

    fn check(&self) -> BoxFuture<'_, Result<(), PublishError>> {
        self.inner.check()
    }

    fn close(&self, limit: Duration) -> BoxFuture<'_, Result<(), PublishError>> {
        self.inner.close(limit)
    }
}

impl Subscribe for WatchedMember {
    fn next_batch(&mut self, records_max: usize) -> BoxFuture<'_, Result<Batch, ConsumeError>> {
        async move {
            let batch = self.inner.next_batch(records_max).await;
            if let Ok(batch) = &batch {
                let Delivered { topic, partition, .. } = &batch.delivered;
                self.watch.note(|| {
                    let verb = format!("is handed partition {} of", partition.0);
                    told(
                        &verb,
                        topic,
                        batch.records.iter().map(|stored| (stored.key, &stored.value)),
                    )
                });
            }
            batch
        }
        .boxed()
    }

    fn ack<'a>(&'a mut self, batch: &'a Delivered) -> BoxFuture<'a, Result<(), ConsumeError>> {
        async move {
            let acked = self.inner.ack(batch).await;
            let Delivered {
                topic, partition, end, ..
            } = batch;
            let what = || format!("acks {topic} partition {} up to {end}: {}", partition.0, short(&acked));
            self.watch.note(|| (what(), Vec::new()));
            acked
        }
        .boxed()
    }

    fn owned(&self) -> Vec<(Topic, PartitionId)> {
        self.inner.owned()
    }

    fn holds(&self, batch: &Delivered) -> bool {
        self.inner.holds(batch)
    }

    fn backlog(&self) -> u64 {
        self.inner.backlog()
    }
}

fn key_of(op: &Op) -> &Key {
    match op {
        Op::Claim { key, .. } | Op::Put { key, .. } | Op::Swap { key, .. } | Op::Remove { key } => key,
    }
}

fn in_words(key: &Key) -> String {
    String::from_utf8_lossy(&key.0).into_owned()
}

/// The message in a key that names one; correlations do not.
fn message_of(key: &Key) -> Option<MessageId> {
    let path = std::str::from_utf8(&key.0).ok()?;
    let claim = path
        .strip_prefix("claim/")
        .and_then(|path| path.split('/').next()?.parse().ok());
    claim.or_else(|| keys::message_of_state(key))
}

fn done(op: &Op, applied: Option<&Applied>) -> String {
    let (verb, key) = match op {
        Op::Claim { key, .. } => ("claims", key),
        Op::Put { key, .. } => ("puts", key),
        Op::Swap { key, value: None, .. } => ("drops", key),
        Op::Swap { key, .. } => ("swaps", key),
        Op::Remove { key } => ("removes", key),
    };
    let became = match applied {
        Some(Applied::Held { owner }) => format!("held by {}", String::from_utf8_lossy(owner)),
        Some(Applied::Conflict(_)) => "another version is there".to_owned(),
        Some(applied) => format!("{applied:?}").to_lowercase(),
        None => "no answer".to_owned(),
    };
    format!("{verb} {}: {became}", in_words(key))
}

impl Store for WatchedStore {
    fn apply(&self, ops: Vec<Op>) -> BoxFuture<'_, Result<(Vec<Applied>, store::Commit), StoreError>> {
        async move {
            self.watch.tally.applied(ops.iter().map(key_of));
            self.watch.tally.written(&ops);
            let seen = self.watch.steps.as_ref().map(|_| ops.clone()).unwrap_or_default();
            let result = self.inner.apply(ops).await;
            self.watch.note(|| {
                let applied = result.as_ref().ok().map(|(applied, _)| applied);
                let lines = seen.iter().enumerate();
                let lines: Vec<_> = lines
                    .map(|(place, op)| done(op, applied.and_then(|applied| applied.get(place))))
                    .collect();
                let messages = seen.iter().filter_map(|op| message_of(key_of(op))).collect();
                (format!("{} ({})", lines.join("; "), short(&result)), messages)
            });
            let (applied, commit) = result?;
            let watch = self.watch.clone();
            let commit = commit.inspect(move |safe| {
                let messages = seen.iter().filter_map(|op| message_of(key_of(op))).collect();
                watch.note(|| (format!("{} operations are safe: {}", seen.len(), short(safe)), messages));
            });
            Ok((applied, store::Commit::new(commit)))
        }
        .boxed()
    }

    fn get(&self, keys: Vec<Key>) -> BoxFuture<'_, Result<Vec<Option<Versioned>>, StoreError>> {
        async move {
            self.watch.tally.applied(keys.iter());
            let seen = self.watch.steps.as_ref().map(|_| keys.clone()).unwrap_or_default();
            let found = self.inner.get(keys).await;
            self.watch.note(|| {
                let words: Vec<_> = seen.iter().map(in_words).collect();
                let there = found.as_ref().map(|found| found.iter().flatten().count());
                let there = there.map_or_else(|error| error.to_string(), |there| format!("{there} there"));
                let messages = seen.iter().filter_map(message_of).collect();
                (format!("gets {}: {there}", words.join(", ")), messages)
            });
            found
        }
        .boxed()
    }

    fn due(&self, partition: u32, second: u64, max: usize) -> BoxFuture<'_, Result<Vec<DueEntry>, StoreError>> {
        async move {
            let due = self.inner.due(partition, second, max).await;
            if due.as_ref().is_ok_and(Vec::is_empty) {
                return due;
            }
            self.watch.note(|| {
                let messages: Vec<_> = due
                    .iter()
                    .flatten()
                    .filter_map(|entry| message_of(&entry.key))
                    .collect();
                let entries = messages.len();
                let what = format!("finds {entries} timers due in partition {partition}: {}", short(&due));
                (what, messages)
            });
            due
        }
        .boxed()
    }

    fn scan<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a Key>,
        max: usize,
    ) -> BoxFuture<'a, Result<Vec<(Key, Versioned)>, StoreError>> {
        self.watch.note(|| (format!("scans {prefix}"), Vec::new()));
        self.inner.scan(prefix, after, max)
    }

    fn epoch(&self) -> BoxFuture<'_, Result<Epoch, StoreError>> {
        self.inner.epoch()
    }

    fn adopt(&self, epoch: &Epoch) {
        self.watch
            .note(|| (format!("adopts the epoch {}", epoch.word), Vec::new()));
        self.inner.adopt(epoch);
    }

    fn rebuild(&self) -> BoxFuture<'_, Result<Option<Box<dyn Rebuild>>, StoreError>> {
        async move {
            let rebuild = self.inner.rebuild().await;
            if matches!(rebuild, Ok(Some(_))) {
                self.watch.note(|| ("rebuilds the store".to_owned(), Vec::new()));
            }
            rebuild
        }
        .boxed()
    }
}

//! Log and store as a process of a neighbouring version writes and reads them, for fleets of two versions.

use std::{sync::Arc, time::Duration};

use bus::{
    Batch, Bus, Commit, ConsumeError, Delivered, PartitionId, Position, PublishError, Read, Record, Stored, Subscribe,
    Topic, TopicSpec,
};
use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use journey::Event;
use service::Deps;
use signalbox_proto::record::{self, Neighbour};
use store::{Applied, DueEntry, Epoch, Key, Op, Rebuild, Store, StoreError, Versioned};

/// A fleet that changes from one version to another, a process at a time; `None` = this version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Upgrade {
    /// What every process is at first.
    pub from: Option<Neighbour>,
    /// What it is once it was upgraded.
    pub to: Option<Neighbour>,
}

/// `event` as far as every version knows it.
pub(crate) fn in_common(event: &Event) -> Bytes {
    Neighbour::Older.version_of(&record::event_to_bytes(event))
}

/// What a process of `version` is handed.
pub(crate) fn neighbour(version: Neighbour, deps: Deps) -> Deps {
    let Deps { bus, store, .. } = deps;
    Deps {
        bus: Arc::new(Log { inner: bus, version }),
        store: Arc::new(Values { inner: store, version }),
        ..deps
    }
}

struct Log {
    inner: Arc<dyn Bus>,
    version: Neighbour,
}

struct Member {
    inner: Box<dyn Subscribe>,
    version: Neighbour,
}

struct Reader {
    inner: Box<dyn Read>,
    version: Neighbour,
}

struct Values {
    inner: Arc<dyn Store>,
    version: Neighbour,
}

struct Rebuilder {
    inner: Box<dyn Rebuild>,
    version: Neighbour,
}

/// `octets` as `version` understands them: the one before knows nothing of what came last, the one after everything.
fn read(version: Neighbour, octets: &mut Bytes) {
    if version == Neighbour::Older {
        *octets = version.version_of(octets);
    }
}

fn read_all(version: Neighbour, mut records: Vec<Stored>) -> Vec<Stored> {
    for stored in &mut records {
        read(version, &mut stored.value);
    }
    records
}

impl Bus for Log {
    fn ensure<'a>(&'a self, topics: &'a [TopicSpec]) -> BoxFuture<'a, Result<(), PublishError>> {
        self.inner.ensure(topics)
    }

    fn publish<'a>(
        &'a self,
        topic: &'a Topic,
        mut records: Vec<Record>,
    ) -> BoxFuture<'a, Result<Commit, PublishError>> {
        for record in &mut records {
            record.value = self.version.version_of(&record.value);
        }
        self.inner.publish(topic, records)
    }

    fn subscribe<'a>(
        &'a self,
        group: &'a str,
        topics: &'a [Topic],
    ) -> BoxFuture<'a, Result<Box<dyn Subscribe>, ConsumeError>> {
        async move {
            let (inner, version) = (self.inner.subscribe(group, topics).await?, self.version);
            Ok(Box::new(Member { inner, version }) as Box<dyn Subscribe>)
        }
        .boxed()
    }

    fn subscribe_each<'a>(
        &'a self,
        group: &'a str,
        topics: &'a [Topic],
    ) -> BoxFuture<'a, Result<Vec<Box<dyn Subscribe>>, ConsumeError>> {
        async move {
            let version = self.version;
            let members = self.inner.subscribe_each(group, topics).await?.into_iter();
            Ok(members
                .map(|inner| Box::new(Member { inner, version }) as Box<dyn Subscribe>)
                .collect())
        }
        .boxed()
    }

    fn read<'a>(&'a self, topic: &'a Topic, from: Position) -> BoxFuture<'a, Result<Box<dyn Read>, ConsumeError>> {
        async move {
            let (inner, version) = (self.inner.read(topic, from).await?, self.version);
            Ok(Box::new(Reader { inner, version }) as Box<dyn Read>)
        }
        .boxed()
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

impl Subscribe for Member {
    fn next_batch(&mut self, records_max: usize) -> BoxFuture<'_, Result<Batch, ConsumeError>> {
        async move {
            let mut batch = self.inner.next_batch(records_max).await?;
            batch.records = read_all(self.version, batch.records);
            Ok(batch)
        }
        .boxed()
    }

    fn ack<'a>(&'a mut self, batch: &'a Delivered) -> BoxFuture<'a, Result<(), ConsumeError>> {
        self.inner.ack(batch)
    }

    fn resign(&mut self) {
        self.inner.resign();
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

impl Read for Reader {
    fn next(&mut self, records_max: usize) -> BoxFuture<'_, Result<Vec<Stored>, ConsumeError>> {
        async move { Ok(read_all(self.version, self.inner.next(records_max).await?)) }.boxed()
    }

    fn poll(&mut self, records_max: usize) -> BoxFuture<'_, Result<Vec<Stored>, ConsumeError>> {
        async move { Ok(read_all(self.version, self.inner.poll(records_max).await?)) }.boxed()
    }

    fn position(&self) -> Position {
        self.inner.position()
    }
}

impl Values {
    fn written(&self, mut op: Op) -> Op {
        // Owners of claims are compared octet by octet, and no records.
        if let Op::Put { value, .. } | Op::Swap { value: Some(value), .. } = &mut op {
            *value = self.version.version_of(value);
        }
        op
    }

    fn found(&self, mut found: Option<Versioned>) -> Option<Versioned> {
        if let Some(there) = &mut found {
            read(self.version, &mut there.value);
        }
        found
    }
}

impl Store for Values {
    fn apply(&self, ops: Vec<Op>) -> BoxFuture<'_, Result<(Vec<Applied>, store::Commit), StoreError>> {
        async move {
            let ops = ops.into_iter().map(|op| self.written(op)).collect();
            let (mut applied, commit) = self.inner.apply(ops).await?;
            for applied in &mut applied {
                if let Applied::Conflict(there) = applied {
                    *there = self.found(there.take());
                }
            }
            Ok((applied, commit))
        }
        .boxed()
    }

    fn get(&self, keys: Vec<Key>) -> BoxFuture<'_, Result<Vec<Option<Versioned>>, StoreError>> {
        async move {
            let found = self.inner.get(keys).await?.into_iter();
            Ok(found.map(|found| self.found(found)).collect())
        }
        .boxed()
    }

    fn due(&self, partition: u32, second: u64, max: usize) -> BoxFuture<'_, Result<Vec<DueEntry>, StoreError>> {
        self.inner.due(partition, second, max)
    }

    fn scan<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a Key>,
        max: usize,
    ) -> BoxFuture<'a, Result<Vec<(Key, Versioned)>, StoreError>> {
        async move {
            let mut found = self.inner.scan(prefix, after, max).await?;
            for (_, there) in &mut found {
                read(self.version, &mut there.value);
            }
            Ok(found)
        }
        .boxed()
    }

    fn epoch(&self) -> BoxFuture<'_, Result<Epoch, StoreError>> {
        self.inner.epoch()
    }

    fn adopt(&self, epoch: &Epoch) {
        self.inner.adopt(epoch);
    }

    fn rebuild(&self) -> BoxFuture<'_, Result<Option<Box<dyn Rebuild>>, StoreError>> {
        async move {
            let version = self.version;
            let inner = self.inner.rebuild().await?;
            Ok(inner.map(|inner| Box::new(Rebuilder { inner, version }) as Box<dyn Rebuild>))
        }
        .boxed()
    }
}

impl Rebuild for Rebuilder {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(Values {
            inner: self.inner.store(),
            version: self.version,
        })
    }

    fn finish(self: Box<Self>) -> BoxFuture<'static, Result<Epoch, StoreError>> {
        self.inner.finish()
    }
}

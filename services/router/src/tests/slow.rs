//! A log and a store that take their time, before and after each step, may be away, and may refuse topics.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bus::{Bus, ConsumeError, MemoryBus, Position, PublishError, Record, Subscribe, Topic, TopicSpec};
use futures::{FutureExt, future::BoxFuture};
use service::{Dice, time};
use store::{Applied, DueEntry, Key, MemoryStore, Op, Store, StoreError, Versioned};

/// Longest pause, in milliseconds.
const PAUSE_MAX: u64 = 30;
/// The carrier whose topics may be refused.
pub(super) const BARRED: &str = "barred";

pub(super) struct Slow<T> {
    pub(super) inner: T,
    pub(super) dice: Dice,
    pub(super) is_away: Arc<AtomicBool>,
    pub(super) is_barring: Arc<AtomicBool>,
}

impl<T> Slow<T> {
    fn pause(&self) -> impl Future<Output = ()> + Send + use<T> {
        time::sleep(Duration::from_millis(self.dice.below(PAUSE_MAX)))
    }
}

impl Slow<MemoryStore> {
    fn check(&self) -> Result<(), StoreError> {
        match self.is_away.load(Ordering::Relaxed) {
            true => Err(StoreError::Away("pulled".to_owned())),
            false => Ok(()),
        }
    }
}

impl Bus for Slow<MemoryBus> {
    fn ensure<'a>(&'a self, topics: &'a [TopicSpec]) -> BoxFuture<'a, Result<(), PublishError>> {
        let is_barred = |spec: &TopicSpec| spec.topic.as_str().contains(BARRED);
        if self.is_barring.load(Ordering::Relaxed) && topics.iter().any(is_barred) {
            let refused = PublishError::Away("not authorized".to_owned());
            return std::future::ready(Err(refused)).boxed();
        }
        self.inner.ensure(topics)
    }

    fn publish<'a>(
        &'a self,
        topic: &'a Topic,
        records: Vec<Record>,
    ) -> BoxFuture<'a, Result<bus::Commit, PublishError>> {
        async move {
            self.pause().await;
            if self.is_away.load(Ordering::Relaxed) {
                return Err(PublishError::Away("pulled".to_owned()));
            }
            let commit = self.inner.publish(topic, records).await?;
            let pause = self.pause();
            Ok(bus::Commit::new(async move {
                pause.await;
                commit.await
            }))
        }
        .boxed()
    }

    fn subscribe<'a>(
        &'a self,
        group: &'a str,
        topics: &'a [Topic],
    ) -> BoxFuture<'a, Result<Box<dyn Subscribe>, ConsumeError>> {
        self.inner.subscribe(group, topics)
    }

    fn read<'a>(&'a self, topic: &'a Topic, from: Position) -> BoxFuture<'a, Result<Box<dyn bus::Read>, ConsumeError>> {
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

impl Store for Slow<MemoryStore> {
    fn apply(&self, ops: Vec<Op>) -> BoxFuture<'_, Result<(Vec<Applied>, store::Commit), StoreError>> {
        async move {
            self.pause().await;
            self.check()?;
            let applied = self.inner.apply(ops).await?;
            self.pause().await;
            Ok(applied)
        }
        .boxed()
    }

    fn get(&self, keys: Vec<Key>) -> BoxFuture<'_, Result<Vec<Option<Versioned>>, StoreError>> {
        async move {
            self.check()?;
            let found = self.inner.get(keys).await;
            self.pause().await;
            found
        }
        .boxed()
    }

    fn due(&self, partition: u32, second: u64, max: usize) -> BoxFuture<'_, Result<Vec<DueEntry>, StoreError>> {
        match self.check() {
            Ok(()) => self.inner.due(partition, second, max),
            Err(error) => std::future::ready(Err(error)).boxed(),
        }
    }

    fn scan<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a Key>,
        max: usize,
    ) -> BoxFuture<'a, Result<Vec<(Key, Versioned)>, StoreError>> {
        self.inner.scan(prefix, after, max)
    }

    fn epoch(&self) -> BoxFuture<'_, Result<store::Epoch, StoreError>> {
        self.inner.epoch()
    }

    fn adopt(&self, epoch: &store::Epoch) {
        self.inner.adopt(epoch);
    }

    fn rebuild(&self) -> BoxFuture<'_, Result<Option<Box<dyn store::Rebuild>>, StoreError>> {
        self.inner.rebuild()
    }
}

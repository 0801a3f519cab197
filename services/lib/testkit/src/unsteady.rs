//! A log and a store that take a moment, and at times answer nobody: wrappers around those in memory.
//!
//! While one is away, a call fails; whether what was asked for was done all the same is a matter of dice, as it is with a
//! lost answer. What was promised before holds: a commit that resolved to `Ok` stays.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bus::{
    Batch, Bus, ConsumeError, Delivered, MemoryBus, PartitionId, Position, PublishError, Read, Record, Stored,
    Subscribe, Topic, TopicSpec,
};
use futures::{FutureExt, future::BoxFuture};
use service::{Dice, time};
use store::{Applied, DueEntry, Epoch, Key, Op, Rebuild, Store, StoreError, Versioned};

/// How long a call waits before it says that nobody answers.
const NO_ANSWER: Duration = Duration::from_millis(50);

/// What the log and the store are like at the moment. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Weather {
    pub(crate) bus_away: Arc<AtomicBool>,
    pub(crate) store_away: Arc<AtomicBool>,
    pub(crate) is_slow: Arc<AtomicBool>,
}

/// The log as one process sees it.
pub(crate) struct UnsteadyBus {
    pub(crate) inner: MemoryBus,
    pub(crate) weather: Weather,
    pub(crate) dice: Dice,
}

/// The store as one process sees it.
pub(crate) struct UnsteadyStore {
    pub(crate) inner: Arc<dyn Store>,
    pub(crate) weather: Weather,
    pub(crate) dice: Dice,
}

/// One who rebuilds a store that takes a moment.
struct UnsteadyRebuild {
    inner: Box<dyn Rebuild>,
    weather: Weather,
    dice: Dice,
}

struct UnsteadyReader {
    inner: Box<dyn Read>,
    is_away: Arc<AtomicBool>,
}

struct UnsteadyMember {
    inner: Box<dyn Subscribe>,
    is_away: Arc<AtomicBool>,
}

impl Weather {
    /// A moment, mostly none, rarely a long one.
    async fn moment(&self, dice: &Dice) {
        let spread = if self.is_slow.load(Ordering::Relaxed) {
            dice.below(100)
        } else {
            0
        };
        let moment = match spread {
            0..60 => 0,
            60..97 => 1 + dice.below(15),
            _ => 15 + dice.below(400),
        };
        if moment > 0 {
            time::sleep(Duration::from_millis(moment)).await;
        }
    }
}

fn is_set(flag: &AtomicBool) -> bool {
    flag.load(Ordering::Relaxed)
}

const AWAY: &str = "nobody answers";

impl UnsteadyBus {
    /// What is published while the log is away may be stored; nobody hears of it.
    async fn publish_unheard(&self, topic: &Topic, records: Vec<Record>) -> PublishError {
        if self.dice.below(2) == 0
            && let Err(error) = self.inner.publish(topic, records).await
        {
            return error;
        }
        time::sleep(NO_ANSWER).await;
        PublishError::Away(AWAY.to_owned())
    }
}

impl Bus for UnsteadyBus {
    fn ensure<'a>(&'a self, topics: &'a [TopicSpec]) -> BoxFuture<'a, Result<(), PublishError>> {
        async move {
            if is_set(&self.weather.bus_away) {
                time::sleep(NO_ANSWER).await;
                return Err(PublishError::Away(AWAY.to_owned()));
            }
            self.inner.ensure(topics).await
        }
        .boxed()
    }

    fn publish<'a>(
        &'a self,
        topic: &'a Topic,
        records: Vec<Record>,
    ) -> BoxFuture<'a, Result<bus::Commit, PublishError>> {
        async move {
            self.weather.moment(&self.dice).await;
            if is_set(&self.weather.bus_away) {
                return Err(self.publish_unheard(topic, records).await);
            }
            let commit = self.inner.publish(topic, records).await?;
            let (weather, dice) = (self.weather.clone(), self.dice.fork());
            let unsteady = async move {
                weather.moment(&dice).await;
                match is_set(&weather.bus_away) {
                    true => Err(PublishError::Away(AWAY.to_owned())),
                    false => commit.await,
                }
            };
            Ok(unsteady.boxed())
        }
        .boxed()
    }

    fn subscribe<'a>(
        &'a self,
        group: &'a str,
        topics: &'a [Topic],
    ) -> BoxFuture<'a, Result<Box<dyn Subscribe>, ConsumeError>> {
        async move {
            if is_set(&self.weather.bus_away) {
                time::sleep(NO_ANSWER).await;
                return Err(ConsumeError::Away(AWAY.to_owned()));
            }
            let inner = self.inner.subscribe(group, topics).await?;
            let is_away = Arc::clone(&self.weather.bus_away);
            let member: Box<dyn Subscribe> = Box::new(UnsteadyMember { inner, is_away });
            Ok(member)
        }
        .boxed()
    }

    fn read<'a>(&'a self, topic: &'a Topic, from: Position) -> BoxFuture<'a, Result<Box<dyn Read>, ConsumeError>> {
        async move {
            if is_set(&self.weather.bus_away) {
                time::sleep(NO_ANSWER).await;
                return Err(ConsumeError::Away(AWAY.to_owned()));
            }
            let inner = self.inner.read(topic, from).await?;
            let is_away = Arc::clone(&self.weather.bus_away);
            let reader: Box<dyn Read> = Box::new(UnsteadyReader { inner, is_away });
            Ok(reader)
        }
        .boxed()
    }

    fn partitions(&self, topic: &Topic) -> Option<u32> {
        self.inner.partitions(topic)
    }

    fn check(&self) -> BoxFuture<'_, Result<(), PublishError>> {
        match is_set(&self.weather.bus_away) {
            true => std::future::ready(Err(PublishError::Away(AWAY.to_owned()))).boxed(),
            false => self.inner.check(),
        }
    }

    fn close(&self, limit: Duration) -> BoxFuture<'_, Result<(), PublishError>> {
        self.inner.close(limit)
    }
}

impl Subscribe for UnsteadyMember {
    fn next_batch(&mut self, records_max: usize) -> BoxFuture<'_, Result<Batch, ConsumeError>> {
        async move {
            // A batch that was waited for is handed out even if the log went away meanwhile: it was sent before.
            if is_set(&self.is_away) {
                time::sleep(NO_ANSWER).await;
                return Err(ConsumeError::Away(AWAY.to_owned()));
            }
            self.inner.next_batch(records_max).await
        }
        .boxed()
    }

    fn ack<'a>(&'a mut self, batch: &'a Delivered) -> BoxFuture<'a, Result<(), ConsumeError>> {
        async move {
            if is_set(&self.is_away) {
                return Err(ConsumeError::Away(AWAY.to_owned()));
            }
            self.inner.ack(batch).await
        }
        .boxed()
    }

    fn owned(&self) -> Vec<(Topic, PartitionId)> {
        self.inner.owned()
    }

    fn backlog(&self) -> u64 {
        self.inner.backlog()
    }
}

impl Read for UnsteadyReader {
    fn next(&mut self, records_max: usize) -> BoxFuture<'_, Result<Vec<Stored>, ConsumeError>> {
        self.inner.next(records_max)
    }

    fn poll(&mut self, records_max: usize) -> BoxFuture<'_, Result<Vec<Stored>, ConsumeError>> {
        async move {
            if is_set(&self.is_away) {
                time::sleep(NO_ANSWER).await;
                return Err(ConsumeError::Away(AWAY.to_owned()));
            }
            self.inner.poll(records_max).await
        }
        .boxed()
    }

    fn position(&self) -> Position {
        self.inner.position()
    }
}

impl UnsteadyStore {
    async fn answers(&self) -> Result<(), StoreError> {
        self.weather.moment(&self.dice).await;
        if !is_set(&self.weather.store_away) {
            return Ok(());
        }
        time::sleep(NO_ANSWER).await;
        Err(StoreError::Away(AWAY.to_owned()))
    }
}

impl Store for UnsteadyStore {
    fn apply(&self, ops: Vec<Op>) -> BoxFuture<'_, Result<(Vec<Applied>, store::Commit), StoreError>> {
        async move {
            if let Err(error) = self.answers().await {
                if self.dice.below(2) == 0 {
                    drop(self.inner.apply(ops).await?);
                }
                return Err(error);
            }
            let (applied, commit) = self.inner.apply(ops).await?;
            let (weather, dice) = (self.weather.clone(), self.dice.fork());
            let unsteady = async move {
                weather.moment(&dice).await;
                match is_set(&weather.store_away) {
                    true => Err(StoreError::Away(AWAY.to_owned())),
                    false => commit.await,
                }
            };
            Ok((applied, unsteady.boxed()))
        }
        .boxed()
    }

    fn get(&self, keys: Vec<Key>) -> BoxFuture<'_, Result<Vec<Option<Versioned>>, StoreError>> {
        async move {
            self.answers().await?;
            self.inner.get(keys).await
        }
        .boxed()
    }

    fn due(&self, partition: u32, second: u64, max: usize) -> BoxFuture<'_, Result<Vec<DueEntry>, StoreError>> {
        async move {
            self.answers().await?;
            self.inner.due(partition, second, max).await
        }
        .boxed()
    }

    fn scan<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a Key>,
        max: usize,
    ) -> BoxFuture<'a, Result<Vec<(Key, Versioned)>, StoreError>> {
        async move {
            self.answers().await?;
            self.inner.scan(prefix, after, max).await
        }
        .boxed()
    }

    fn epoch(&self) -> BoxFuture<'_, Result<Epoch, StoreError>> {
        async move {
            self.answers().await?;
            self.inner.epoch().await
        }
        .boxed()
    }

    fn adopt(&self, epoch: &Epoch) {
        self.inner.adopt(epoch);
    }

    fn rebuild(&self) -> BoxFuture<'_, Result<Option<Box<dyn Rebuild>>, StoreError>> {
        async move {
            self.answers().await?;
            let inner = self.inner.rebuild().await?;
            Ok(inner.map(|inner| {
                let (weather, dice) = (self.weather.clone(), self.dice.fork());
                let rebuild: Box<dyn Rebuild> = Box::new(UnsteadyRebuild { inner, weather, dice });
                rebuild
            }))
        }
        .boxed()
    }
}

impl Rebuild for UnsteadyRebuild {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(UnsteadyStore {
            inner: self.inner.store(),
            weather: self.weather.clone(),
            dice: self.dice.fork(),
        })
    }

    fn finish(self: Box<Self>) -> BoxFuture<'static, Result<Epoch, StoreError>> {
        async move {
            self.weather.moment(&self.dice).await;
            self.inner.finish().await
        }
        .boxed()
    }
}

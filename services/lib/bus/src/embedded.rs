//! The log on the disk of this machine: for one process that does everything. A commit resolves after the sync that covers it.

use std::{sync::Arc, time::Duration};

use disk::Disk;
use futures::{FutureExt, future::BoxFuture};

use crate::{
    Bus, Clock, Commit, ConsumeError, Position, PublishError, Read, Record, Subscribe, Topic, TopicSpec, local::Local,
};

/// A log on disk. Cheap to clone; clones are the same log. The disk stays open until the last clone, subscriber and reader
/// of it are dropped.
///
/// Readers see records before they are safe, and so does everything derived from them: all of it is in one log, so a crash
/// loses the derived with what it was derived from. Await a commit before a consequence leaves the process.
#[derive(Clone)]
pub struct EmbeddedBus {
    local: Arc<Local>,
}

impl EmbeddedBus {
    /// The log on `disk`; `clock` says the time in milliseconds since the epoch.
    ///
    /// # Errors
    /// The disk is away.
    pub fn open(disk: Arc<Disk>, clock: Clock) -> Result<Self, PublishError> {
        Ok(Self {
            local: Local::open(disk, clock)?,
        })
    }

    /// Drops what is older than its retention, without reading it. Publishing does the same now and then; a log that nobody
    /// publishes to may be told from time to time.
    ///
    /// # Errors
    /// The disk is away; what was not dropped will be another time.
    pub fn maintain(&self) -> Result<(), PublishError> {
        Ok(self.local.maintain()?)
    }
}

impl Bus for EmbeddedBus {
    fn ensure<'a>(&'a self, topics: &'a [TopicSpec]) -> BoxFuture<'a, Result<(), PublishError>> {
        async move { self.local.ensure(topics)?.await }.boxed()
    }

    fn publish<'a>(&'a self, topic: &'a Topic, records: Vec<Record>) -> BoxFuture<'a, Result<Commit, PublishError>> {
        async move {
            self.local.room().await?;
            self.local.publish(topic, records)
        }
        .boxed()
    }

    fn subscribe<'a>(
        &'a self,
        group: &'a str,
        topics: &'a [Topic],
    ) -> BoxFuture<'a, Result<Box<dyn Subscribe>, ConsumeError>> {
        async move { self.local.subscribe(group, topics) }.boxed()
    }

    fn read<'a>(&'a self, topic: &'a Topic, from: Position) -> BoxFuture<'a, Result<Box<dyn Read>, ConsumeError>> {
        async move { self.local.read(topic, &from) }.boxed()
    }

    fn partitions(&self, topic: &Topic) -> Option<u32> {
        self.local.partitions(topic)
    }

    fn check(&self) -> BoxFuture<'_, Result<(), PublishError>> {
        std::future::ready(self.local.publishable()).boxed()
    }

    fn close(&self, limit: Duration) -> BoxFuture<'_, Result<(), PublishError>> {
        self.local.close(limit).boxed()
    }
}

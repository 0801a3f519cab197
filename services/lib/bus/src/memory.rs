//! The log in memory: for tests and simulation. Commits are safe at once, for as long as the process lives.

use std::{sync::Arc, time::Duration};

use futures::{FutureExt, future::BoxFuture};

use crate::{
    Bus, Clock, Commit, ConsumeError, Position, PublishError, Read, Record, Subscribe, Topic, TopicSpec, local::Local,
};

/// A log that lives as long as the process. Cheap to clone; clones are the same log.
///
/// It keeps what its retention says, without a limit on octets, since nothing is below it.
#[derive(Clone)]
pub struct MemoryBus {
    local: Arc<Local>,
}

impl MemoryBus {
    /// An empty log; `clock` says the time in milliseconds since the epoch.
    pub fn new(clock: Clock) -> Self {
        Self {
            local: Local::new(clock),
        }
    }
}

impl Bus for MemoryBus {
    fn ensure<'a>(&'a self, topics: &'a [TopicSpec]) -> BoxFuture<'a, Result<(), PublishError>> {
        std::future::ready(self.local.ensure(topics).map(drop)).boxed()
    }

    fn publish<'a>(&'a self, topic: &'a Topic, records: Vec<Record>) -> BoxFuture<'a, Result<Commit, PublishError>> {
        async move { self.local.publish(topic, records) }.boxed()
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

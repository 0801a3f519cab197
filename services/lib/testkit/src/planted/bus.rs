//! A log with a bug.

use std::{sync::Arc, time::Duration};

use bus::{
    Batch, Bus, Commit, ConsumeError, Delivered, PartitionId, Position, PublishError, Read, Record, Subscribe, Topic,
    TopicSpec,
};
use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use service::Dice;
use signalbox_proto::record;
use sms::{Content, Msisdn};

use super::Bug;

/// One in so many publishes, messages or orders is hit by a bug that strikes now and then.
const SELDOM: u64 = 12;

pub(super) struct PlantedBus {
    inner: Arc<dyn Bus>,
    bug: Bug,
    dice: Dice,
}

struct PlantedMember {
    inner: Box<dyn Subscribe>,
    is_mute: bool,
    acks_early: bool,
}

impl PlantedBus {
    pub(super) fn new(inner: Arc<dyn Bus>, bug: Bug, dice: Dice) -> Self {
        Self { inner, bug, dice }
    }

    fn strikes(&self) -> bool {
        self.dice.below(SELDOM) == 0
    }

    /// The records as they go out.
    fn spoil(&self, topic: &Topic, records: Vec<Record>) -> Vec<Record> {
        match self.bug {
            Bug::PublishTwice if is_of(topic, "accepted") => {
                let twins: Vec<_> = records.iter().filter_map(|record| self.twin(record)).collect();
                records.into_iter().chain(twins).collect()
            }
            Bug::Misaddress | Bug::AlterContent if is_of(topic, "dispatch") => {
                records.into_iter().map(|record| self.altered(record)).collect()
            }
            _ => records,
        }
    }

    fn twin(&self, record: &Record) -> Option<Record> {
        let mut message = record::accepted_from_bytes(&record.value).ok()?;
        message.id = self.dice.message_id(message.id.precise_instant());
        self.strikes()
            .then(|| Record::new(record.key, record::accepted_to_bytes(&message)))
    }

    fn altered(&self, record: Record) -> Record {
        if !self.strikes() {
            return record;
        }
        let Ok(mut order) = record::order_from_bytes(&record.value) else {
            return record;
        };
        match (self.bug, &mut order.message.content) {
            (Bug::Misaddress, _) => order.message.to = Msisdn::new("33612000999").expect("it is a number"),
            (_, Content::Text(text)) => text.insert(0, 'x'),
            (_, Content::Binary { data, .. }) => *data = Bytes::from_static(b"x"),
        }
        Record::new(record.key, record::order_to_bytes(&order))
    }
}

impl Bus for PlantedBus {
    fn ensure<'a>(&'a self, topics: &'a [TopicSpec]) -> BoxFuture<'a, Result<(), PublishError>> {
        self.inner.ensure(topics)
    }

    fn publish<'a>(&'a self, topic: &'a Topic, records: Vec<Record>) -> BoxFuture<'a, Result<Commit, PublishError>> {
        if self.bug == Bug::LosePublish && self.strikes() {
            return std::future::ready(Ok(Commit::done())).boxed();
        }
        self.inner.publish(topic, self.spoil(topic, records))
    }

    fn subscribe<'a>(
        &'a self,
        group: &'a str,
        topics: &'a [Topic],
    ) -> BoxFuture<'a, Result<Box<dyn Subscribe>, ConsumeError>> {
        async move {
            let inner = self.inner.subscribe(group, topics).await?;
            let is_mute = match self.bug {
                Bug::ForgetWaiting => topics.iter().all(|topic| is_of(topic, "retry")),
                Bug::ForgetDead => topics.iter().all(|topic| is_of(topic, "dead")),
                Bug::MuteReceipts => topics.iter().all(|topic| is_of(topic, "receipts")),
                _ => false,
            };
            let member: Box<dyn Subscribe> = Box::new(PlantedMember {
                inner,
                is_mute,
                acks_early: self.bug == Bug::AckEarly,
            });
            Ok(member)
        }
        .boxed()
    }

    fn read<'a>(&'a self, topic: &'a Topic, from: Position) -> BoxFuture<'a, Result<Box<dyn Read>, ConsumeError>> {
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

impl Subscribe for PlantedMember {
    fn next_batch(&mut self, records_max: usize) -> BoxFuture<'_, Result<Batch, ConsumeError>> {
        async move {
            if self.is_mute {
                return std::future::pending().await;
            }
            let batch = self.inner.next_batch(records_max).await?;
            if self.acks_early {
                // One that fails is acked by the next.
                let _ = self.inner.ack(&batch.delivered).await;
            }
            Ok(batch)
        }
        .boxed()
    }

    fn ack<'a>(&'a mut self, batch: &'a Delivered) -> BoxFuture<'a, Result<(), ConsumeError>> {
        self.inner.ack(batch)
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

/// Whether `topic` is one of `kind`.
fn is_of(topic: &Topic, kind: &str) -> bool {
    topic.as_str().split('.').nth(1) == Some(kind)
}

//! The log as one process sees it.

use std::time::Duration;

use bus::{
    Batch, Bus, Commit, ConsumeError, Delivered, MemoryBus, PartitionId, Position, PublishError, Read, Record, Stored,
    Subscribe, Topic, TopicSpec,
};
use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use journey::Delayed;
use service::time;
use signalbox_proto::{record, topics};
use sms::{Lane, RecordKey};

use super::{AWAY, Fate, NO_ANSWER, is_set};

/// One in so many records is torn, while the log tears some.
const TORN: u64 = 20;

pub(crate) struct UnsteadyBus {
    pub(crate) inner: MemoryBus,
    pub(crate) fate: Fate,
}

struct UnsteadyReader {
    inner: Box<dyn Read>,
    fate: Fate,
}

struct UnsteadyMember {
    inner: Box<dyn Subscribe>,
    fate: Fate,
}

impl Fate {
    async fn log_answers(&self) -> Result<(), ConsumeError> {
        if !is_set(&self.weather.bus_away) {
            return Ok(());
        }
        time::sleep(NO_ANSWER).await;
        Err(ConsumeError::Away(AWAY.to_owned()))
    }
}

impl UnsteadyBus {
    /// What is published while the log is away may be stored; nobody hears of it.
    async fn publish_unheard(&self, topic: &Topic, records: Vec<Record>) -> PublishError {
        if self.fate.dice.below(2) == 0
            && let Err(error) = self.inner.publish(topic, records).await
        {
            return error;
        }
        time::sleep(NO_ANSWER).await;
        PublishError::Away(AWAY.to_owned())
    }

    /// `records` as they reach the log.
    fn tear(&self, topic: &Topic, mut records: Vec<Record>) -> Vec<Record> {
        let weather = &self.fate.weather;
        if !is_set(&weather.bus_tears) {
            return records;
        }
        let dice = &self.fate.dice;
        for record in records.iter_mut().filter(|record| may_be_torn(topic, record)) {
            if dice.below(TORN) > 0 {
                continue;
            }
            let mut octets = record.value.to_vec();
            let at = dice.below(octets.len() as u64) as usize;
            match dice.below(2) {
                0 => octets.truncate(at),
                _ => octets[at] ^= 1 << dice.below(8),
            }
            record.value = Bytes::from(octets);
            weather.tore(record.key);
        }
        records
    }

    async fn publish_all(&self, topic: &Topic, records: Vec<Record>) -> Result<Commit, PublishError> {
        self.fate.moment().await;
        let records = self.tear(topic, records);
        if is_set(&self.fate.weather.bus_away) {
            return Err(self.publish_unheard(topic, records).await);
        }
        let commit = self.inner.publish(topic, records).await?;
        let fate = self.fate.fork();
        let safe = async move {
            let unsteady = async {
                fate.moment().await;
                match is_set(&fate.weather.bus_away) {
                    true => Err(PublishError::Away(AWAY.to_owned())),
                    false => commit.await,
                }
            };
            fate.pass(unsteady).await
        };
        Ok(Commit::new(safe))
    }
}

/// Whether `record` of `topic` moves a message on that another record speaks of. A receipt that waits is the only word of what
/// a carrier said: one that is torn cannot be honoured.
fn may_be_torn(topic: &Topic, record: &Record) -> bool {
    let retries = || topics::DELAYS.iter().map(|(word, _)| topics::retry(word));
    let is_wait = || {
        retries()
            .chain(Lane::ALL.map(topics::lookup))
            .any(|wait| wait == *topic)
    };
    let is_message = || {
        let delayed = record::delayed_from_bytes(&record.value, RecordKey(record.key));
        matches!(delayed, Ok(Delayed::Message(_)))
    };
    *topic == topics::outcomes() || topics::carrier_of_dispatch(topic.as_str()).is_some() || (is_wait() && is_message())
}

impl Bus for UnsteadyBus {
    fn ensure<'a>(&'a self, topics: &'a [TopicSpec]) -> BoxFuture<'a, Result<(), PublishError>> {
        let ensure = async move {
            if is_set(&self.fate.weather.bus_away) {
                time::sleep(NO_ANSWER).await;
                return Err(PublishError::Away(AWAY.to_owned()));
            }
            self.inner.ensure(topics).await
        };
        self.fate.pass(ensure).boxed()
    }

    fn publish<'a>(&'a self, topic: &'a Topic, records: Vec<Record>) -> BoxFuture<'a, Result<Commit, PublishError>> {
        self.fate.pass(self.publish_all(topic, records)).boxed()
    }

    fn subscribe<'a>(
        &'a self,
        group: &'a str,
        topics: &'a [Topic],
    ) -> BoxFuture<'a, Result<Box<dyn Subscribe>, ConsumeError>> {
        let join = async move {
            self.fate.log_answers().await?;
            let inner = self.inner.subscribe(group, topics).await?;
            let fate = self.fate.fork();
            let member: Box<dyn Subscribe> = Box::new(UnsteadyMember { inner, fate });
            Ok(member)
        };
        self.fate.pass(join).boxed()
    }

    fn read<'a>(&'a self, topic: &'a Topic, from: Position) -> BoxFuture<'a, Result<Box<dyn Read>, ConsumeError>> {
        let open = async move {
            self.fate.log_answers().await?;
            let inner = self.inner.read(topic, from).await?;
            let fate = self.fate.fork();
            let reader: Box<dyn Read> = Box::new(UnsteadyReader { inner, fate });
            Ok(reader)
        };
        self.fate.pass(open).boxed()
    }

    fn partitions(&self, topic: &Topic) -> Option<u32> {
        self.inner.partitions(topic)
    }

    fn check(&self) -> BoxFuture<'_, Result<(), PublishError>> {
        match is_set(&self.fate.weather.bus_away) {
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
        let (inner, fate) = (&mut self.inner, &self.fate);
        let next = async move {
            // A batch that was waited for is handed out even if the log went away meanwhile: it was sent before.
            fate.log_answers().await?;
            inner.next_batch(records_max).await
        };
        fate.pass(next).boxed()
    }

    fn ack<'a>(&'a mut self, batch: &'a Delivered) -> BoxFuture<'a, Result<(), ConsumeError>> {
        let Self { inner, fate } = self;
        let ack = async {
            if is_set(&fate.weather.bus_away) {
                return Err(ConsumeError::Away(AWAY.to_owned()));
            }
            inner.ack(batch).await
        };
        fate.pass(ack).boxed()
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

impl Read for UnsteadyReader {
    fn next(&mut self, records_max: usize) -> BoxFuture<'_, Result<Vec<Stored>, ConsumeError>> {
        let Self { inner, fate } = self;
        fate.pass(inner.next(records_max)).boxed()
    }

    fn poll(&mut self, records_max: usize) -> BoxFuture<'_, Result<Vec<Stored>, ConsumeError>> {
        let (inner, fate) = (&mut self.inner, &self.fate);
        let poll = async move {
            fate.log_answers().await?;
            inner.poll(records_max).await
        };
        fate.pass(poll).boxed()
    }

    fn position(&self) -> Position {
        self.inner.position()
    }
}

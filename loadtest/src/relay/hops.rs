//! The hops: each reads one topic, asks the store what the router would ask there, publishes the next record of every message, and
//! acks once that is safe.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{bail, ensure};
use bus::{Batch, Bus, Commit, ConsumeError, Delivered, PartitionId, Position, Read, Record, Subscribe, Topic};
use bytes::Bytes;
use futures::{FutureExt as _, future::BoxFuture};
use service::time;
use signalbox_proto::topics::PARTITIONS_DEFAULT;
use store::{Applied, Op, Store};

use super::{
    letters::{Letters, Written},
    topics::Topics,
};

/// Records that the router takes at once.
pub(super) const BATCH_RECORDS_MAX: usize = 500;
/// Batches of one topic whose consequences are not safe yet, as many as the router has.
const UNSAFE_BATCHES_MAX: usize = 8;
/// How long a log may take to serve a topic that was just made, and how often it is asked.
const SERVED_WITHIN: Duration = Duration::from_secs(30);
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// Resolves when all that follows from a batch is safe.
type Safe = BoxFuture<'static, anyhow::Result<()>>;

/// Who does what with the records of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hop {
    /// `accepted`: publishes the order.
    Route,
    /// `orders`: claims, and once that is durable publishes the outcome.
    Connect,
    /// `outcomes`: writes what waits for the receipt and how that is found, and publishes the receipt.
    Wait,
    /// `receipts`: writes the end, and publishes it.
    End,
}

impl Hop {
    /// All of them, in the order of a message.
    pub(super) const ALL: [Self; 4] = [Self::Route, Self::Connect, Self::Wait, Self::End];
}

/// Everything that hops share.
pub(super) struct Line {
    pub(super) bus: Arc<dyn Bus>,
    pub(super) store: Arc<dyn Store>,
    pub(super) topics: Topics,
    pub(super) letters: Letters,
    /// Versions of what waits for receipts, by key, as the router remembers what it wrote.
    versions: Mutex<HashMap<u64, u64>>,
}

impl Line {
    pub(super) fn new(bus: Arc<dyn Bus>, store: Arc<dyn Store>, topics: Topics, letters: Letters) -> Self {
        Self {
            bus,
            store,
            topics,
            letters,
            versions: Mutex::default(),
        }
    }

    /// Reads every event from the first on.
    pub(super) async fn events(&self) -> anyhow::Result<Box<dyn Read>> {
        once_served(async || self.bus.read(&self.topics.events, Position::Start).await).await
    }

    /// Joins the group that reads for `hop`.
    pub(super) async fn join(&self, hop: Hop) -> anyhow::Result<Box<dyn Subscribe>> {
        let topic = match hop {
            Hop::Route => &self.topics.accepted,
            Hop::Connect => &self.topics.orders,
            Hop::Wait => &self.topics.outcomes,
            Hop::End => &self.topics.receipts,
        };
        let group = format!("{topic}.readers");
        once_served(async || self.bus.subscribe(&group, std::slice::from_ref(topic)).await).await
    }

    /// Reads as `member` until `messages` were acked.
    pub(super) async fn run(
        self: Arc<Self>,
        hop: Hop,
        mut member: Box<dyn Subscribe>,
        messages: u64,
    ) -> anyhow::Result<()> {
        let (mut open, mut acked): (VecDeque<(Vec<Delivered>, u64, Safe)>, u64) = (VecDeque::new(), 0);
        while acked < messages {
            // Both arms are cancel-safe: what is open is kept, and so is a batch that was not handed out.
            tokio::select! { biased;
                safe = first(&mut open) => {
                    safe?;
                    let (read, records, _) = open.pop_front().expect("the first one was safe");
                    for delivered in &read {
                        member.ack(delivered).await?;
                    }
                    acked += records;
                }
                batch = member.next_batch(BATCH_RECORDS_MAX), if open.len() < UNSAFE_BATCHES_MAX => {
                    let read = gather(&mut *member, batch?)?;
                    let keys: Vec<u64> = read.iter().flat_map(|batch| &batch.records).map(|stored| stored.key).collect();
                    let safe = self.step(hop, &keys).await?;
                    open.push_back((read.into_iter().map(|batch| batch.delivered).collect(), keys.len() as u64, safe));
                }
            }
        }
        ensure!(
            acked == messages,
            "{acked} records of {messages} messages came to {hop:?}"
        );
        Ok(())
    }

    /// Does what follows for the messages of `keys`; batches may overlap in what they wait for.
    async fn step(self: &Arc<Self>, hop: Hop, keys: &[u64]) -> anyhow::Result<Safe> {
        let topics = &self.topics;
        match hop {
            Hop::Route => {
                let sent = self.publish(&topics.orders, keys, |written| &written.order).await?;
                Ok(async move { Ok(sent.patiently().await?) }.boxed())
            }
            Hop::Connect => {
                let claims = keys.iter().map(|key| self.letters.claim(*key)).collect();
                let (claimed, durable) = self.apply(claims).await?;
                ensure!(
                    claimed.iter().all(|claim| *claim == Applied::Claimed),
                    "a claim was not won"
                );
                let (line, keys) = (Arc::clone(self), keys.to_vec());
                // Here the router would write to the carrier, so that nothing goes on before this is durable.
                Ok(async move {
                    durable.await?;
                    let outcomes = &line.topics.outcomes;
                    let sent = line.publish(outcomes, &keys, |written| &written.outcome).await?;
                    Ok(sent.patiently().await?)
                }
                .boxed())
            }
            Hop::Wait => {
                let partition = |key: u64| PartitionId::of(key, PARTITIONS_DEFAULT).0;
                let ops = keys.iter().flat_map(|key| self.letters.wait(*key, partition(*key)));
                let (applied, durable) = self.apply(ops.collect()).await?;
                self.remember(keys, applied)?;
                let sent = self.publish(&topics.receipts, keys, |written| &written.receipt).await?;
                Ok(both(durable, sent))
            }
            Hop::End => {
                let ops = self.end(keys)?;
                let (applied, durable) = self.apply(ops).await?;
                ensure!(
                    applied.iter().all(|applied| matches!(applied, Applied::Written(_))),
                    "an end was not written"
                );
                let sent = self.publish(&topics.events, keys, |written| &written.event).await?;
                Ok(both(durable, sent))
            }
        }
    }

    /// Hands the records that `form` picks to the log.
    pub(super) async fn publish(
        &self,
        topic: &Topic,
        keys: &[u64],
        form: impl Fn(&Written) -> &Bytes,
    ) -> anyhow::Result<Commit> {
        let record = |key: &u64| Record::new(*key, form(self.letters.of(*key)).clone());
        Ok(self.bus.publish(topic, keys.iter().map(record).collect()).await?)
    }

    async fn apply(&self, ops: Vec<Op>) -> anyhow::Result<(Vec<Applied>, store::Commit)> {
        Ok(self.store.apply(ops).await?)
    }

    /// Keeps the versions of states, each followed by what was said of its correlation.
    fn remember(&self, keys: &[u64], applied: Vec<Applied>) -> anyhow::Result<()> {
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, applied) in keys.iter().zip(applied.into_iter().step_by(2)) {
            match applied {
                Applied::Written(version) => versions.insert(*key, version),
                other => bail!("what waits for a receipt was not written: {other:?}"),
            };
        }
        Ok(())
    }

    fn end(&self, keys: &[u64]) -> anyhow::Result<Vec<Op>> {
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ops = Vec::with_capacity(keys.len());
        for key in keys {
            let Some(version) = versions.remove(key) else {
                bail!("a receipt came twice, or before its message")
            };
            ops.push(self.letters.end(*key, version));
        }
        Ok(ops)
    }
}

/// Asks again while the log is away: a broker may take a moment to serve a topic that it has just made.
async fn once_served<T>(ask: impl AsyncFn() -> Result<T, ConsumeError>) -> anyhow::Result<T> {
    let until = time::now() + SERVED_WITHIN;
    loop {
        match ask().await {
            Err(ConsumeError::Away(_)) if time::now() < until => time::sleep(ASK_AGAIN).await,
            asked => return Ok(asked?),
        }
    }
}

/// Resolves when the first of `open` is safe; waits for ever while there is none.
async fn first(open: &mut VecDeque<(Vec<Delivered>, u64, Safe)>) -> anyhow::Result<()> {
    match open.front_mut() {
        Some((_, _, safe)) => safe.await,
        None => std::future::pending().await,
    }
}

/// What is written and published can be read before it is safe, so that only the ack waits.
fn both(durable: store::Commit, sent: Commit) -> Safe {
    async move {
        durable.patiently().await?;
        Ok(sent.patiently().await?)
    }
    .boxed()
}

/// Adds what other partitions hold right now, as the router does.
fn gather(member: &mut dyn Subscribe, first: Batch) -> anyhow::Result<Vec<Batch>> {
    let mut left = BATCH_RECORDS_MAX.saturating_sub(first.records.len());
    let mut read = vec![first];
    while left > 0 {
        let Some(batch) = member.next_batch(left).now_or_never() else {
            break;
        };
        let batch = batch?;
        left = left.saturating_sub(batch.records.len());
        read.push(batch);
    }
    Ok(read)
}

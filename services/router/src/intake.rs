//! Reads one topic in batches, hands each to its handler, and acks in order once everything it led to is safe.

mod open;

use std::{sync::Arc, time::Duration};

use bus::{Batch, ConsumeError, Delivered, Stored, Subscribe, Topic};
use futures::{FutureExt, future::BoxFuture};
use service::{
    Stop,
    time::{self, Instant},
};
use signalbox_proto::topics;
use sms::Lane;
use tracing::{debug, info, warn};

use crate::{
    Error,
    desk::{Desk, RETRY, TOLD},
    pressure::Held,
};
use open::Open;

/// The group that reads what waits: these topics are idle most of the time, so that they share one link to the log.
const WAITING: &str = "router.waiting";
/// The group that reads what waits for look-ups.
const LOOK_UPS: &str = "router.lookup";
/// Batches of one topic whose consequences are not safe yet. More of them hide the log's sync better.
const UNSAFE_BATCHES_MAX: usize = 8;
/// How often a loop says which partitions it owns, or how much waits there.
const OWNED_EVERY: Duration = Duration::from_millis(250);

/// What is left to do for a batch once its state is in the store; batches may overlap in it.
pub(crate) type After = BoxFuture<'static, Result<(), Error>>;

/// Whether what was read is done over. What is learnt from it beside the store must be learnt once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    First,
    Again,
}

/// What is done with the records of one topic.
pub(crate) trait Handle: Send + Sync + 'static {
    /// Whether the partitions of this topic are those whose timers the router looks at.
    const OWNS_TIMERS: bool = false;
    /// Batches of which not all is safe yet.
    const BATCHES_MAX: usize = UNSAFE_BATCHES_MAX;
    /// Least time between two reads, so that what comes in drops is read together; what comes after a lull is read at once.
    const PACE: Duration = Duration::ZERO;
    /// Whether it wants to know how many records wait unread.
    const COUNTS_UNREAD: bool = false;

    /// The lane of accepted messages that is read, so that it is known how far the router is behind in it.
    fn lane(&self) -> Option<Lane> {
        None
    }

    /// Hears how many records wait unread, now and then.
    fn unread(&self, _desk: &Arc<Desk>, _records: u64) {}

    /// Folds and decides what was `read`. What a topic holds gets here one after the other, and more than once where the
    /// store is lost.
    fn handle<'a>(&'a self, desk: &'a Arc<Desk>, read: &'a [Batch], turn: Turn) -> BoxFuture<'a, Result<After, Error>>;
}

/// The records of what was read, each with its topic.
pub(crate) fn records(read: &[Batch]) -> impl Iterator<Item = (&Topic, &Stored)> {
    read.iter()
        .flat_map(|batch| batch.records.iter().map(|stored| (&batch.delivered.topic, stored)))
}

/// The group that reads a busy topic.
pub(crate) fn group_of(topic: &Topic) -> String {
    format!("router.{}", topic.as_str().trim_start_matches("signalbox."))
}

/// One topic read as a member of a router's group.
pub(crate) struct Intake {
    topic: Topic,
    subscription: Box<dyn Subscribe>,
}

impl Intake {
    /// Reads each of `busy` and `waiting` through a member of its own, in that order; waits while the log is away.
    ///
    /// A log hands out the partitions of one group by their number alone, so that of one group for everything, one router
    /// could get all that is busy and the next one all that is idle. Each busy topic is therefore a group of its own.
    pub(crate) async fn join(desk: &Arc<Desk>, busy: Vec<Topic>, waiting: Vec<Topic>) -> Result<Vec<Self>, Error> {
        let mut intakes = Vec::with_capacity(busy.len() + waiting.len());
        for topic in busy {
            intakes.extend(Self::join_group(desk, &group_of(&topic), vec![topic]).await?);
        }
        intakes.extend(Self::join_group(desk, WAITING, waiting).await?);
        Ok(intakes)
    }

    /// Reads what waits for look-ups, a member for each lane: one link to the log, as most of them are idle at most routers.
    pub(crate) async fn join_look_ups(desk: &Arc<Desk>) -> Result<Vec<Self>, Error> {
        Self::join_group(desk, LOOK_UPS, Lane::ALL.map(topics::lookup).into()).await
    }

    async fn join_group(desk: &Arc<Desk>, group: &str, topics: Vec<Topic>) -> Result<Vec<Self>, Error> {
        loop {
            match desk.bus().subscribe_each(group, &topics).await {
                Ok(members) => {
                    let intake = |(topic, subscription)| Self { topic, subscription };
                    return Ok(topics.into_iter().zip(members).map(intake).collect());
                }
                Err(error) => {
                    let is_away = matches!(error, ConsumeError::Away(_));
                    desk.away("the log", &error, is_away).await.map_err(|()| error)?;
                }
            }
        }
    }

    /// The topic, and the member that reads it.
    pub(crate) fn into_parts(self) -> (Topic, Box<dyn Subscribe>) {
        (self.topic, self.subscription)
    }

    /// Reads until `stop`, then finishes what was handed out.
    pub(crate) async fn run<H: Handle>(self, desk: Arc<Desk>, handler: H, stop: Stop) -> Result<(), Error> {
        let (topic, mut subscription) = self.into_parts();
        let mut open = Open::default();
        let mut held = Held::new(handler.lane());
        let mut owned_tick = time::every(OWNED_EVERY);
        let mut read_at = time::now();
        let mut is_stopping = false;
        loop {
            if H::OWNS_TIMERS {
                desk.set_owned(subscription.owned().iter().map(|(_, partition)| partition.0).collect());
            }
            if H::COUNTS_UNREAD {
                handler.unread(&desk, subscription.backlog());
            }
            tokio::select! {
                biased;
                Some((done, read)) = open.next() => {
                    if let Err(error) = done {
                        open.beside(again(&desk, &handler, &read, error)).await?;
                    }
                    for batch in read {
                        ack(&mut *subscription, batch.delivered).await?;
                    }
                    held.end(&desk);
                }
                () = stop.requested(), if !is_stopping => is_stopping = true,
                _ = owned_tick.tick(), if (H::OWNS_TIMERS || H::COUNTS_UNREAD) && !is_stopping => {}
                batch = next_batch(&mut *subscription, read_at, desk.config.batch_records_max),
                    if !is_stopping && open.len() < H::BATCHES_MAX =>
                {
                    if let Some(batch) = read(batch).await? {
                        read_at = time::now() + H::PACE;
                        let read = gather(&mut *subscription, batch, desk.config.batch_records_max)?;
                        debug!(%topic, partitions = read.len(), "batch");
                        held.begin(&desk, &read, subscription.backlog());
                        let after = open.beside(handle(&desk, &handler, &read, Turn::First)).await?;
                        open.push(read, after);
                    }
                }
                else => return Ok(()),
            }
        }
    }
}

/// Hands what was `read` to its handler. A store that was lost meanwhile fails what is left to do, so that it is all done
/// over.
async fn handle<H: Handle>(desk: &Arc<Desk>, handler: &H, read: &[Batch], turn: Turn) -> Result<After, Error> {
    match handler.handle(desk, read, turn).await {
        Err(error) if error.is_away() => Ok(std::future::ready(Err(error)).boxed()),
        handled => handled,
    }
}

/// Does what was read all over while the store cannot say that it is safe; folding again changes nothing.
async fn again<H: Handle>(desk: &Arc<Desk>, handler: &H, read: &[Batch], first: Error) -> Result<(), Error> {
    let mut failed = first;
    loop {
        desk.away("the store", &failed, failed.is_away())
            .await
            .map_err(|()| failed)?;
        match handle(desk, handler, read, Turn::Again).await?.await {
            Ok(()) => return Ok(()),
            Err(error) => failed = error,
        }
    }
}

/// The next batch, not before `at`. Cancel-safe.
async fn next_batch(subscription: &mut dyn Subscribe, at: Instant, records_max: usize) -> Result<Batch, ConsumeError> {
    if at > time::now() {
        time::sleep_until(at).await;
    }
    subscription.next_batch(records_max).await
}

/// The batch, or nothing after a moment if the log cannot be read just now; only a log that was closed stays so.
pub(crate) async fn read(batch: Result<Batch, ConsumeError>) -> Result<Option<Batch>, Error> {
    match batch {
        Ok(batch) => Ok(Some(batch)),
        Err(ConsumeError::Closed) => Err(ConsumeError::Closed.into()),
        Err(error) => {
            if TOLD.is_due("reading") {
                warn!(%error, "cannot read the log, trying again");
            }
            time::sleep(RETRY).await;
            Ok(None)
        }
    }
}

/// Adds what other partitions hold right now, so that a busy topic costs one call to the store for many of them.
fn gather(subscription: &mut dyn Subscribe, first: Batch, records_max: usize) -> Result<Vec<Batch>, Error> {
    let mut left = records_max.saturating_sub(first.records.len());
    let mut read = vec![first];
    while left > 0 {
        match subscription.next_batch(left).now_or_never() {
            Some(Ok(batch)) => {
                left = left.saturating_sub(batch.records.len());
                read.push(batch);
            }
            Some(Err(ConsumeError::Closed)) => return Err(ConsumeError::Closed.into()),
            // The next read waits for it.
            Some(Err(_)) | None => break,
        }
    }
    Ok(read)
}

/// Acks; what is not acked comes again, and folding it again changes nothing.
pub(crate) async fn ack(subscription: &mut dyn Subscribe, delivered: Delivered) -> Result<(), Error> {
    match subscription.ack(&delivered).await {
        Ok(()) => Ok(()),
        Err(ConsumeError::Revoked(topic, partition)) => {
            info!(%topic, partition, "a partition went to another router, which gets its last records again");
            Ok(())
        }
        Err(ConsumeError::Closed) => Err(ConsumeError::Closed.into()),
        Err(error) => {
            warn!(%error, "cannot ack, the records come again after a restart");
            Ok(())
        }
    }
}

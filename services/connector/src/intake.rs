//! Reads one lane of one carrier's orders, decodes them and cuts them into parts, as fast as the pump grants room.

use std::{sync::Arc, time::Duration};

use bus::{Batch, Bus, ConsumeError, Delivered, Stored, Subscribe, Topic};
use service::{LogTime, Seldom, Tasks, Tracer, time};
use signalbox_proto::{
    record::{self, DeadRecord},
    topics,
};
use sms::{CarrierName, Lane};
use tokio::sync::mpsc;
use tracing::{info, warn};

use crate::{
    origin::{Origin, Origins},
    parts::{Cutting, Ready},
    spans::OrderSpans,
    vitals::Vitals,
};

/// Records of one fetch.
const FETCH_RECORDS_MAX: usize = 500;
/// How often the orders left in the log are counted.
const COUNT_EVERY: Duration = Duration::from_millis(500);
/// How often an intake looks which partitions it holds.
const OWNED_EVERY: Duration = Duration::from_secs(1);
/// Wait after the log failed.
const RETRY: Duration = Duration::from_millis(500);

/// A log that is away is found out by every lane, and often.
static TOLD: Seldom = Seldom::new();

/// What an intake reads.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// Index of the intake in its pump.
    pub index: usize,
    /// Which of the pump's memberships of the group this is.
    pub membership: u32,
    /// The carrier.
    pub carrier: CarrierName,
    /// The lane.
    pub lane: Lane,
    /// How messages are cut.
    pub cutting: Cutting,
    /// Says since when partitions are ours, by the log's clock.
    pub log_time: LogTime,
    /// Where traces go.
    pub tracer: Tracer,
}

impl Source {
    fn topic(&self) -> Topic {
        topics::dispatch(&self.carrier, self.lane)
    }
}

/// What the pump asks of an intake.
#[derive(Debug)]
pub(crate) enum Ask {
    /// This many more records may be fetched.
    Grant(usize),
    /// These are done, with everything before them in their partitions.
    Ack(Vec<Delivered>),
    /// Fetch no more; acks go on.
    Stop,
    /// Leave the partitions to others at once when the asks end: this link does not come back for them soon.
    Resign,
}

/// A batch read from the log, decoded.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// Index of the intake.
    pub intake: usize,
    /// The membership under which it was read.
    pub membership: u32,
    /// Names the batch in the ack.
    pub delivered: Delivered,
    /// What the records are, in order.
    pub records: Vec<Content>,
}

/// A record of the log.
#[derive(Debug)]
pub(crate) enum Content {
    /// An order.
    Order(Box<Ready>),
    /// None that we understand, with its key.
    Dead(u64, Box<DeadRecord>),
}

/// What an intake is asked over, and where it reports.
#[derive(Debug)]
pub(crate) struct Ends {
    /// From the pump; closed = it is gone.
    pub asks: mpsc::UnboundedReceiver<Ask>,
    /// To the pump.
    pub fetched: mpsc::UnboundedSender<Fetched>,
    /// Told how much is left in the log.
    pub vitals: Arc<Vitals>,
}

/// Joins the group of `carrier` once and runs one intake for each of its lanes; ends when all of them do.
pub(crate) async fn run_all(carrier: CarrierName, bus: Arc<dyn Bus>, lanes: Vec<(Source, Ends)>) {
    let topics: Vec<_> = lanes.iter().map(|(source, _)| source.topic()).collect();
    let pump = lanes.first().map(|(_, ends)| ends.fetched.clone());
    let Some(pump) = pump else { return };
    let members = tokio::select! {
        biased;
        () = pump.closed() => return,
        members = join(&*bus, &carrier, &topics) => members,
    };
    drop(pump);
    let mut intakes = Tasks::new();
    for ((source, ends), member) in lanes.into_iter().zip(members) {
        intakes.spawn(run(source, member, ends));
    }
    intakes.join_all().await;
}

/// Reads until the pump is gone or the log is closed.
async fn run(source: Source, mut subscription: Box<dyn Subscribe>, ends: Ends) {
    let Ends {
        mut asks,
        fetched,
        vitals,
    } = ends;
    let mut count_tick = time::every(COUNT_EVERY);
    let topic = source.topic();
    let mut granted = 0;
    let mut is_stopped = false;
    let mut origins = Origins::default();
    let mut owned_tick = time::every(OWNED_EVERY);
    loop {
        tokio::select! {
            biased;
            ask = asks.recv() => match ask {
                Some(Ask::Grant(records)) => granted += records,
                Some(Ask::Stop) => is_stopped = true,
                Some(Ask::Resign) => subscription.resign(),
                Some(Ask::Ack(done)) => ack(&mut *subscription, &done).await,
                None => return,
            },
            _ = count_tick.tick() => vitals.set_unread(source.index, subscription.backlog()),
            _ = owned_tick.tick(), if !is_stopped => {
                let owned: Vec<_> = subscription.owned().into_iter().map(|(_, partition)| partition).collect();
                origins.own(&owned, |read| subscription.holds(read), time::now());
            }
            batch = subscription.next_batch(granted.min(FETCH_RECORDS_MAX)), if granted > 0 && !is_stopped => {
                match batch {
                    Ok(batch) => {
                        granted -= batch.records.len().min(granted);
                        if fetched.send(decode(&source, &topic, batch, &mut origins)).is_err() {
                            return;
                        }
                    }
                    Err(ConsumeError::Closed) => is_stopped = true,
                    Err(error) => {
                        if TOLD.is_due("reading") {
                            warn!(carrier = %source.carrier, lane = %source.lane, %error, "cannot read orders, trying again");
                        }
                        time::sleep(RETRY).await;
                    }
                }
            }
        }
    }
}

/// Joins the carrier's group with one member for each of `topics`; tries until it can.
async fn join(bus: &dyn Bus, carrier: &CarrierName, topics: &[Topic]) -> Vec<Box<dyn Subscribe>> {
    let group = format!("connector.{carrier}");
    loop {
        match bus.subscribe_each(&group, topics).await {
            Ok(members) => return members,
            Err(error) if TOLD.is_due("joining") => warn!(%group, %error, "cannot subscribe to orders, trying again"),
            Err(_) => {}
        }
        time::sleep(RETRY).await;
    }
}

async fn ack(subscription: &mut dyn Subscribe, done: &[Delivered]) {
    for delivered in done {
        match subscription.ack(delivered).await {
            Ok(()) => {}
            // Claims keep what comes again elsewhere from being sent again.
            Err(ConsumeError::Revoked(topic, partition)) => {
                info!(%topic, partition, "answered orders of a partition that is somebody else's by now");
            }
            Err(error) => warn!(%error, "cannot ack orders, they come again after a restart"),
        }
    }
}

fn decode(source: &Source, topic: &Topic, batch: Batch, origins: &mut Origins) -> Fetched {
    let stored_at = batch.records.iter().map(|stored| stored.stored_at_ms);
    let origins = origins.enter(&batch.delivered, stored_at, time::now(), &source.log_time);
    let records = batch.records.into_iter().zip(origins);
    Fetched {
        intake: source.index,
        membership: source.membership,
        delivered: batch.delivered,
        records: records
            .map(|(stored, origin)| read(source, topic, stored, origin))
            .collect(),
    }
}

fn read(source: &Source, topic: &Topic, stored: Stored, origin: Origin) -> Content {
    let read = record::order_from_bytes(&stored.value)
        .and_then(|order| record::order_is_for(&order.carrier, source.carrier.as_str()).map(|()| order));
    match read {
        Ok(order) => Content::Order(Box::new(Ready {
            origin,
            spans: OrderSpans::read(&source.tracer, topic, &stored, &order),
            ..Ready::cut(order, source.cutting)
        })),
        Err(invalid) => Content::Dead(stored.key, Box::new(DeadRecord::of(topic.as_str(), &stored, &invalid))),
    }
}

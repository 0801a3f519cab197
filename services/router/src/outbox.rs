//! Records on their way out, one batch per topic.

use std::{collections::BTreeMap, sync::Arc};

use bus::{Commit, PublishError, Record, Stored, Topic};
use bytes::Bytes;
use futures::future::try_join_all;
use journey::{Delayed, Event, Order, ReceiptRecord, Waiting};
use service::Seldom;
use signalbox_proto::{
    record::{self, DeadRecord, Fault, Invalid},
    topics,
};
use sms::{Message, UnixMs};
use tracing::warn;

use crate::{Error, delay::Delay, desk::Desk, metrics};

/// Records that cannot be used seldom come alone.
static UNUSABLE: Seldom = Seldom::new();

/// Records by topic, each topic in order.
#[derive(Default)]
pub(crate) struct Outbox(BTreeMap<Topic, Vec<Record>>);

/// A publish that is under way, with what is needed to do it again.
pub(crate) struct Sent {
    topic: Topic,
    records: Vec<Record>,
    commit: Commit,
}

impl Outbox {
    pub(crate) fn order(&mut self, order: &Order) {
        let topic = topics::dispatch(&order.carrier, order.class().lane());
        metrics::orders(order.carrier.as_str(), 1);
        self.push(topic, order.message.key.0, record::order_to_bytes(order));
    }

    /// A message that nobody but this router accepted.
    pub(crate) fn accepted(&mut self, message: &Message) {
        let topic = topics::accepted(message.class.lane());
        self.push(topic, message.key.0, record::accepted_to_bytes(message));
    }

    pub(crate) fn wait(&mut self, waiting: Box<Waiting>, (word, _): Delay, now: UnixMs) {
        metrics::wait(word);
        let key = waiting.message.key.0;
        self.push(
            topics::retry(word),
            key,
            record::delayed_to_bytes(&Delayed::Message(waiting), now),
        );
    }

    /// A message that waits until it is known who serves its recipient.
    pub(crate) fn look_up(&mut self, waiting: Box<Waiting>, now: UnixMs) {
        let (key, lane) = (waiting.message.key.0, waiting.message.class.lane());
        let value = record::delayed_to_bytes(&Delayed::Message(waiting), now);
        self.push(topics::lookup(lane), key, value);
    }

    pub(crate) fn delay(&mut self, delayed: &Delayed, key: u64, (word, _): Delay, now: UnixMs) {
        self.push(topics::retry(word), key, record::delayed_to_bytes(delayed, now));
    }

    pub(crate) fn event(&mut self, event: &Event) {
        let key = match event {
            Event::Ended(ended) => {
                metrics::end(ended.state.as_str());
                if let Some(carrier) = &ended.carrier {
                    metrics::carrier_end(carrier.as_str(), ended.state.as_str());
                }
                ended.message.key
            }
            Event::Late(late) => {
                metrics::late_receipt();
                late.order.key
            }
        };
        self.push(topics::events(), key.0, record::event_to_bytes(event));
    }

    pub(crate) fn receipt(&mut self, receipt: &ReceiptRecord) {
        self.push(
            topics::receipts(),
            receipt.order.key.0,
            record::receipt_to_bytes(receipt),
        );
    }

    /// Puts a record that cannot be read aside for people, with its octets and the reason.
    pub(crate) fn dead(&mut self, topic: &Topic, stored: &Stored, invalid: &Invalid) {
        self.put_dead(stored.key, &DeadRecord::of(topic.as_str(), stored, invalid));
    }

    /// Puts `dead` aside under `key`, counted and named.
    pub(crate) fn put_dead(&mut self, key: u64, dead: &DeadRecord) {
        found_dead(&dead.topic, dead.fault, &dead.reason);
        self.push(topics::dead(), key, record::dead_to_bytes(dead));
    }

    fn push(&mut self, topic: Topic, key: u64, value: Bytes) {
        self.0.entry(topic).or_default().push(Record::new(key, value));
    }

    /// Whether nothing in it takes a message on its way.
    pub(crate) fn is_patient(&self) -> bool {
        self.0.keys().all(|topic| *topic == topics::events())
    }

    /// Hands everything to the log in order. Tries again while the log is away, unless the store was lost since `epoch`.
    pub(crate) async fn publish(self, desk: &Arc<Desk>, epoch: u64) -> Result<Vec<Sent>, Error> {
        let mut sent = Vec::with_capacity(self.0.len());
        for (topic, records) in self.0 {
            let commit = publish(desk, &topic, &records, epoch).await?;
            sent.push(Sent { topic, records, commit });
        }
        Ok(sent)
    }
}

/// Counts what could not be used, and names it now and then.
pub(crate) fn found_dead(topic: &str, fault: Fault, reason: &str) {
    metrics::dead(topic, fault.as_str());
    if UNUSABLE.is_due(fault.as_str()) {
        let fault = fault.as_str();
        warn!(
            topic,
            fault, reason, "a record could not be used, and there may be more"
        );
    }
}

/// Waits until everything sent is safe; what is not is published again, unless the store was lost since `epoch`.
pub(crate) async fn safe(desk: &Arc<Desk>, sent: Vec<Sent>, epoch: u64) -> Result<(), Error> {
    try_join_all(sent.into_iter().map(|sent| one_safe(desk, sent, epoch)))
        .await
        .map(drop)
}

async fn one_safe(desk: &Arc<Desk>, sent: Sent, epoch: u64) -> Result<(), Error> {
    let Sent {
        topic,
        records,
        mut commit,
    } = sent;
    // It can be read before it is safe, so that only the ack waits.
    while let Err(error) = commit.patiently().await {
        desk.away("the log", &error, matches!(error, PublishError::Away(_)))
            .await
            .map_err(|()| error)?;
        commit = publish(desk, &topic, &records, epoch).await?;
    }
    Ok(())
}

async fn publish(desk: &Arc<Desk>, topic: &Topic, records: &[Record], epoch: u64) -> Result<Commit, Error> {
    loop {
        desk.epochs.check(epoch)?;
        match desk.bus().publish(topic, records.to_vec()).await {
            Ok(commit) => return Ok(commit),
            Err(error) => {
                desk.away("the log", &error, matches!(error, PublishError::Away(_)))
                    .await
                    .map_err(|()| error)?;
            }
        }
    }
}

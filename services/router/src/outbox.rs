//! Records on their way out, one batch per topic.

use std::{collections::BTreeMap, sync::Arc};

use bus::{Commit, PublishError, Record, Stored, Topic};
use futures::future::try_join_all;
use journey::{Delayed, EndState, Event, Order, ReceiptRecord, Waiting};
use service::{
    Seldom, Tracer,
    trace::{self, Span, Spans, attribute},
};
use signalbox_proto::{
    record::{self, DeadRecord, Fault, Invalid},
    topics,
};
use sms::{Message, MessageId, TraceContext, UnixMs};
use tracing::warn;

use crate::{Error, delay::Delay, desk::Desk, metrics};

/// Records that cannot be used seldom come alone.
static UNUSABLE: Seldom = Seldom::new();

/// Records by topic, each topic in order.
#[derive(Default)]
pub(crate) struct Outbox {
    records: BTreeMap<Topic, Vec<Record>>,
    tracer: Tracer,
    /// The spans of what was read about messages that are traced.
    read: BTreeMap<MessageId, TraceContext>,
    /// They, and those of what is sent: all end once it is handed to the log.
    spans: Spans,
}

/// The message that a record is about, and the span in which that was accepted, if it is traced.
type About<'a> = (MessageId, Option<&'a TraceContext>);

/// A publish that is under way, with what is needed to do it again.
pub(crate) struct Sent {
    topic: Topic,
    records: Vec<Record>,
    commit: Commit,
}

impl Outbox {
    pub(crate) fn new(tracer: Tracer) -> Self {
        Self {
            tracer,
            ..Self::default()
        }
    }

    /// What follows for `message` does so because of `stored`.
    pub(crate) fn read(&mut self, topic: &Topic, stored: &Stored, message: MessageId) {
        let Some(sent) = trace::context_of(stored) else { return };
        let mut span = self.tracer.process(topic, stored);
        span.set(attribute::MESSAGE_ID, || message.to_string());
        self.read.insert(message, *span.context().unwrap_or(&sent));
        self.spans.keep(span);
    }

    pub(crate) fn order(&mut self, order: &Order) {
        let topic = topics::dispatch(&order.carrier, order.class().lane());
        metrics::orders(order.carrier.as_str(), 1);
        let record = Record::new(order.message.key.0, record::order_to_bytes(order));
        self.send(topic, record, about(&order.message), |span| {
            span.set(attribute::CARRIER, || order.carrier.to_string());
            span.set(attribute::ORDER, || order.number.0);
            span.set(attribute::NETWORK, || order.network.clone());
            span.set(attribute::POLICY, || order.policy.clone());
        });
    }

    /// A message that nobody but this router accepted.
    pub(crate) fn accepted(&mut self, message: &Message) {
        let topic = topics::accepted(message.class.lane());
        let record = Record::new(message.key.0, record::accepted_to_bytes(message));
        self.send(topic, record, about(message), |_| {});
    }

    pub(crate) fn wait(&mut self, waiting: Box<Waiting>, (word, _): Delay, now: UnixMs) {
        metrics::wait(word);
        self.put_off(topics::retry(word), waiting, now);
    }

    /// A message that waits until it is known who serves its recipient.
    pub(crate) fn look_up(&mut self, waiting: Box<Waiting>, now: UnixMs) {
        self.put_off(topics::lookup(waiting.message.class.lane()), waiting, now);
    }

    fn put_off(&mut self, topic: Topic, waiting: Box<Waiting>, now: UnixMs) {
        let (id, key, trace) = (waiting.message.id, waiting.message.key, waiting.message.trace.clone());
        let record = Record::new(key.0, record::delayed_to_bytes(&Delayed::Message(waiting), now));
        self.send(topic, record, (id, trace.as_deref()), |_| {});
    }

    pub(crate) fn delay(&mut self, delayed: &Delayed, key: u64, (word, _): Delay, now: UnixMs) {
        let record = Record::new(key, record::delayed_to_bytes(delayed, now));
        self.push(topics::retry(word), record);
    }

    pub(crate) fn event(&mut self, event: &Event) {
        let (key, about) = match event {
            Event::Ended(ended) => {
                metrics::end(ended.state.as_str());
                if let Some(carrier) = &ended.carrier {
                    metrics::carrier_end(carrier.as_str(), ended.state.as_str());
                }
                (ended.message.key, about(&ended.message))
            }
            Event::Late(late) => {
                metrics::late_receipt();
                (late.order.key, (late.order.message, None))
            }
        };
        let record = Record::new(key.0, record::event_to_bytes(event));
        self.send(topics::events(), record, about, |span| tell_end(event, span));
    }

    /// A receipt of a message that was accepted in the span `trace`, if it is traced.
    pub(crate) fn receipt(&mut self, receipt: &ReceiptRecord, trace: Option<&TraceContext>) {
        let record = Record::new(receipt.order.key.0, record::receipt_to_bytes(receipt));
        self.send(topics::receipts(), record, (receipt.order.message, trace), |_| {});
    }

    /// Puts a record that cannot be read aside for people, with its octets and the reason.
    pub(crate) fn dead(&mut self, topic: &Topic, stored: &Stored, invalid: &Invalid) {
        self.put_dead(stored.key, &DeadRecord::of(topic.as_str(), stored, invalid));
    }

    /// Puts `dead` aside under `key`, counted and named.
    pub(crate) fn put_dead(&mut self, key: u64, dead: &DeadRecord) {
        found_dead(&dead.topic, dead.fault, &dead.reason);
        self.push(topics::dead(), Record::new(key, record::dead_to_bytes(dead)));
    }

    /// Adds a record to what follows from what was read about its message, or else from its acceptance, and lets `tell` say more
    /// of that.
    fn send(&mut self, topic: Topic, mut record: Record, (message, root): About<'_>, tell: impl FnOnce(&mut Span)) {
        let parent = self.read.get(&message).or(root);
        let mut span = self.tracer.send(&topic, &mut record, message, parent);
        tell(&mut span);
        self.spans.keep(span);
        self.push(topic, record);
    }

    fn push(&mut self, topic: Topic, record: Record) {
        self.records.entry(topic).or_default().push(record);
    }

    /// Whether nothing in it takes a message on its way.
    pub(crate) fn is_patient(&self) -> bool {
        self.records.keys().all(|topic| *topic == topics::events())
    }

    /// Hands everything to the log in order. Tries again while the log is away, unless the store was lost since `epoch`.
    pub(crate) async fn publish(self, desk: &Arc<Desk>, epoch: u64) -> Result<Vec<Sent>, Error> {
        let Self { records, spans, .. } = self;
        let mut sent = Vec::with_capacity(records.len());
        for (topic, records) in records {
            let commit = publish(desk, &topic, &records, epoch).await?;
            sent.push(Sent { topic, records, commit });
        }
        drop(spans);
        Ok(sent)
    }
}

fn about(message: &Message) -> About<'_> {
    (message.id, message.trace.as_deref())
}

/// Says how a message ended.
fn tell_end(event: &Event, span: &mut Span) {
    let Event::Ended(ended) = event else { return };
    span.set(attribute::STATE, || ended.state.as_str());
    if !matches!(ended.state, EndState::Delivered | EndState::Sent) {
        let code = ended.cause.code.as_str();
        span.fail(if code.is_empty() { ended.state.as_str() } else { code });
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

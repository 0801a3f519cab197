//! Publishing: one idempotent producer, its thread, and one tally for each publish.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use futures::task::AtomicWaker;
use rdkafka::{
    ClientContext,
    config::{FromClientConfigAndContext, RDKafkaLogLevel},
    error::{KafkaError, RDKafkaErrorCode as Code},
    message::{DeliveryResult, Header, OwnedHeaders},
    producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext},
};

use super::{
    KafkaConfig,
    deliveries::{Deliveries, Failing},
    lock,
    trouble::Trouble,
};
use crate::{Commit, PartitionId, PublishError, Record, Topic};

/// How long a publisher waits before it looks for room again.
const ROOM_EVERY: Duration = Duration::from_millis(5);
/// Longest sleep of the thread that takes acknowledgements.
const POLL: Duration = Duration::from_millis(100);
/// How long a producer that nobody holds any more goes on to send what it took.
const LEFTOVER_MAX: Duration = Duration::from_secs(10);

/// What became of the records of one publish.
struct Tally {
    topic: Topic,
    /// Records not yet answered, and one for the publish itself while it runs.
    left: AtomicUsize,
    failed: Mutex<Option<PublishError>>,
    waker: AtomicWaker,
    deliveries: Arc<Deliveries>,
    /// Of this publish among the deliveries.
    number: u64,
}

/// Hears what a producer has to say.
struct Ear {
    trouble: Arc<Trouble>,
    deliveries: Arc<Deliveries>,
    unsafe_records: Arc<AtomicUsize>,
}

type Native = BaseProducer<Ear>;

/// Takes records; cheap to share. Its thread ends some time after it is dropped.
pub(super) struct Producer {
    config: KafkaConfig,
    trouble: Arc<Trouble>,
    deliveries: Arc<Deliveries>,
    unsafe_records: Arc<AtomicUsize>,
    /// Replaced when it failed for good.
    current: Mutex<Running>,
}

/// A producer and the flag that ends its thread.
struct Running {
    native: Arc<Native>,
    is_over: Arc<AtomicBool>,
}

impl Producer {
    /// Makes a producer; no broker is asked.
    pub(super) fn new(config: &KafkaConfig, trouble: &Arc<Trouble>) -> Result<Self, PublishError> {
        let (deliveries, unsafe_records) = (Arc::default(), Arc::new(AtomicUsize::new(0)));
        let current = Mutex::new(Running::start(config, trouble, &deliveries, &unsafe_records)?);
        Ok(Self {
            config: config.clone(),
            trouble: trouble.clone(),
            deliveries,
            unsafe_records,
            current,
        })
    }

    /// Hands `records` over in order, waiting while the queue is full.
    pub(super) async fn publish(
        &self,
        topic: &Topic,
        partitions: u32,
        records: Vec<Record>,
    ) -> Result<Commit, PublishError> {
        let tally = Arc::new(Tally::new(topic, &self.deliveries));
        let mut native = self.native();
        'records: for (index, record) in records.iter().enumerate() {
            while let Err(code) = self.send(&native, &tally, partitions, record) {
                match code {
                    Some(Code::QueueFull) => {
                        #[expect(clippy::disallowed_methods, reason = "room comes from a real broker in real time")]
                        tokio::time::sleep(ROOM_EVERY).await;
                    }
                    Some(Code::Fatal) => {
                        let replaced = self.replace(&native);
                        if index > 0 {
                            let words = "the producer failed for good half way, publish again".to_owned();
                            tally.fail(PublishError::Away(words));
                            break 'records;
                        }
                        native = replaced?;
                    }
                    code => {
                        // Nothing behind it either: records of one key stay in order.
                        tally.fail(self.refused(topic, code));
                        break 'records;
                    }
                }
            }
        }
        tally.finish();
        Ok(Commit::new(futures::future::poll_fn(move |context| {
            tally.poll(context)
        })))
    }

    fn send(&self, native: &Native, tally: &Arc<Tally>, partitions: u32, record: &Record) -> Result<(), Option<Code>> {
        let key = record.key.to_be_bytes();
        let mut message = BaseRecord::with_opaque_to(tally.topic.as_str(), tally.clone())
            .partition(PartitionId::of(record.key, partitions).0 as i32)
            .key(&key[..]);
        // Without a payload it takes what stands under its key off a compacted topic.
        if !record.value.is_empty() {
            message = message.payload(&record.value[..]);
        }
        message.headers = headers(record);
        tally.left.fetch_add(1, Ordering::Relaxed);
        self.unsafe_records.fetch_add(1, Ordering::Relaxed);
        native.send(message).map_err(|(error, message)| {
            message.delivery_opaque.left.fetch_sub(1, Ordering::Relaxed);
            self.unsafe_records.fetch_sub(1, Ordering::Relaxed);
            error.rdkafka_error_code()
        })
    }

    fn refused(&self, topic: &Topic, code: Option<Code>) -> PublishError {
        match code {
            Some(Code::UnknownTopic | Code::UnknownPartition) => PublishError::UnknownTopic(topic.clone()),
            Some(code) => PublishError::Away(self.trouble.explain(&KafkaError::MessageProduction(code))),
            None => PublishError::Away("the producer took no record".to_owned()),
        }
    }

    /// Whether records are kept at the moment, as far as any were published.
    pub(super) fn check(&self) -> Result<(), PublishError> {
        let words = match self.deliveries.failing(now()) {
            None => return Ok(()),
            Some(Failing::Failed(words)) => words,
            Some(Failing::Late(topic, waited)) => self.trouble.late(&topic, waited),
        };
        Err(PublishError::Away(words))
    }

    /// Waits until all is safe; how many records are not by `limit`.
    pub(super) fn flush(&self, limit: Duration) -> usize {
        // What is left is counted below, whatever the reason.
        let _ = self.native().flush(limit);
        self.unsafe_records.load(Ordering::Acquire)
    }

    fn native(&self) -> Arc<Native> {
        lock(&self.current).native.clone()
    }

    /// Another producer in the place of `failed`, unless somebody did that already.
    fn replace(&self, failed: &Arc<Native>) -> Result<Arc<Native>, PublishError> {
        let mut current = lock(&self.current);
        if Arc::ptr_eq(&current.native, failed) {
            let reason = failed
                .client()
                .fatal_error()
                .map_or(String::new(), |(_, reason)| reason);
            tracing::warn!(reason, "the producer failed for good, making another one");
            *current = Running::start(&self.config, &self.trouble, &self.deliveries, &self.unsafe_records)?;
        }
        Ok(current.native.clone())
    }
}

impl Running {
    fn start(
        config: &KafkaConfig,
        trouble: &Arc<Trouble>,
        deliveries: &Arc<Deliveries>,
        unsafe_records: &Arc<AtomicUsize>,
    ) -> Result<Self, PublishError> {
        let ear = Ear {
            trouble: trouble.clone(),
            deliveries: deliveries.clone(),
            unsafe_records: unsafe_records.clone(),
        };
        let native = Native::from_config_and_context(&config.producer(), ear)
            .map_err(|error| PublishError::Away(trouble.unmade(&error)))?;
        let running = Self {
            native: Arc::new(native),
            is_over: Arc::default(),
        };
        let (native, is_over) = (running.native.clone(), running.is_over.clone());
        super::thread("bus-acks", move || {
            while !is_over.load(Ordering::Acquire) {
                native.poll(POLL);
            }
            // A failure is no news to anybody: who wanted to know has awaited the commits.
            let _ = native.flush(LEFTOVER_MAX);
        });
        Ok(running)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
    }
}

impl Tally {
    fn new(topic: &Topic, deliveries: &Arc<Deliveries>) -> Self {
        Self {
            topic: topic.clone(),
            left: AtomicUsize::new(1),
            failed: Mutex::new(None),
            waker: AtomicWaker::new(),
            deliveries: deliveries.clone(),
            number: deliveries.begin(topic, now()),
        }
    }

    fn fail(&self, error: PublishError) {
        lock(&self.failed).get_or_insert(error);
    }

    /// One record is answered, or the publish has handed over its last.
    fn finish(&self) {
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.deliveries.end(self.number);
            self.waker.wake();
        }
    }

    fn poll(&self, context: &Context<'_>) -> Poll<Result<(), PublishError>> {
        self.waker.register(context.waker());
        if self.left.load(Ordering::Acquire) > 0 {
            return Poll::Pending;
        }
        Poll::Ready(lock(&self.failed).clone().map_or(Ok(()), Err))
    }
}

impl Drop for Tally {
    /// A publish that was given up half way never finishes.
    fn drop(&mut self) {
        self.deliveries.end(self.number);
    }
}

impl Ear {
    /// What to say of a record that was given up. What others would be given up for too is remembered, unless it ends with
    /// a trouble that is known: an idle process must not count as failing once its brokers are back.
    fn given_up(&self, topic: &Topic, error: &KafkaError) -> PublishError {
        let words = self.trouble.explain(error);
        match error.rdkafka_error_code() {
            Some(Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition) => {
                return PublishError::UnknownTopic(topic.clone());
            }
            // The fault of this record, or of closing.
            Some(Code::MessageSizeTooLarge | Code::InvalidRecord | Code::PurgeQueue | Code::PurgeInflight) => {}
            _ if self.trouble.known().is_some_and(|known| known == words) => {}
            _ => self.deliveries.failed(words.clone(), now()),
        }
        PublishError::Away(words)
    }
}

impl ClientContext for Ear {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        Trouble::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.trouble.report(&error, reason);
    }
}

impl ProducerContext for Ear {
    type DeliveryOpaque = Arc<Tally>;

    fn delivery(&self, result: &DeliveryResult<'_>, tally: Arc<Tally>) {
        self.unsafe_records.fetch_sub(1, Ordering::AcqRel);
        if result.is_ok() {
            self.trouble.clear();
            self.deliveries.kept(now());
        }
        if let Err((error, _)) = result {
            tally.fail(self.given_up(&tally.topic, error));
        }
        tally.finish();
    }
}

fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "real brokers are late in real time")]
    Instant::now()
}

fn headers(record: &Record) -> Option<OwnedHeaders> {
    if record.headers.is_empty() {
        return None;
    }
    let mut headers = OwnedHeaders::new_with_capacity(record.headers.len());
    for (name, value) in &record.headers {
        headers = headers.insert(Header {
            key: name,
            value: Some(&value[..]),
        });
    }
    Some(headers)
}

//! What the library calls back for on behalf of a consumer.

use std::sync::{
    Arc, OnceLock, Weak,
    atomic::{AtomicBool, Ordering},
};

use rdkafka::{
    ClientContext, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer as _, ConsumerContext, RebalanceProtocol},
    error::{KafkaError, KafkaResult},
    types::RDKafkaRespErr,
};

use super::{link::Link, trouble::Trouble};

pub(super) type Consumer = BaseConsumer<Ear>;

/// Hears what a consumer has to say.
pub(super) struct Ear {
    trouble: Arc<Trouble>,
    /// Of a member of a group: who is told of partitions. Empty for readers.
    link: Weak<Link>,
    /// The consumer itself, which queues of partitions are made from.
    consumer: OnceLock<Weak<Consumer>>,
    /// Set by every call back: there may be more.
    has_heard: AtomicBool,
    /// Set when no broker can be reached.
    is_down: AtomicBool,
}

impl Ear {
    /// Of a reader.
    pub(super) fn new(trouble: &Arc<Trouble>) -> Self {
        Self::of(trouble, Weak::new())
    }

    /// Of a member of a group.
    pub(super) fn of(trouble: &Arc<Trouble>, link: Weak<Link>) -> Self {
        Self {
            trouble: trouble.clone(),
            link,
            consumer: OnceLock::new(),
            has_heard: AtomicBool::new(false),
            is_down: AtomicBool::new(false),
        }
    }

    /// Tells the ear whose it is; before the consumer does anything.
    pub(super) fn belongs_to(&self, consumer: &Arc<Consumer>) {
        let _ = self.consumer.set(Arc::downgrade(consumer));
    }

    /// Whether brokers became unreachable since this was last asked.
    pub(super) fn is_down(&self) -> bool {
        self.is_down.swap(false, Ordering::Relaxed)
    }

    /// Serves all that has come up and does not wait. Records come through the queues of their partitions, never here.
    /// Gives the error that ended the consumer for good, if one did.
    pub(super) fn drain(&self, consumer: &Consumer) -> Option<KafkaError> {
        loop {
            self.has_heard.store(false, Ordering::Relaxed);
            match consumer.poll(std::time::Duration::ZERO) {
                Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => {
                    let cause = consumer.client().fatal_error();
                    return Some(cause.map_or(error, |(code, _)| KafkaError::MessageConsumptionFatal(code)));
                }
                Some(_) => {}
                // An event that was called back for looks like none, and there may be another behind it.
                None if self.has_heard.load(Ordering::Relaxed) => {}
                None => return None,
            }
        }
    }
}

impl ClientContext for Ear {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.has_heard.store(true, Ordering::Relaxed);
        Trouble::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.has_heard.store(true, Ordering::Relaxed);
        if self.trouble.report(&error, reason) {
            self.is_down.store(true, Ordering::Relaxed);
        }
    }
}

impl ConsumerContext for Ear {
    /// Partitions get their queues before they are read from, and lose them before they are given away.
    fn rebalance(&self, consumer: &Consumer, event: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        self.has_heard.store(true, Ordering::Relaxed);
        let link = self.link.upgrade();
        let is_cooperative = matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative);
        let done = if event == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            if let Some((link, consumer)) = link.zip(self.consumer.get().and_then(Weak::upgrade)) {
                link.assigned(&consumer, partitions);
            }
            if is_cooperative {
                consumer.incremental_assign(partitions)
            } else {
                consumer.assign(partitions)
            }
        } else {
            if let Some(link) = link {
                link.revoked(partitions);
            }
            if is_cooperative {
                consumer.incremental_unassign(partitions)
            } else {
                consumer.unassign()
            }
        };
        if let Err(error) = done {
            tracing::warn!(%error, "a change of partitions failed");
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, partitions: &TopicPartitionList) {
        self.has_heard.store(true, Ordering::Relaxed);
        match (result, self.link.upgrade()) {
            (Ok(()), Some(link)) => link.written(partitions),
            (Ok(()), None) => {}
            (Err(error), _) => tracing::debug!(%error, "acks are not written down yet"),
        }
    }
}

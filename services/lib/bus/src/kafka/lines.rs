//! Consumers of readers, kept from one reader for the next.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use rdkafka::{
    config::FromClientConfigAndContext,
    consumer::Consumer as _,
    error::{KafkaError, KafkaResult},
};
use tokio::sync::Notify;

use super::{
    KafkaConfig,
    config::READ_WAIT_MS,
    ear::{Consumer, Ear},
    lock,
    trouble::Trouble,
};
use crate::ConsumeError;

/// What readers call themselves; nothing is written down under this name.
const GROUP: &str = "signalbox.reader";
/// Consumers kept for readers to come: making one costs connections.
const IDLE_MAX: usize = 8;
/// A consumer that reads what it is told to.
pub(super) struct Line {
    pub(super) consumer: Arc<Consumer>,
    pub(super) news: Arc<Notify>,
    /// Most partitions that it may read: what it fetches ahead of each is cut for so many.
    partitions_max: u32,
}

/// Consumers that nobody reads with at the moment, each with the instant since when.
pub(super) struct Lines {
    pub(super) config: KafkaConfig,
    pub(super) trouble: Arc<Trouble>,
    idle: Mutex<VecDeque<(Instant, Line)>>,
}

impl Lines {
    pub(super) fn new(config: &KafkaConfig, trouble: &Arc<Trouble>) -> Arc<Self> {
        Arc::new(Self {
            config: config.clone(),
            trouble: trouble.clone(),
            idle: Mutex::default(),
        })
    }

    /// A line for `partitions`. One that was in use a moment ago still waits for an answer, and would let us wait too; one
    /// made for fewer partitions would hold too much of each.
    pub(super) fn take(&self, partitions: u32) -> KafkaResult<Line> {
        let rest = Duration::from_millis(u64::from(READ_WAIT_MS));
        let mut idle = lock(&self.idle);
        let fits = |(since, line): &(Instant, Line)| line.partitions_max >= partitions && since.elapsed() > rest;
        let found = idle.iter().position(fits).and_then(|place| idle.remove(place));
        drop(idle);
        if let Some((_, line)) = found {
            // What happened while nobody read is no news.
            line.consumer.context().drain(&line.consumer);
            line.consumer.context().is_down();
            return Ok(line);
        }
        let config = self.config.reader(GROUP, partitions);
        let mut consumer = Consumer::from_config_and_context(&config, Ear::new(&self.trouble))?;
        let news = Arc::new(Notify::new());
        let told = news.clone();
        consumer.set_nonempty_callback(move || told.notify_one());
        let consumer = Arc::new(consumer);
        Ok(Line {
            consumer,
            news,
            partitions_max: partitions,
        })
    }

    /// Keeps a line for the next reader; blocks.
    pub(super) fn give_back(&self, line: Line) {
        if line.consumer.unassign().is_err() {
            return;
        }
        let mut idle = lock(&self.idle);
        if idle.len() < IDLE_MAX {
            #[expect(clippy::disallowed_methods, reason = "a real broker answers in real time")]
            idle.push_back((Instant::now(), line));
        }
    }

    /// Hears what idle consumers have to say, so that it does not pile up.
    pub(super) fn drain(&self) {
        for (_, line) in lock(&self.idle).iter() {
            line.consumer.context().drain(&line.consumer);
        }
    }

    pub(super) fn away(&self, error: &KafkaError) -> ConsumeError {
        ConsumeError::Away(self.trouble.explain(error))
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        let idle = std::mem::take(&mut *lock(&self.idle));
        if !idle.is_empty() {
            // To end a consumer takes a moment.
            super::thread("bus-readers", move || drop(idle));
        }
    }
}

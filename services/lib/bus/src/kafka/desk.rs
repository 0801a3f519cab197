//! The partitions that one member or reader holds, each with its queue, taking turns. A partition that nobody asks for is not
//! polled: its queue fills to its limit, and no more of it is fetched.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use rdkafka::{
    Message,
    consumer::base_consumer::PartitionQueue,
    error::{KafkaError, RDKafkaErrorCode as Code},
    message::{BorrowedMessage, Headers as _},
};
use tokio::sync::Notify;

use super::{
    ear::{Consumer, Ear},
    lock,
};
use crate::{ConsumeError, Stored, Topic};

/// Room made for the records of a batch at once; larger ones grow.
const BATCH_RECORDS: usize = 128;

/// What one member or reader may take from.
pub(super) struct Desk {
    state: Mutex<State>,
    /// Given a permit when there may be something to take.
    pub(super) news: Arc<Notify>,
}

#[derive(Default)]
struct State {
    held: Vec<Held>,
    turn: usize,
    is_closed: bool,
    /// To be said once by the next call that would wait.
    trouble: Option<String>,
}

/// One partition.
pub(super) struct Held {
    pub(super) topic: Topic,
    pub(super) partition: u32,
    pub(super) generation: u64,
    /// First position not handed out; `None` until known.
    pub(super) next: Option<i64>,
    /// First position not acked, of a member.
    pub(super) done: i64,
    /// That position as brokers have it, as far as they told us.
    pub(super) written: i64,
    /// End of the partition when last asked.
    pub(super) end: Option<i64>,
    queue: PartitionQueue<Ear>,
    /// False when the queue was empty and nothing came since.
    is_ready: Arc<AtomicBool>,
}

/// Records of one partition, and where they stand.
pub(super) struct Taken {
    pub(super) topic: Topic,
    pub(super) partition: u32,
    pub(super) generation: u64,
    pub(super) end: i64,
    pub(super) records: Vec<Stored>,
}

impl Desk {
    pub(super) fn new() -> Self {
        Self::with(Arc::default())
    }

    /// A desk that shares its news with something else.
    pub(super) fn with(news: Arc<Notify>) -> Self {
        Self {
            state: Mutex::default(),
            news,
        }
    }

    /// Adds a partition of `consumer`, before it is assigned. False if the library has no queue for it.
    pub(super) fn add(&self, consumer: &Arc<Consumer>, topic: &Topic, partition: u32, generation: u64) -> bool {
        let Some(mut queue) = consumer.split_partition_queue(topic.as_str(), partition as i32) else {
            return false;
        };
        let is_ready = Arc::new(AtomicBool::new(true));
        let (ready, news) = (is_ready.clone(), self.news.clone());
        queue.set_nonempty_callback(move || {
            ready.store(true, Ordering::Release);
            news.notify_one();
        });
        let held = Held {
            topic: topic.clone(),
            partition,
            generation,
            next: None,
            done: 0,
            written: 0,
            end: None,
            queue,
            is_ready,
        };
        let mut state = lock(&self.state);
        state
            .held
            .retain(|held| held.partition != partition || held.topic != *topic);
        state.held.push(held);
        state
            .held
            .sort_by(|one, other| (&one.topic, one.partition).cmp(&(&other.topic, other.partition)));
        drop(state);
        self.news.notify_one();
        true
    }

    /// Takes a partition away.
    pub(super) fn remove(&self, topic: &Topic, partition: u32) {
        lock(&self.state)
            .held
            .retain(|held| held.partition != partition || held.topic != *topic);
    }

    /// Takes all partitions away.
    pub(super) fn clear(&self) {
        lock(&self.state).held.clear();
    }

    /// Ends every call with `Closed`.
    pub(super) fn close(&self) {
        lock(&self.state).is_closed = true;
        self.news.notify_one();
    }

    /// Lets the next call that would wait fail with `words`.
    pub(super) fn trouble(&self, words: String) {
        lock(&self.state).trouble = Some(words);
        self.news.notify_one();
    }

    /// Up to `records_max` records of the partition whose turn it is; `None` if none has any.
    pub(super) fn take(&self, records_max: usize) -> Result<Option<Taken>, ConsumeError> {
        let mut state = lock(&self.state);
        if state.is_closed {
            return Err(ConsumeError::Closed);
        }
        let places = state.held.len();
        for step in 0..places {
            let place = (state.turn + step) % places;
            if let Some(taken) = state.held[place].take(records_max.max(1))? {
                state.turn = (place + 1) % places;
                state.trouble = None;
                return Ok(Some(taken));
            }
        }
        state
            .trouble
            .take()
            .map_or(Ok(None), |words| Err(ConsumeError::Away(words)))
    }

    /// Waits for records and takes them; cancel-safe.
    pub(super) async fn next(&self, records_max: usize) -> Result<Taken, ConsumeError> {
        loop {
            if let Some(taken) = self.take(records_max)? {
                return Ok(taken);
            }
            // A permit given after the look above is kept, so nothing is missed.
            self.news.notified().await;
        }
    }

    /// Looks at every partition.
    pub(super) fn each<T>(&self, look: impl FnMut(&mut Held) -> T) -> Vec<T> {
        lock(&self.state).held.iter_mut().map(look).collect()
    }

    /// Looks at one partition, if it is held.
    pub(super) fn one<T>(&self, topic: &Topic, partition: u32, look: impl FnOnce(&mut Held) -> T) -> Option<T> {
        let mut state = lock(&self.state);
        let mut held = state.held.iter_mut();
        held.find(|held| held.partition == partition && held.topic == *topic)
            .map(look)
    }

    pub(super) fn is_closed(&self) -> bool {
        lock(&self.state).is_closed
    }
}

impl Held {
    fn take(&mut self, records_max: usize) -> Result<Option<Taken>, ConsumeError> {
        // Cleared before the look, so that what comes during it is seen by the next one.
        if !self.is_ready.swap(false, Ordering::AcqRel) {
            return Ok(None);
        }
        let mut records = Vec::new();
        while records.len() < records_max {
            match self.queue.poll(Duration::ZERO) {
                None => break,
                Some(Ok(message)) => {
                    self.next = Some(message.offset() + 1);
                    if records.is_empty() {
                        records.reserve(records_max.min(BATCH_RECORDS));
                    }
                    records.push(stored(&message));
                }
                Some(Err(error)) => {
                    self.is_ready.store(true, Ordering::Release);
                    if records.is_empty() {
                        return Err(self.failed(&error));
                    }
                    break;
                }
            }
        }
        if records.len() == records_max {
            self.is_ready.store(true, Ordering::Release);
        }
        let Some(end) = self.next.filter(|_| !records.is_empty()) else {
            return Ok(None);
        };
        self.end = self.end.map(|known| known.max(end));
        Ok(Some(Taken {
            topic: self.topic.clone(),
            partition: self.partition,
            generation: self.generation,
            end,
            records,
        }))
    }

    fn failed(&self, error: &KafkaError) -> ConsumeError {
        let (topic, partition) = (&self.topic, self.partition);
        match error.rdkafka_error_code() {
            Some(Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition) => ConsumeError::Away(
                format!("partition {partition} of {topic} is gone: create the topic again"),
            ),
            Some(Code::TopicAuthorizationFailed) => {
                ConsumeError::Away(format!("we may not read {topic}: allow its user to"))
            }
            _ => ConsumeError::Away(format!("partition {partition} of {topic}: {error}")),
        }
    }

    /// Records not handed out, as far as known.
    pub(super) fn backlog(&self) -> u64 {
        match (self.next, self.end) {
            (Some(next), Some(end)) => u64::try_from(end - next).unwrap_or(0),
            _ => 0,
        }
    }
}

fn stored(message: &BorrowedMessage<'_>) -> Stored {
    let key = message
        .key()
        .and_then(|key| key.try_into().ok())
        .map_or(0, u64::from_be_bytes);
    let headers = message.headers().map_or(Vec::new(), |headers| {
        let owned = |value: Option<&[u8]>| Bytes::copy_from_slice(value.unwrap_or_default());
        headers
            .iter()
            .map(|header| (header.key.to_owned(), owned(header.value)))
            .collect()
    });
    Stored {
        key,
        value: Bytes::copy_from_slice(message.payload().unwrap_or_default()),
        stored_at_ms: message
            .timestamp()
            .to_millis()
            .and_then(|millis| u64::try_from(millis).ok())
            .unwrap_or(0),
        headers,
    }
}

//! One consumer of a group, on a thread of its own: it joins, is told of its partitions, and leaves. Records do not pass
//! through the thread: members take them from the queues of their partitions.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread::Thread,
    time::{Duration, Instant},
};

use rdkafka::{
    TopicPartitionList,
    config::FromClientConfigAndContext,
    consumer::Consumer as _,
    error::{KafkaError, KafkaResult, RDKafkaErrorCode as Code},
};

use super::{
    KafkaConfig,
    desk::Desk,
    ear::{Consumer, Ear},
    lock, offsets,
    trouble::Trouble,
};
use crate::{ConsumeError, Delivered, Topic};

/// How often the ends of partitions are asked for, and longest sleep of the thread.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long that may take.
const LOOK_MAX: Duration = Duration::from_secs(1);
/// Wait after a consumer failed for good, before another one is made.
const AGAIN: Duration = Duration::from_secs(5);

/// Longest wait of a consumer that leaves until its acks are written down, and of one that resigns until its partitions are
/// given back.
const LEAVE_MAX: Duration = Duration::from_secs(3);
/// How often the first is looked at.
const WRITE_LOOK: Duration = Duration::from_millis(10);
/// How often the second is looked at, and for how many looks more the consumer stays to say that it leaves.
const RESIGN_LOOK: Duration = Duration::from_millis(20);
const RESIGN_LOOKS: u32 = 15;

/// Numbers of the consumers of one process in each group, the lowest that is free first: with the name of the process, they
/// tell brokers which member is back.
#[derive(Default)]
pub(super) struct Seats(Mutex<BTreeMap<String, BTreeSet<u32>>>);

/// A consumer and the desks of its members.
pub(super) struct Link {
    config: KafkaConfig,
    trouble: Arc<Trouble>,
    group: String,
    seat: u32,
    seats: Arc<Seats>,
    /// Partitions of all topics together.
    partitions: u32,
    /// What each member reads.
    desks: Vec<(Vec<Topic>, Arc<Desk>)>,
    members: AtomicUsize,
    is_over: AtomicBool,
    /// Whether its members do not come back.
    has_resigned: AtomicBool,
    generations: AtomicU64,
    thread: OnceLock<Thread>,
    consumer: Mutex<Option<Arc<Consumer>>>,
}

impl Link {
    pub(super) fn new(
        (config, trouble, seats): (&KafkaConfig, &Arc<Trouble>, &Arc<Seats>),
        group: &str,
        desks: Vec<(Vec<Topic>, Arc<Desk>)>,
        partitions: u32,
    ) -> Arc<Self> {
        Arc::new(Self {
            config: config.clone(),
            trouble: trouble.clone(),
            group: group.to_owned(),
            seat: seats.take(group),
            seats: seats.clone(),
            partitions,
            members: AtomicUsize::new(desks.len()),
            desks,
            is_over: AtomicBool::new(false),
            has_resigned: AtomicBool::new(false),
            generations: AtomicU64::new(1),
            thread: OnceLock::new(),
            consumer: Mutex::new(None),
        })
    }

    /// Runs until the last member has left; for the thread.
    pub(super) fn run(self: &Arc<Self>) {
        let _ = self.thread.set(std::thread::current());
        while !self.is_over() {
            let Err(error) = self.serve() else { continue };
            tracing::warn!(group = self.group, %error, "a member of a group failed, it joins again");
            self.say(&self.failed(&error));
            #[expect(
                clippy::disallowed_methods,
                reason = "the pause is one of real time, of a real client"
            )]
            let until = Instant::now() + AGAIN;
            #[expect(
                clippy::disallowed_methods,
                reason = "the pause is one of real time, of a real client"
            )]
            while !self.is_over() && Instant::now() < until {
                std::thread::park_timeout(AGAIN);
            }
        }
        self.seats.give_back(&self.group, self.seat);
    }

    /// Joins and stays until the members have left, or until the consumer fails for good.
    fn serve(self: &Arc<Self>) -> KafkaResult<()> {
        let consumer = self.join()?;
        *lock(&self.consumer) = Some(consumer.clone());
        let mut failed = None;
        let mut look_at = None;
        while failed.is_none() && !self.is_over() {
            failed = consumer.context().drain(&consumer);
            if consumer.context().is_down() {
                self.say(&self.trouble.known().unwrap_or_default());
            }
            #[expect(clippy::disallowed_methods, reason = "a real log grows in real time")]
            let now = Instant::now();
            let is_new = self
                .desks
                .iter()
                .any(|(_, desk)| desk.each(|held| held.next.is_none()).contains(&true));
            if is_new || look_at.is_none_or(|at| at <= now) {
                self.look(&consumer);
                look_at = Some(now + LOOK_EVERY);
            }
            std::thread::park_timeout(LOOK_EVERY);
        }
        if failed.is_none() {
            self.write_down(&consumer);
            if self.has_resigned.load(Ordering::Acquire) {
                self.give_up_name(&consumer);
            }
        }
        // Queues hold the consumer, and what drops it last waits until it has left the group: that must be this thread.
        lock(&self.consumer).take();
        self.desks.iter().for_each(|(_, desk)| desk.clear());
        drop(consumer);
        failed.map_or(Ok(()), Err)
    }

    fn join(self: &Arc<Self>) -> KafkaResult<Arc<Consumer>> {
        let config = self.config.member(&self.group, self.seat, self.partitions);
        let ear = Ear::of(&self.trouble, Arc::downgrade(self));
        let mut consumer = Consumer::from_config_and_context(&config, ear)?;
        let thread = std::thread::current();
        consumer.set_nonempty_callback(move || thread.unpark());
        let consumer = Arc::new(consumer);
        consumer.context().belongs_to(&consumer);
        let topics: Vec<_> = self
            .desks
            .iter()
            .flat_map(|(topics, _)| topics)
            .map(Topic::as_str)
            .collect();
        consumer.subscribe(&topics)?;
        Ok(consumer)
    }

    /// Stays until brokers have written down what was acked: they refuse it while members of the group come and go, and the
    /// library repeats it at intervals, but asks only once when it leaves.
    fn write_down(&self, consumer: &Consumer) {
        #[expect(clippy::disallowed_methods, reason = "a real broker answers in real time")]
        let until = Instant::now() + LEAVE_MAX;
        #[expect(clippy::disallowed_methods, reason = "a real broker answers in real time")]
        while self.is_unwritten() {
            if Instant::now() >= until {
                let group = &self.group;
                tracing::warn!(group, "acks were not written down in time: what they cover comes again");
                return;
            }
            std::thread::park_timeout(WRITE_LOOK);
            consumer.context().drain(consumer);
        }
    }

    fn is_unwritten(&self) -> bool {
        let mut desks = self.desks.iter();
        desks.any(|(_, desk)| desk.each(|held| held.done > held.written).contains(&true))
    }

    /// Leaves the group in so many words: a consumer with a name that only ends keeps its partitions, as it may come back.
    fn give_up_name(&self, consumer: &Consumer) {
        consumer.unsubscribe();
        #[expect(clippy::disallowed_methods, reason = "a real broker answers in real time")]
        let until = Instant::now() + LEAVE_MAX;
        let mut looks_left = RESIGN_LOOKS;
        #[expect(clippy::disallowed_methods, reason = "a real broker answers in real time")]
        while looks_left > 0 && Instant::now() < until {
            consumer.context().drain(consumer);
            let is_empty = self.desks.iter().all(|(_, desk)| desk.each(|_| ()).is_empty());
            // The word itself goes out a moment after the last partition is given back.
            looks_left -= u32::from(is_empty);
            std::thread::park_timeout(RESIGN_LOOK);
        }
    }

    /// The members do not come back.
    pub(super) fn resign(&self) {
        self.has_resigned.store(true, Ordering::Release);
    }

    /// A member has gone; the last one ends the consumer.
    pub(super) fn leave(&self) {
        if self.members.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.stop();
        }
    }

    /// Leaves the group, whoever is there.
    pub(super) fn stop(&self) {
        self.is_over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// Partitions that are ours from now on, before they are read from.
    pub(super) fn assigned(&self, consumer: &Arc<Consumer>, partitions: &TopicPartitionList) {
        for place in partitions.elements() {
            let generation = self.generations.fetch_add(1, Ordering::Relaxed);
            let (topic, partition) = (Topic::new(place.topic()), place.partition() as u32);
            let desk = self.desk(&topic);
            if !desk.is_some_and(|desk| desk.add(consumer, &topic, partition, generation)) {
                tracing::error!(%topic, partition, "a partition nobody asked for was assigned");
            }
        }
    }

    /// Partitions that are ours no more. What was acked of them is written down as they are given away.
    pub(super) fn revoked(&self, partitions: &TopicPartitionList) {
        for place in partitions.elements() {
            let topic = Topic::new(place.topic());
            if let Some(desk) = self.desk(&topic) {
                desk.remove(&topic, place.partition() as u32);
            }
        }
    }

    /// What brokers have written down.
    pub(super) fn written(&self, partitions: &TopicPartitionList) {
        for place in partitions.elements() {
            let topic = Topic::new(place.topic());
            if let (rdkafka::Offset::Offset(end), Some(desk)) = (place.offset(), self.desk(&topic)) {
                let write = |held: &mut super::desk::Held| held.written = held.written.max(end);
                desk.one(&topic, place.partition() as u32, write);
            }
        }
    }

    fn desk(&self, topic: &Topic) -> Option<&Arc<Desk>> {
        let mut desks = self.desks.iter();
        desks.find(|(topics, _)| topics.contains(topic)).map(|(_, desk)| desk)
    }

    /// Marks what was delivered through `desk` as done; written down soon.
    pub(super) fn ack(&self, desk: &Desk, batch: &Delivered) -> Result<(), ConsumeError> {
        let revoked = || ConsumeError::Revoked(batch.topic.clone(), batch.partition.0);
        let acked = desk.one(&batch.topic, batch.partition.0, |held| {
            let end = batch.end as i64;
            if held.generation != batch.generation {
                return Err(revoked());
            }
            if end > held.done {
                // Under the lock of the desk, so that the partition is not given away before this is taken down.
                self.keep(batch, end).map_err(|_| revoked())?;
                held.done = end;
            }
            Ok(())
        });
        acked.unwrap_or_else(|| Err(revoked()))
    }

    fn keep(&self, batch: &Delivered, end: i64) -> KafkaResult<()> {
        let consumer = lock(&self.consumer);
        let consumer = consumer.as_ref().ok_or(KafkaError::StoreOffset(Code::State))?;
        let mut place = TopicPartitionList::with_capacity(1);
        let partition = batch.partition.0 as i32;
        place.add_partition_offset(batch.topic.as_str(), partition, rdkafka::Offset::Offset(end))?;
        consumer.store_offsets(&place)
    }

    /// Asks where the partitions end and, of those just got, where they begin.
    fn look(&self, consumer: &Consumer) {
        let mut all = Vec::new();
        let mut new = Vec::new();
        for (_, desk) in &self.desks {
            desk.each(|held| {
                let place = (held.topic.clone(), held.partition);
                if held.next.is_none() {
                    new.push(place.clone());
                }
                all.push(place);
            });
        }
        if !new.is_empty() {
            match offsets::committed(consumer, &new, LOOK_MAX) {
                Ok(begins) => self.found(&begins, |held, next| held.next = held.next.or(Some(next))),
                Err(error) => tracing::debug!(group = self.group, %error, "cannot ask where partitions begin"),
            }
        }
        if !all.is_empty() {
            match offsets::ends(consumer, &all, LOOK_MAX) {
                Ok(ends) => self.found(&ends, |held, end| held.end = Some(held.end.unwrap_or(0).max(end))),
                Err(error) => tracing::debug!(group = self.group, %error, "cannot ask where partitions end"),
            }
        }
    }

    fn found(&self, found: &offsets::Found, set: impl Fn(&mut super::desk::Held, i64)) {
        for ((topic, partition), offset) in found {
            if let Some(desk) = self.desk(topic) {
                desk.one(topic, *partition, |held| set(held, *offset));
            }
        }
    }

    fn say(&self, words: &str) {
        self.desks.iter().for_each(|(_, desk)| desk.trouble(words.to_owned()));
    }

    fn failed(&self, error: &KafkaError) -> String {
        match (error.rdkafka_error_code(), &self.config.instance) {
            (Some(Code::FencedInstanceId), Some(instance)) => format!(
                "another process reads {} as instance {instance}: give each process an [bus] instance of its own",
                self.group
            ),
            _ => self.trouble.explain(error),
        }
    }
}

impl Seats {
    fn take(&self, group: &str) -> u32 {
        let mut seats = lock(&self.0);
        let taken = seats.entry(group.to_owned()).or_default();
        let free = (0..)
            .find(|seat| !taken.contains(seat))
            .expect("there are more numbers than members");
        taken.insert(free);
        free
    }

    fn give_back(&self, group: &str, seat: u32) {
        if let Some(taken) = lock(&self.0).get_mut(group) {
            taken.remove(&seat);
        }
    }
}

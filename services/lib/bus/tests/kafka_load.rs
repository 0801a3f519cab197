//! The log on a real Apache Kafka keeps its records while members come and go and while a broker is killed.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]
#![expect(clippy::disallowed_methods, reason = "real brokers answer in real time")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use backing::{Kafka, KafkaOptions};
use bus::{Bus, ConsumeError, KafkaBus, KafkaConfig, PublishError, Record, Retention, Subscribe, Topic, TopicSpec};
use futures::future::{join, join_all};

const PARTITIONS: u32 = 6;
/// Records of one publish.
const PUBLISH: u64 = 50;
/// Records that a member takes at once, and batches that one which comes and goes takes in all.
const BATCH: usize = 40;
const BATCHES: usize = 10;
/// How long a member waits for a batch before it looks whether all is done.
const LOOK: Duration = Duration::from_millis(200);

fn bus_of(kafka: &Kafka) -> KafkaBus {
    let config = KafkaConfig {
        brokers: kafka.bootstrap(),
        client_id: "faults".to_owned(),
        ..KafkaConfig::default()
    };
    KafkaBus::new(config).unwrap()
}

async fn topic_of(bus: &KafkaBus, name: &str) -> Topic {
    let topic = Topic::new(name);
    let spec = TopicSpec {
        topic: topic.clone(),
        partitions: PARTITIONS,
        retention: Retention::Time(Duration::from_secs(86_400)),
    };
    bus.ensure(&[spec]).await.unwrap();
    topic
}

fn record(number: u64) -> Record {
    let key = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    Record::new(key, number.to_be_bytes().to_vec())
}

fn number(value: &[u8]) -> u64 {
    u64::from_be_bytes(value.try_into().unwrap())
}

/// What all members of the group together did with the records 0 to `count`.
struct Group {
    topic: Topic,
    count: u64,
    acked: Mutex<BTreeMap<u64, u32>>,
    /// Records that were published by now.
    published: AtomicU64,
    /// Records that were delivered although an ack had covered them.
    again: AtomicU64,
    /// Publishes that failed and were repeated, which puts records there twice.
    repeats: AtomicU64,
}

impl Group {
    fn new(topic: &Topic, count: u64) -> Self {
        Self {
            topic: topic.clone(),
            count,
            acked: Mutex::default(),
            published: AtomicU64::new(0),
            again: AtomicU64::new(0),
            repeats: AtomicU64::new(0),
        }
    }

    fn is_done(&self) -> bool {
        self.acked.lock().unwrap().len() as u64 == self.count
    }

    /// Publishes all records, each publish until it is committed.
    async fn publish(&self, bus: &KafkaBus) {
        for first in (0..self.count).step_by(PUBLISH as usize) {
            loop {
                let records = (first..first + PUBLISH).map(record).collect();
                let published = async { bus.publish(&self.topic, records).await?.await };
                match published.await {
                    Ok(()) => break,
                    Err(PublishError::Away(_)) => self.repeats.fetch_add(1, Ordering::Relaxed),
                    Err(error) => panic!("{error}"),
                };
            }
            self.published.store(first + PUBLISH, Ordering::Relaxed);
        }
    }

    async fn wait_published(&self, count: u64) {
        while self.published.load(Ordering::Relaxed) < count {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// One member of the group, for so many batches or until all is done.
    async fn member(&self, bus: &KafkaBus, batches_max: usize) {
        let mut member = bus.subscribe("group", std::slice::from_ref(&self.topic)).await.unwrap();
        let mut batches = 0;
        while batches < batches_max && !self.is_done() {
            match tokio::time::timeout(LOOK, member.next_batch(BATCH)).await {
                Err(_) | Ok(Err(ConsumeError::Away(_))) => {}
                Ok(Err(error)) => panic!("{error}"),
                Ok(Ok(batch)) => {
                    batches += 1;
                    self.handle(&mut *member, batch).await;
                }
            }
        }
    }

    async fn handle(&self, member: &mut dyn Subscribe, batch: bus::Batch) {
        let numbers: BTreeSet<_> = batch.records.iter().map(|record| number(&record.value)).collect();
        let again = {
            let acked = self.acked.lock().unwrap();
            numbers.iter().filter(|number| acked.contains_key(number)).count()
        };
        self.again.fetch_add(again as u64, Ordering::Relaxed);
        match member.ack(&batch.delivered).await {
            Ok(()) => {
                let mut acked = self.acked.lock().unwrap();
                numbers
                    .iter()
                    .for_each(|number| *acked.entry(*number).or_default() += 1);
            }
            // Its next owner gets them.
            Err(ConsumeError::Revoked(..)) => {}
            Err(error) => panic!("{error}"),
        }
    }

    fn assert_each_once(&self) {
        let repeated = self.repeats.load(Ordering::Relaxed) * PUBLISH;
        let again = self.again.load(Ordering::Relaxed);
        assert!(
            again <= repeated,
            "{again} records were acked and came again, {repeated} were published again"
        );
    }
}

/// Two members stay while others join, work and leave, one after the other, and records keep coming. What was acked by one
/// that leaves in good order must not come again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_that_come_and_go_lose_and_repeat_nothing() {
    let kafka = backing::shared_kafka();
    let bus = bus_of(kafka);
    let group = Group::new(&topic_of(&bus, "come.and.go").await, 10_000);
    let others = [bus_of(kafka), bus_of(kafka)];
    let stay = join_all(others.iter().map(|bus| group.member(bus, usize::MAX)));
    let come_and_go = async {
        while !group.is_done() {
            let bus = bus_of(kafka);
            group.member(&bus, BATCHES).await;
            bus.close(Duration::from_secs(10)).await.unwrap();
        }
    };
    join(group.publish(&bus), join(stay, come_and_go)).await;
    group.assert_each_once();
}

/// Kills one of three brokers, which leads a third of the partitions and perhaps the group, while records keep coming.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_killed_takes_nothing_along() {
    let options = KafkaOptions {
        brokers: 3,
        ..KafkaOptions::default()
    };
    let kafka = Arc::new(Kafka::start(options).unwrap());
    let bus = bus_of(&kafka);
    let group = Group::new(&topic_of(&bus, "killed").await, 10_000);
    let others = [bus_of(&kafka), bus_of(&kafka)];
    let read = join_all(others.iter().map(|bus| group.member(bus, usize::MAX)));
    let kill = async {
        group.wait_published(2_000).await;
        let killed = kafka.clone();
        let done = tokio::task::spawn_blocking(move || killed.kill(0));
        done.await.unwrap().unwrap();
        group.wait_published(6_000).await;
        let restarted = kafka.clone();
        let done = tokio::task::spawn_blocking(move || restarted.restart(0));
        done.await.unwrap().unwrap();
    };
    join(group.publish(&bus), join(read, kill)).await;
    group.assert_each_once();
}

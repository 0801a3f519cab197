//! The log on a real Apache Kafka keeps its records while members come and go and while brokers are killed.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use backing::{Kafka, KafkaOptions};
use bus::{
    Bus, ConsumeError, KafkaBus, KafkaConfig, Position, PublishError, Record, Retention, Subscribe, Topic, TopicSpec,
};
use futures::{
    FutureExt,
    future::{join, join_all, select},
};

const PARTITIONS: u32 = 6;
const BATCH: u64 = 50;

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
    Record::new(number.wrapping_mul(0x9E37_79B9_7F4A_7C15), number.to_be_bytes().to_vec())
}

fn number(value: &[u8]) -> u64 {
    u64::from_be_bytes(value.try_into().unwrap())
}

/// What all members together did.
#[derive(Default)]
struct Seen {
    /// Times each record was delivered.
    delivered: Mutex<BTreeMap<u64, u32>>,
    /// Records whose batch was acked.
    acked: Mutex<BTreeSet<u64>>,
    /// Records delivered again although acked.
    again: AtomicU64,
    revoked: AtomicU64,
    away: AtomicU64,
}

impl Seen {
    fn acked(&self) -> usize {
        self.acked.lock().unwrap().len()
    }

    /// Handles batches until `is_over`, or until `batches_max`.
    async fn consume(&self, member: &mut dyn Subscribe, batches_max: usize, until: usize) {
        for _ in 0..batches_max {
            if self.acked() >= until {
                return;
            }
            let waited = tokio::time::timeout(Duration::from_millis(300), member.next_batch(40)).await;
            let batch = match waited {
                Err(_) => continue,
                Ok(Ok(batch)) => batch,
                Ok(Err(ConsumeError::Away(_))) => {
                    self.away.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                Ok(Err(error)) => panic!("{error}"),
            };
            let numbers: Vec<_> = batch.records.iter().map(|record| number(&record.value)).collect();
            for number in &numbers {
                *self.delivered.lock().unwrap().entry(*number).or_default() += 1;
                if self.acked.lock().unwrap().contains(number) {
                    self.again.fetch_add(1, Ordering::Relaxed);
                }
            }
            match member.ack(&batch.delivered).await {
                Ok(()) => self.acked.lock().unwrap().extend(numbers),
                Err(ConsumeError::Revoked(..)) => {
                    self.revoked.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// Publishes until all of `count` are committed; what failed is published again.
async fn publish(bus: &KafkaBus, topic: &Topic, count: u64, failed: &AtomicU64, sent: &AtomicU64) {
    for first in (0..count).step_by(BATCH as usize) {
        loop {
            let records = (first..first + BATCH).map(record).collect();
            let done: Result<(), PublishError> = async { bus.publish(topic, records).await?.await }.await;
            if done.is_ok() {
                sent.store(first + BATCH, Ordering::Relaxed);
                break;
            }
            failed.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}


#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_away_for_long_comes_back() {
    let kafka = Arc::new(Kafka::start(KafkaOptions::default()).unwrap());
    let bus = bus_of(&kafka);
    let topic = topic_of(&bus, "away").await;
    let count = 20_000;
    let seen = Seen::default();
    let (failed, sent) = (AtomicU64::new(0), AtomicU64::new(0));
    let mut config = KafkaConfig { brokers: kafka.bootstrap(), client_id: "s".to_owned(), ..KafkaConfig::default() };
    config.instance = Some("one".to_owned());
    let others = [bus_of(&kafka), KafkaBus::new(config).unwrap()];
    let reading = join_all(others.iter().map(|bus| async {
        let mut member = bus.subscribe("g", std::slice::from_ref(&topic)).await.unwrap();
        seen.consume(&mut *member, usize::MAX, count as usize).await;
        println!("owned {:?}", member.owned().len());
    }));
    let faults = async {
        while sent.load(Ordering::Relaxed) < 5_000 { tokio::time::sleep(Duration::from_millis(20)).await; }
        let extra = bus_of(&kafka);
        let mut leaver = extra.subscribe("h", std::slice::from_ref(&topic)).await.unwrap();
        let batch = leaver.next_batch(10).await.unwrap();
        leaver.ack(&batch.delivered).await.unwrap();
        let one = kafka.clone();
        tokio::task::spawn_blocking(move || one.kill(0)).await.unwrap().unwrap();
        let at = std::time::Instant::now();
        println!("check {:?} {:?}", bus.check().await, at.elapsed());
        let at = std::time::Instant::now();
        drop(leaver);
        println!("close {:?} {:?}", extra.close(Duration::from_secs(20)).await, at.elapsed());
        tokio::time::sleep(Duration::from_secs(40)).await;
        let two = kafka.clone();
        println!("failed {failed:?} away {:?}", seen.away);
        tokio::task::spawn_blocking(move || two.restart(0)).await.unwrap().unwrap();
        let at = std::time::Instant::now();
        let acked = seen.acked();
        while seen.acked() == acked { tokio::time::sleep(Duration::from_millis(20)).await; }
        println!("first ack after {:?}", at.elapsed());
        println!("check {:?}", bus.check().await);
    };
    let publishing = publish(&bus, &topic, count, &failed, &sent);
    join(join(reading, faults), publishing).await;
    let delivered = seen.delivered.lock().unwrap().len();
    println!(
        "delivered {delivered} again {:?} revoked {:?} away {:?} failed {failed:?}",
        seen.again, seen.revoked, seen.away
    );
    let at = std::time::Instant::now();
    for bus in others { bus.close(Duration::from_secs(5)).await.unwrap(); }
    println!("closed {:?}", at.elapsed());
}

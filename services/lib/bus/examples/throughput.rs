//! How much a log carries: `cargo run --release -p bus --example throughput -- [disk|kafka|brokers] [seconds] [rate]`.
//!
//! `disk` is the log on the disk of this machine; `kafka` starts one broker of Apache Kafka for the time of the measurement,
//! and `host:port` uses brokers that are there. The rate is in records per second.
//!
//! Five topics, one publisher and one group member each, as the five records of a message are; every publish of 100 records
//! of 300 octets is awaited by a task of its own. Without a rate it goes as fast as it can.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measurement of real time on a real log"
)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use backing::{Kafka, KafkaOptions, KafkaSpeed};
use bus::{Bus, EmbeddedBus, KafkaBus, KafkaConfig, Record, Retention, Topic, TopicSpec};
use disk::Disk;
use tokio::sync::Semaphore;

const TOPICS: u64 = 5;
const RECORDS: u64 = 100;
const OCTETS: usize = 300;
/// Publishes of one publisher that are not yet safe.
const OUTSTANDING: usize = 64;

fn nanos(begin: Instant) -> u64 {
    begin.elapsed().as_nanos() as u64
}

async fn publish(
    bus: Arc<dyn Bus>,
    topic: Topic,
    begin: Instant,
    seconds: u64,
    rate: u64,
    commits: Arc<Latencies>,
) -> u64 {
    let (outstanding, mut sent) = (Arc::new(Semaphore::new(OUTSTANDING)), 0);
    let mut key = 0_u64;
    while begin.elapsed().as_secs() < seconds {
        if let Some(due) = (sent * 1_000_000_000 * TOPICS).checked_div(rate) {
            tokio::time::sleep_until((begin + Duration::from_nanos(due)).into()).await;
        }
        let slot = outstanding.clone().acquire_owned().await.unwrap();
        let now = nanos(begin);
        let record = |_| {
            key = key.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut value = vec![0x41; OCTETS];
            value[..8].copy_from_slice(&now.to_le_bytes());
            Record::new(key, value)
        };
        let commit = bus.publish(&topic, (0..RECORDS).map(record).collect()).await.unwrap();
        sent += RECORDS;
        let commits = commits.clone();
        tokio::spawn(async move {
            commit.await.unwrap();
            commits.add(nanos(begin) - now);
            drop(slot);
        });
    }
    let _all = outstanding.acquire_many(OUTSTANDING as u32).await.unwrap();
    sent
}

async fn consume(bus: Arc<dyn Bus>, topic: Topic, begin: Instant, deliveries: Arc<Latencies>, count: Arc<AtomicU64>) {
    let mut member = bus.subscribe("group", &[topic]).await.unwrap();
    while let Ok(batch) = member.next_batch(500).await {
        let sent = u64::from_le_bytes(batch.records[0].value[..8].try_into().unwrap());
        deliveries.add(nanos(begin).saturating_sub(sent));
        count.fetch_add(batch.records.len() as u64, Ordering::Relaxed);
        member.ack(&batch.delivered).await.unwrap();
    }
}

/// Latencies in nanoseconds.
#[derive(Default)]
struct Latencies(std::sync::Mutex<Vec<u64>>);

impl Latencies {
    fn add(&self, nanos: u64) {
        self.0.lock().unwrap().push(nanos);
    }

    fn report(&self, name: &str) {
        let mut all = self.0.lock().unwrap().clone();
        all.sort_unstable();
        let at = |share: f64| all[((all.len() - 1) as f64 * share) as usize] as f64 / 1e6;
        println!(
            "{name}: p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms",
            at(0.5),
            at(0.99),
            at(1.0)
        );
    }
}

/// Processor seconds of this process, and its resident memory in MiB now and at most.
fn usage() -> (f64, String) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let memory = status
        .lines()
        .filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"));
    (
        ticks / 100.0,
        memory
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect::<Vec<_>>()
            .join(", "),
    )
}

/// The log to measure, and what must live as long as it.
fn open(kind: &str) -> (Arc<dyn Bus>, Option<tempfile::TempDir>, Option<Kafka>) {
    if kind == "disk" {
        let home = tempfile::tempdir_in(".").unwrap();
        let clock = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
        let bus = EmbeddedBus::open(Disk::open(home.path()).unwrap(), Arc::new(clock)).unwrap();
        return (Arc::new(bus), Some(home), None);
    }
    let options = KafkaOptions {
        speed: KafkaSpeed::Peak,
        ..KafkaOptions::default()
    };
    let kafka = (kind == "kafka").then(|| Kafka::start(options).unwrap());
    let config = KafkaConfig {
        brokers: kafka.as_ref().map_or(kind.to_owned(), Kafka::bootstrap),
        client_id: "throughput".to_owned(),
        ..KafkaConfig::default()
    };
    (Arc::new(KafkaBus::new(config).unwrap()), None, kafka)
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let kind = arguments.next().unwrap_or("disk".to_owned());
    let mut numbers = arguments.map(|argument| argument.parse::<u64>().unwrap());
    let (seconds, rate) = (numbers.next().unwrap_or(10), numbers.next().unwrap_or(0));
    let (bus, _home, _kafka) = open(&kind);
    let topics: Vec<_> = (0..TOPICS)
        .map(|index| Topic::new(format!("throughput.{index}")))
        .collect();
    let retention = Retention::Time(Duration::from_secs(48 * 3_600));
    let spec = |topic: &Topic| TopicSpec {
        topic: topic.clone(),
        partitions: 8,
        retention,
    };
    bus.ensure(&topics.iter().map(spec).collect::<Vec<_>>()).await.unwrap();
    let (commits, deliveries, count) = (
        Arc::new(Latencies::default()),
        Arc::new(Latencies::default()),
        Arc::default(),
    );
    let begin = Instant::now();
    let consumers: Vec<_> = topics
        .iter()
        .map(|topic| {
            tokio::spawn(consume(
                bus.clone(),
                topic.clone(),
                begin,
                deliveries.clone(),
                Arc::clone(&count),
            ))
        })
        .collect();
    let publishers: Vec<_> = topics
        .iter()
        .map(|topic| {
            tokio::spawn(publish(
                bus.clone(),
                topic.clone(),
                begin,
                seconds,
                rate,
                commits.clone(),
            ))
        })
        .collect();
    let mut sent = 0;
    for publisher in publishers {
        sent += publisher.await.unwrap();
    }
    let elapsed = begin.elapsed().as_secs_f64();
    let (processor, memory) = usage();
    while count.load(Ordering::Relaxed) < sent {
        tokio::task::yield_now().await;
    }
    bus.close(Duration::from_secs(10)).await.unwrap();
    for consumer in consumers {
        consumer.await.unwrap();
    }
    println!("{:.0} records/s published, safe and delivered", sent as f64 / elapsed);
    println!(
        "{:.2} processors, {:.2} us of processor per record, {memory}",
        processor / elapsed,
        processor * 1e6 / sent as f64
    );
    commits.report("publish to safe");
    deliveries.report("publish to delivered");
}

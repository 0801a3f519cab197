//! The log on disk keeps every guarantee.
#![expect(clippy::unwrap_used, reason = "a test may")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bus::{
    Bus, EmbeddedBus, PartitionId, Position, Record, Retention, Subscribe, Topic, TopicSpec, conformance::Fixture,
};
use disk::Disk;
use futures::{FutureExt, future::BoxFuture};

struct Embedded {
    bus: Option<EmbeddedBus>,
    now_ms: Arc<AtomicU64>,
    home: tempfile::TempDir,
}

async fn fixture() -> Embedded {
    let now_ms = Arc::new(AtomicU64::new(1_000_000));
    let mut embedded = Embedded {
        bus: None,
        now_ms,
        home: tempfile::tempdir().unwrap(),
    };
    embedded.open();
    embedded
}

impl Embedded {
    fn open(&mut self) {
        let clock = self.now_ms.clone();
        let disk = Disk::open(self.home.path()).unwrap();
        self.bus = Some(EmbeddedBus::open(disk, Arc::new(move || clock.load(Ordering::Relaxed))).unwrap());
    }

    fn segments(&self) -> usize {
        std::fs::read_dir(self.home.path().join("keyspaces")).unwrap().count()
    }
}

impl Fixture for Embedded {
    fn bus(&self) -> Arc<dyn Bus> {
        Arc::new(self.bus.clone().unwrap())
    }

    fn restart(&mut self) -> BoxFuture<'_, bool> {
        self.bus = None;
        self.open();
        std::future::ready(true).boxed()
    }

    fn advance(&mut self, duration: Duration) -> bool {
        self.now_ms.fetch_add(duration.as_millis() as u64, Ordering::Relaxed);
        true
    }
}

bus::conformance_suite!(fixture());

/// Publishes one record an hour for ten days with two days of retention, and looks at what is left in every way.
#[tokio::test]
async fn what_is_older_than_its_retention_is_dropped_with_its_segment() {
    let mut embedded = fixture().await;
    let topic = Topic::new("hourly");
    let retention = Retention::Time(Duration::from_secs(48 * 3_600));
    embedded
        .bus()
        .ensure(&[TopicSpec {
            topic: topic.clone(),
            partitions: 1,
            retention,
        }])
        .await
        .unwrap();
    let position = embedded.bus().read(&topic, Position::Start).await.unwrap().position();
    for hour in 0..240 {
        embedded
            .bus()
            .publish(&topic, vec![Record::new(1, hour.to_string())])
            .await
            .unwrap()
            .await
            .unwrap();
        embedded.advance(Duration::from_secs(3_600));
        if hour == 100 {
            embedded.restart().await;
        }
    }
    let before_ms = embedded.now_ms.load(Ordering::Relaxed) - 10 * 3_600_000;
    embedded.restart().await;
    let bus = embedded.bus();
    let mut reader = bus.read(&topic, Position::Start).await.unwrap();
    let oldest: u32 = std::str::from_utf8(&reader.next(1).await.unwrap()[0].value)
        .unwrap()
        .parse()
        .unwrap();
    // Kept at least 48 hours, and at most one of sixteen parts of that longer, beside the segment that ends there.
    assert!((192 - 7..=192).contains(&oldest), "hour {oldest} is the oldest");
    assert!(embedded.segments() < 26, "{} spaces are left", embedded.segments());
    assert!(
        bus.read(&topic, position).await.is_err(),
        "the position names what is no longer kept"
    );
    let mut reader = bus.read(&topic, Position::Since(before_ms)).await.unwrap();
    assert_eq!(reader.next(1).await.unwrap()[0].value, "230");
}

/// A campaign acks thousands of batches a second, and every write holds up the others.
#[tokio::test]
async fn many_acks_are_one_write_and_none_is_forgotten() {
    let mut embedded = fixture().await;
    let disk = Disk::open(embedded.home.path().join("acks")).unwrap();
    let clock = embedded.now_ms.clone();
    let bus = EmbeddedBus::open(disk.clone(), Arc::new(move || clock.load(Ordering::Relaxed))).unwrap();
    let topic = Topic::new("acked");
    let retention = Retention::Time(Duration::from_secs(3_600));
    let spec = TopicSpec {
        topic: topic.clone(),
        partitions: 4,
        retention,
    };
    bus.ensure(&[spec]).await.unwrap();
    let publish = async |count: u64| {
        let record = |key: u64| Record::new(key.wrapping_mul(0x9e37_79b9_7f4a_7c15), key.to_string());
        bus.publish(&topic, (0..count).map(record).collect())
            .await
            .unwrap()
            .await
            .unwrap();
    };
    publish(100).await;
    let written = || disk.write(disk.batch()).unwrap();
    let before = written();
    let mut member = bus.subscribe("group", std::slice::from_ref(&topic)).await.unwrap();
    for _ in 0..50 {
        let batch = member.next_batch(1).await.unwrap();
        member.ack(&batch.delivered).await.unwrap();
    }
    assert_eq!(written(), before, "acks wait for each other");
    embedded.advance(Duration::from_millis(200));
    let batch = member.next_batch(1).await.unwrap();
    member.ack(&batch.delivered).await.unwrap();
    let together = written();
    assert!(together > before, "what is due is written with the next ack");
    let batch = member.next_batch(1).await.unwrap();
    member.ack(&batch.delivered).await.unwrap();
    embedded.advance(Duration::from_millis(200));
    publish(0).await;
    assert!(written() > together, "or with the next publish");
    let batch = member.next_batch(1).await.unwrap();
    member.ack(&batch.delivered).await.unwrap();
    drop((member, bus, disk));
    let disk = Disk::open(embedded.home.path().join("acks")).unwrap();
    let bus = EmbeddedBus::open(disk, Arc::new(|| 1_000_000)).unwrap();
    let mut member = bus.subscribe("group", std::slice::from_ref(&topic)).await.unwrap();
    let mut left = 0;
    while let Some(batch) = member.next_batch(100).now_or_never() {
        left += batch.unwrap().records.len();
    }
    assert_eq!(left, 100 - 53, "all that was acked is written down at the end");
}

/// The oldest part of a backlog may stand before a restart, in two openings of the log.
#[tokio::test]
async fn a_backlog_counts_what_older_openings_left() {
    let mut embedded = fixture().await;
    let topic = Topic::new("older");
    let retention = Retention::Time(Duration::from_secs(3_600));
    let spec = TopicSpec {
        topic: topic.clone(),
        partitions: 2,
        retention,
    };
    embedded.bus().ensure(&[spec]).await.unwrap();
    for _ in 0..3 {
        for value in 0..5 {
            embedded
                .bus()
                .publish(&topic, vec![Record::new(1, value.to_string()); 2])
                .await
                .unwrap()
                .await
                .unwrap();
        }
        embedded.restart().await;
    }
    let mut member = embedded.bus().subscribe("g", &[topic]).await.unwrap();
    assert_eq!(member.backlog(), 30);
    let batch = member.next_batch(13).await.unwrap();
    assert_eq!(member.backlog(), 30 - batch.records.len() as u64);
}

/// What lies on disk, in publishes of several sizes and three openings of the log, is read a few records at a time: by two
/// members one after the other, and by a reader without a group.
#[tokio::test]
async fn what_is_on_disk_is_read_in_order_by_who_asks_for_few() {
    let mut embedded = fixture().await;
    let topic = Topic::new("older");
    let spec = TopicSpec {
        topic: topic.clone(),
        partitions: 1,
        retention: Retention::Time(Duration::from_secs(3_600)),
    };
    embedded.bus().ensure(&[spec]).await.unwrap();
    let mut published = 0..;
    for size in [1, 40, 3, 700, 2, 90] {
        let records = published.by_ref().take(size);
        let records = records.map(|number: u32| Record::new(1, format!("{number:0400}")));
        let safe = embedded.bus().publish(&topic, records.collect()).await.unwrap();
        safe.await.unwrap();
        if size % 2 == 0 {
            embedded.restart().await;
        }
    }
    let all: Vec<u32> = (0..published.start).collect();
    let number = |value: &[u8]| std::str::from_utf8(value).unwrap().parse::<u32>().unwrap();
    let mut read = Vec::new();
    for part in [200, all.len() - 200] {
        let mut member = embedded
            .bus()
            .subscribe("g", std::slice::from_ref(&topic))
            .await
            .unwrap();
        let end = read.len() + part;
        while read.len() < end {
            let batch = member.next_batch(7.min(end - read.len())).await.unwrap();
            assert!(batch.records.len() <= 7);
            read.extend(batch.records.iter().map(|record| number(&record.value)));
            member.ack(&batch.delivered).await.unwrap();
        }
        // Handed out and not acked: the next member gets it again.
        let _lost = member.next_batch(7).now_or_never();
    }
    assert_eq!(read, all);
    let mut reader = embedded.bus().read(&topic, Position::Start).await.unwrap();
    let mut read = Vec::new();
    while let Some(record) = reader.poll(1).await.unwrap().first() {
        read.push(number(&record.value));
    }
    assert_eq!(read, all);
}

/// One member reads two partitions a few records at a time, so that much is read ahead of it. Another takes one of them, reads
/// on from what was acked, and leaves: the first goes on where the group stands, whatever it had read ahead.
#[tokio::test]
async fn a_partition_that_was_lost_and_comes_back_goes_on_where_its_group_stands() {
    const RECORDS: u32 = 300;
    let mut embedded = fixture().await;
    let topic = Topic::new("shared");
    let spec = TopicSpec {
        topic: topic.clone(),
        partitions: 2,
        retention: Retention::Time(Duration::from_secs(3_600)),
    };
    embedded.bus().ensure(&[spec]).await.unwrap();
    let keys = [0, u64::MAX];
    assert_eq!(keys.map(|key| PartitionId::of(key, 2).0), [0, 1]);
    let records = (0..RECORDS).flat_map(|number| keys.map(|key| Record::new(key, number.to_string())));
    let safe = embedded.bus().publish(&topic, records.collect()).await.unwrap();
    safe.await.unwrap();
    // What was written before is read from the disk.
    embedded.restart().await;
    let topics = std::slice::from_ref(&topic);
    let mut first = embedded.bus().subscribe("g", topics).await.unwrap();
    let mut acked = [0, 0];
    for _ in 0..4 {
        assert_eq!(next(&mut *first, &mut acked).await.1, 7);
    }
    assert_eq!(acked, [14, 14]);
    // Handed out and not acked, and so read again by whoever has the partition.
    first.next_batch(7).await.unwrap();
    first.next_batch(7).await.unwrap();
    let mut second = embedded.bus().subscribe("g", topics).await.unwrap();
    for _ in 0..5 {
        assert_eq!(next(&mut *second, &mut acked).await.0, 1);
    }
    assert_eq!(acked, [14, 49]);
    drop(second);
    let mut lost = [21, 49];
    for _ in 0..10 {
        next(&mut *first, &mut lost).await;
    }
    assert_eq!(
        lost[1],
        49 + 5 * 7,
        "nothing is left out, and nothing that was acked comes again"
    );
}

/// Takes the next batch of `member`, which has to go on where its partition stands, and acks it. Its partition and records.
async fn next(member: &mut dyn Subscribe, stands: &mut [u32; 2]) -> (usize, usize) {
    let batch = member.next_batch(7).await.unwrap();
    let partition = batch.delivered.partition.0 as usize;
    for record in &batch.records {
        assert_eq!(record.value, stands[partition].to_string(), "of partition {partition}");
        stands[partition] += 1;
    }
    member.ack(&batch.delivered).await.unwrap();
    (partition, batch.records.len())
}

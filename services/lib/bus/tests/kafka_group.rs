//! Members of one group in several processes over a real Apache Kafka: each process is a log of its own.
#![expect(clippy::unwrap_used, reason = "a test may")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use bus::{Bus, ConsumeError, KafkaBus, KafkaConfig, Record, Retention, Subscribe, Topic, TopicSpec};

const PARTITIONS: u32 = 8;

fn process(instance: Option<&str>) -> KafkaBus {
    KafkaBus::new(KafkaConfig {
        brokers: backing::shared_kafka().bootstrap(),
        client_id: "group".to_owned(),
        instance: instance.map(str::to_owned),
        ..KafkaConfig::default()
    })
    .unwrap()
}

async fn topic(bus: &KafkaBus, name: &str) -> Topic {
    let topic = Topic::new(name);
    let spec = TopicSpec {
        topic: topic.clone(),
        partitions: PARTITIONS,
        retention: Retention::Time(Duration::from_secs(3_600)),
    };
    bus.ensure(&[spec]).await.unwrap();
    topic
}

async fn join(bus: &KafkaBus, topic: &Topic) -> Box<dyn Subscribe> {
    bus.subscribe(topic.as_str(), std::slice::from_ref(topic))
        .await
        .unwrap()
}

async fn publish(bus: &KafkaBus, topic: &Topic, values: std::ops::Range<u64>) {
    let record = |value: u64| Record::new(value.wrapping_mul(0x9e37_79b9_7f4a_7c15), value.to_string());
    bus.publish(topic, values.map(record).collect())
        .await
        .unwrap()
        .await
        .unwrap();
}

/// Takes and acks one batch, if one comes while others do something.
async fn step(member: &mut Box<dyn Subscribe>, seen: &mut BTreeMap<u64, u32>) {
    let batch = member.next_batch(20).await.unwrap();
    for record in &batch.records {
        *seen
            .entry(std::str::from_utf8(&record.value).unwrap().parse().unwrap())
            .or_default() += 1;
    }
    match member.ack(&batch.delivered).await {
        Ok(()) | Err(ConsumeError::Revoked(..)) => {}
        Err(other) => panic!("{other}"),
    }
}

#[expect(clippy::disallowed_methods, reason = "members of a real log agree in real time")]
async fn settled_within(seconds: u32, what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..100 * seconds {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not so after {seconds} s: {what}");
}

async fn settled(what: &str, is_so: impl FnMut() -> bool) {
    settled_within(30, what, is_so).await;
}

/// What was read so far, and how often each.
type Seen = Arc<Mutex<BTreeMap<u64, u32>>>;

/// Takes and acks until `count` different records were seen by all who share `seen`.
async fn work(member: &mut Box<dyn Subscribe>, seen: &Seen, count: usize) {
    let is_done = || seen.lock().unwrap().len() >= count;
    while !is_done() {
        let mut taken = BTreeMap::new();
        tokio::select! {
            biased;
            () = settled("all records were seen", is_done) => {}
            () = step(member, &mut taken) => {}
        }
        let mut seen = seen.lock().unwrap();
        taken
            .into_iter()
            .for_each(|(value, times)| *seen.entry(value).or_default() += times);
    }
}

/// One process reads alone, a second joins, the first leaves with a batch it did not ack: every record comes, and few come
/// twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_joins_and_one_that_leaves_lose_nothing() {
    let (one, two) = (process(None), process(None));
    let topic = topic(&one, "shared").await;
    let seen = Seen::default();
    publish(&one, &topic, 0..1_000).await;
    let mut first = join(&one, &topic).await;
    work(&mut first, &seen, 500).await;
    let mut second = join(&two, &topic).await;
    publish(&one, &topic, 1_000..2_000).await;
    tokio::join!(work(&mut first, &seen, 2_000), work(&mut second, &seen, 2_000));
    settled("both have a share", || {
        !second.owned().is_empty() && first.owned().len() + second.owned().len() == PARTITIONS as usize
    })
    .await;
    publish(&two, &topic, 2_000..3_000).await;
    let kept = first.next_batch(20).await.unwrap();
    drop(first);
    one.close(Duration::from_secs(20)).await.unwrap();
    work(&mut second, &seen, 3_000).await;
    assert_eq!(second.owned().len(), PARTITIONS as usize);
    let again: Vec<_> = seen
        .lock()
        .unwrap()
        .values()
        .copied()
        .filter(|times| *times > 1)
        .collect();
    assert!(
        again.len() <= 40,
        "{} records came again, {} were kept",
        again.len(),
        kept.records.len()
    );
}

/// A process with a name goes without a word and is back at once: nobody else gets its partitions meanwhile, and batches of
/// others stay theirs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_with_a_name_keeps_its_partitions_over_a_restart() {
    let (one, two) = (process(Some("one")), process(Some("two")));
    let topic = topic(&one, "static").await;
    let (mut first, mut second) = (join(&one, &topic).await, join(&two, &topic).await);
    settled("both have a share", || {
        !second.owned().is_empty() && first.owned().len() + second.owned().len() == PARTITIONS as usize
    })
    .await;
    publish(&one, &topic, 0..200).await;
    let held = first.next_batch(5).await.unwrap();
    step(&mut second, &mut BTreeMap::new()).await;
    let before: BTreeSet<_> = second.owned().into_iter().collect();
    drop(second);
    two.close(Duration::from_secs(20)).await.unwrap();
    let mut second = join(&process(Some("two")), &topic).await;
    step(&mut second, &mut BTreeMap::new()).await;
    assert_eq!(second.owned().into_iter().collect::<BTreeSet<_>>(), before);
    first.ack(&held.delivered).await.unwrap();
    assert_eq!(first.owned().len(), PARTITIONS as usize - before.len());
}

/// One whose process has a name says that it does not come back, and another gets its partitions before brokers miss it,
/// which they do after ten seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_with_a_name_that_resigns_leaves_its_partitions_at_once() {
    let (one, two) = (process(Some("one")), process(Some("two")));
    let topic = topic(&one, "resigned").await;
    let (mut first, second) = (join(&one, &topic).await, join(&two, &topic).await);
    settled("both have a share", || {
        !second.owned().is_empty() && first.owned().len() + second.owned().len() == PARTITIONS as usize
    })
    .await;
    first.resign();
    drop(first);
    settled_within(7, "the other has all", || second.owned().len() == PARTITIONS as usize).await;
    let first = join(&one, &topic).await;
    settled("both have a share again", || {
        !first.owned().is_empty() && first.owned().len() + second.owned().len() == PARTITIONS as usize
    })
    .await;
}

/// Two members of one process in one group have names of their own, so that neither throws the other out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_of_one_process_do_not_take_each_others_name() {
    let one = process(Some("one"));
    let topic = topic(&one, "seats").await;
    let (first, second) = (join(&one, &topic).await, join(&one, &topic).await);
    settled("both have a share", || {
        !second.owned().is_empty() && first.owned().len() + second.owned().len() == PARTITIONS as usize
    })
    .await;
}

/// Acks one batch, goes down without closing anything but the process, and comes back: what was acked does not come again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acks_are_written_down_while_the_member_reads_on() {
    let one = process(None);
    let topic = topic(&one, "acks").await;
    publish(&one, &topic, 0..1_000).await;
    let mut first = join(&one, &topic).await;
    let mut acked = BTreeMap::new();
    while acked.len() < 1_000 {
        step(&mut first, &mut acked).await;
    }
    // The first one neither leaves nor closes: all the second one can know is what was written down meanwhile.
    let other = process(None);
    let mut reader = join(&other, &topic).await;
    settled("both have a share", || !reader.owned().is_empty()).await;
    let mut seen = BTreeMap::new();
    publish(&one, &topic, 1_000..2_000).await;
    while seen.len() < reader.owned().len() * 20 {
        step(&mut reader, &mut seen).await;
    }
    assert!(
        seen.keys().all(|value| *value >= 1_000),
        "{:?} came again",
        seen.keys().next()
    );
}

/// Two processes are given one name by mistake: the first is thrown out and told so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_given_twice_is_said() {
    let (one, two) = (process(Some("same")), process(Some("same")));
    let topic = topic(&one, "names").await;
    let mut first = join(&one, &topic).await;
    settled("the first one has all", || first.owned().len() == PARTITIONS as usize).await;
    let _second = join(&two, &topic).await;
    let words = first.next_batch(1).await.unwrap_err().to_string();
    assert!(words.contains("[bus] instance"), "{words}");
}

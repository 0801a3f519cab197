//! B2 to B6: order, groups, acks, revocation and bounds.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures::FutureExt;

use super::{Fixture, PARTITIONS, key_in, publish, publish_to, settled, take, topic, value, values};
use crate::{ConsumeError, PUBLISH_RECORDS_MAX, PublishError, RECORD_OCTETS_MAX, Record, Retention, Topic, TopicSpec};

/// Publishes many keys in many calls without waiting between them; each key is read in the order of its calls.
pub async fn b2_records_of_one_key_keep_their_order(fixture: &mut dyn Fixture) {
    let bus = fixture.bus();
    let topic = topic(&*bus, "b2").await;
    let (keys, calls) = (31, 50);
    for call in 0..calls {
        let record = |index: u64| Record::new(index.wrapping_mul(0x9e37_79b9_7f4a_7c15), call.to_string());
        let _not_awaited = bus.publish(&topic, (0..keys).map(record).collect()).await.unwrap();
    }
    let mut member = bus
        .subscribe(topic.as_str(), std::slice::from_ref(&topic))
        .await
        .unwrap();
    let mut seen: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
    let mut count = 0;
    while count < keys * u64::from(calls) {
        let batch = member.next_batch(13).await.unwrap();
        count += batch.records.len() as u64;
        batch
            .records
            .iter()
            .for_each(|record| seen.entry(record.key).or_default().push(value(record)));
        member.ack(&batch.delivered).await.unwrap();
    }
    assert_eq!(seen.len() as u64, keys);
    assert!(
        seen.values().all(|values| values.iter().copied().eq(0..calls)),
        "{seen:?}"
    );
}

/// Two groups read the same topic.
pub async fn b3_every_group_gets_every_record(fixture: &mut dyn Fixture) {
    let bus = fixture.bus();
    let topic = topic(&*bus, "b3-groups").await;
    let mut one = bus.subscribe("one", std::slice::from_ref(&topic)).await.unwrap();
    let mut two = bus.subscribe("two", std::slice::from_ref(&topic)).await.unwrap();
    publish(&*bus, &topic, 0..100).await;
    let all: Vec<_> = (0..100).collect();
    assert_eq!(take(&mut *one, 100).await, all);
    assert_eq!(take(&mut *two, 100).await, all);
}

/// A member takes everything, acks one batch of each partition and leaves; the next gets the rest and no more.
pub async fn b3_what_was_not_acked_comes_again(fixture: &mut dyn Fixture) {
    let bus = fixture.bus();
    let topic = topic(&*bus, "b3-again").await;
    publish(&*bus, &topic, 0..40).await;
    let mut first = bus
        .subscribe(topic.as_str(), std::slice::from_ref(&topic))
        .await
        .unwrap();
    let (mut acked, mut taken) = (Vec::new(), 0);
    while taken < 40 {
        let batch = first.next_batch(5).await.unwrap();
        taken += batch.records.len();
        // A partition has ten records, so its first batch is the one that begins with its lowest value.
        if value(&batch.records[0]) < PARTITIONS {
            acked.extend(values(&batch));
            first.ack(&batch.delivered).await.unwrap();
        }
    }
    drop(first);
    let mut second = bus
        .subscribe(topic.as_str(), std::slice::from_ref(&topic))
        .await
        .unwrap();
    let rest = take(&mut *second, 40 - acked.len()).await;
    acked.extend(rest);
    acked.sort_unstable();
    assert_eq!(acked, (0..40).collect::<Vec<_>>());
    // What comes next in each partition is new.
    publish(&*bus, &topic, 40..40 + PARTITIONS).await;
    let next = take(&mut *second, PARTITIONS as usize).await;
    assert_eq!(
        next,
        (40..40 + PARTITIONS).collect::<Vec<_>>(),
        "what was acked came again"
    );
}

/// What was acked well before the end is not forgotten, and what was not is delivered.
pub async fn b3_what_was_not_acked_comes_again_after_a_restart(fixture: &mut dyn Fixture) {
    let topic = topic(&*fixture.bus(), "b3-restart").await;
    publish_to(&*fixture.bus(), &topic, key_in(2), 0..10).await;
    let acked;
    {
        let bus = fixture.bus();
        let mut member = bus
            .subscribe(topic.as_str(), std::slice::from_ref(&topic))
            .await
            .unwrap();
        let batch = member.next_batch(4).await.unwrap();
        acked = batch.records.len() as u32;
        member.ack(&batch.delivered).await.unwrap();
        member.next_batch(4).await.unwrap();
        // Makes the log safe, and with it the ack before.
        publish_to(&*bus, &topic, key_in(2), 10..11).await;
    }
    fixture.restart().await;
    let bus = fixture.bus();
    let mut member = bus
        .subscribe(topic.as_str(), std::slice::from_ref(&topic))
        .await
        .unwrap();
    let rest = take(&mut *member, 11 - acked as usize).await;
    assert_eq!(rest, (acked..11).collect::<Vec<_>>());
}

/// B3 holds for records that were there before the group.
pub async fn b3_a_late_group_begins_at_the_oldest_record(fixture: &mut dyn Fixture) {
    let bus = fixture.bus();
    let topic = topic(&*bus, "b3-late").await;
    publish(&*bus, &topic, 0..20).await;
    let mut member = bus.subscribe("late", &[topic]).await.unwrap();
    assert_eq!(take(&mut *member, 20).await, (0..20).collect::<Vec<_>>());
}

/// Acks the second of three batches of one partition: the first is covered, the third comes again.
pub async fn b4_an_ack_covers_what_came_before_it_and_nothing_after(fixture: &mut dyn Fixture) {
    let bus = fixture.bus();
    let topic = topic(&*bus, "b4").await;
    publish_to(&*bus, &topic, key_in(0), 0..9).await;
    let mut first = bus
        .subscribe(topic.as_str(), std::slice::from_ref(&topic))
        .await
        .unwrap();
    let mut batches = Vec::new();
    for _ in 0..3 {
        batches.push(first.next_batch(3).await.unwrap());
    }
    first.ack(&batches[1].delivered).await.unwrap();
    // An ack of something older takes nothing back.
    first.ack(&batches[0].delivered).await.unwrap();
    drop(first);
    let covered = values(&batches[1]).last().unwrap() + 1;
    let mut second = bus
        .subscribe(topic.as_str(), std::slice::from_ref(&topic))
        .await
        .unwrap();
    let rest = take(&mut *second, 9 - covered as usize).await;
    assert_eq!(rest, (covered..9).collect::<Vec<_>>());
}

/// A second member takes partitions over: the first may not ack them any more, and may ack what it kept.
pub async fn b5_an_ack_after_a_revocation_says_so(fixture: &mut dyn Fixture) {
    let bus = fixture.bus();
    let topic = topic(&*bus, "b5-revoked").await;
    publish(&*bus, &topic, 0..40).await;
    let mut first = bus
        .subscribe(topic.as_str(), std::slice::from_ref(&topic))
        .await
        .unwrap();
    let (mut batches, mut taken) = (Vec::new(), 0);
    while taken < 40 {
        batches.push(first.next_batch(10).await.unwrap());
        taken += batches.last().unwrap().records.len();
    }
    let mut second = bus
        .subscribe(topic.as_str(), std::slice::from_ref(&topic))
        .await
        .unwrap();
    let again = second.next_batch(10).await.unwrap();
    let mut revoked = BTreeSet::new();
    for batch in &batches {
        let holds = first.holds(&batch.delivered);
        let acked = first.ack(&batch.delivered).await;
        assert_eq!(holds, acked.is_ok(), "what is held may be acked");
        match acked {
            Ok(()) => assert_ne!(batch.delivered.partition, again.delivered.partition),
            Err(ConsumeError::Revoked(of, partition)) if of == topic => drop(revoked.insert(partition)),
            Err(other) => panic!("{other}"),
        }
    }
    assert!(
        (1..PARTITIONS as usize).contains(&revoked.len()),
        "{revoked:?} of {PARTITIONS} revoked"
    );
    let owned: BTreeSet<_> = second.owned().iter().map(|(_, partition)| partition.0).collect();
    assert_eq!(revoked, owned);
    assert!(second.holds(&again.delivered));
    second.ack(&again.delivered).await.unwrap();
}

/// What two members own is disjoint and all there is.
pub async fn b5_two_members_share_without_overlap(fixture: &mut dyn Fixture) {
    let bus = fixture.bus();
    let topic = topic(&*bus, "b5-share").await;
    let mut one = bus
        .subscribe(topic.as_str(), std::slice::from_ref(&topic))
        .await
        .unwrap();
    let mut two = bus
        .subscribe(topic.as_str(), std::slice::from_ref(&topic))
        .await
        .unwrap();
    settled("both have a share", || {
        !one.owned().is_empty() && one.owned().len() + two.owned().len() == PARTITIONS as usize
    })
    .await;
    publish(&*bus, &topic, 0..40).await;
    let (first, second) = (one.next_batch(100).await.unwrap(), two.next_batch(100).await.unwrap());
    assert_ne!(first.delivered.partition, second.delivered.partition);
    let mut owned = [one.owned(), two.owned()].concat();
    owned.sort();
    owned.dedup();
    assert_eq!(owned.len() as u32, PARTITIONS);
    drop(one);
    two.ack(&second.delivered).await.unwrap();
    assert_eq!(take(&mut *two, 30).await.len(), 30);
    assert_eq!(two.owned().len() as u32, PARTITIONS);
}

/// One record too many or one octet too many refuses the call, and nothing of it is taken.
pub async fn b6_a_call_over_a_limit_is_refused_whole(fixture: &mut dyn Fixture) {
    let bus = fixture.bus();
    let topic = topic(&*bus, "b6-limit").await;
    let many = vec![Record::new(1, "0"); PUBLISH_RECORDS_MAX + 1];
    let large = vec![Record::new(1, "0"), Record::new(1, vec![0; RECORD_OCTETS_MAX + 1])];
    for records in [many, large] {
        assert!(matches!(
            bus.publish(&topic, records).await,
            Err(PublishError::TooLarge { .. })
        ));
    }
    let mut member = bus
        .subscribe(topic.as_str(), std::slice::from_ref(&topic))
        .await
        .unwrap();
    publish_to(&*bus, &topic, 1, 7..8).await;
    assert_eq!(values(&member.next_batch(10).await.unwrap()), [7]);
}

/// Publishes more than a backend would keep in memory before the first is read.
pub async fn b6_a_slow_reader_gets_all_in_batches_of_the_size_it_asks_for(fixture: &mut dyn Fixture) {
    let bus = fixture.bus();
    let topic = topic(&*bus, "b6-slow").await;
    let (calls, records) = (90, 4);
    for call in 0..calls {
        let record = |index| Record::new(key_in(index % PARTITIONS), vec![call as u8; 256 * 1024]);
        bus.publish(&topic, (0..records).map(record).collect())
            .await
            .unwrap()
            .await
            .unwrap();
    }
    let mut member = bus
        .subscribe(topic.as_str(), std::slice::from_ref(&topic))
        .await
        .unwrap();
    let mut next = BTreeMap::new();
    let mut count = 0;
    while count < calls * records {
        let batch = member.next_batch(3).await.unwrap();
        assert!(batch.records.len() <= 3);
        count += batch.records.len() as u32;
        for record in &batch.records {
            let next = next.entry(record.key).or_insert(0);
            assert_eq!(record.value[0], *next, "key {}", record.key);
            *next += 1;
        }
        member.ack(&batch.delivered).await.unwrap();
    }
}

/// A full partition does not starve another. Where records travel, those of one partition may arrive before those of the
/// other, so there are some rounds; the first one shows it where they do not.
pub async fn partitions_take_turns(fixture: &mut dyn Fixture) {
    let bus = fixture.bus();
    let topic = topic(&*bus, "turns").await;
    let mut member = bus
        .subscribe(topic.as_str(), std::slice::from_ref(&topic))
        .await
        .unwrap();
    for _ in 0..20 {
        publish_to(&*bus, &topic, key_in(3), 1_000..1_001).await;
        publish_to(&*bus, &topic, key_in(0), 0..1_000).await;
        let first = member.next_batch(10).await.unwrap();
        let second = member.next_batch(10).await.unwrap();
        if first.delivered.partition != second.delivered.partition {
            return;
        }
        take(&mut *member, 1_001 - first.records.len() - second.records.len()).await;
    }
    panic!("one partition came twice before the other, in every round");
}

/// Drops a wait half way, then publishes: the record is delivered all the same.
pub async fn a_wait_that_is_dropped_loses_nothing(fixture: &mut dyn Fixture) {
    let bus = fixture.bus();
    let topic = topic(&*bus, "dropped").await;
    let mut member = bus
        .subscribe(topic.as_str(), std::slice::from_ref(&topic))
        .await
        .unwrap();
    assert!(member.next_batch(1).now_or_never().is_none());
    publish_to(&*bus, &topic, 1, 0..1).await;
    assert_eq!(take(&mut *member, 1).await, [0]);
}

/// `ensure` twice with different counts.
pub async fn a_topic_with_another_partition_count_is_refused(fixture: &mut dyn Fixture) {
    let bus = fixture.bus();
    let topic = topic(&*bus, "keeps").await;
    let spec = |partitions| TopicSpec {
        topic: topic.clone(),
        partitions,
        retention: Retention::Time(Duration::from_secs(7_200)),
    };
    bus.ensure(&[spec(PARTITIONS)]).await.unwrap();
    let refused = PublishError::Partitions {
        topic: topic.clone(),
        there: PARTITIONS,
        wanted: PARTITIONS * 2,
    };
    assert_eq!(bus.ensure(&[spec(PARTITIONS * 2)]).await, Err(refused));
    assert_eq!(bus.partitions(&topic), Some(PARTITIONS));
}

/// Each topic through a member of its own, in the order asked for.
pub async fn each_topic_has_a_member_of_its_own(fixture: &mut dyn Fixture) {
    let bus = fixture.bus();
    let topics = [topic(&*bus, "each-one").await, topic(&*bus, "each-two").await];
    publish(&*bus, &topics[0], 0..40).await;
    publish(&*bus, &topics[1], 100..140).await;
    let mut members = bus.subscribe_each(topics[0].as_str(), &topics).await.unwrap();
    assert_eq!(members.len(), 2);
    assert_eq!(take(&mut *members[1], 40).await, (100..140).collect::<Vec<_>>());
    assert_eq!(take(&mut *members[0], 40).await, (0..40).collect::<Vec<_>>());
    let owned = members[0].owned();
    assert_eq!(owned.len(), PARTITIONS as usize);
    assert!(owned.iter().all(|(topic, _)| *topic == topics[0]));
}

/// What was not handed out yet, and nothing else.
pub async fn the_backlog_is_what_was_not_handed_out(fixture: &mut dyn Fixture) {
    let bus = fixture.bus();
    let topic = topic(&*bus, "backlog").await;
    publish_to(&*bus, &topic, key_in(1), 0..10).await;
    let mut member = bus
        .subscribe(topic.as_str(), std::slice::from_ref(&topic))
        .await
        .unwrap();
    let batch = member.next_batch(4).await.unwrap();
    let left = 10 - batch.records.len();
    settled("what is left is known", || member.backlog() == left as u64).await;
    take(&mut *member, left).await;
    assert_eq!(member.backlog(), 0);
}

/// All three ways to name a topic that is not there.
pub async fn an_unknown_topic_is_refused(fixture: &mut dyn Fixture) {
    let bus = fixture.bus();
    let topic = Topic::new("conformance.unknown");
    assert_eq!(bus.partitions(&topic), None);
    assert_eq!(
        bus.publish(&topic, vec![]).await.err(),
        Some(PublishError::UnknownTopic(topic.clone()))
    );
    let refused = bus.subscribe(topic.as_str(), std::slice::from_ref(&topic)).await.err();
    assert_eq!(refused, Some(ConsumeError::UnknownTopic(topic)));
}

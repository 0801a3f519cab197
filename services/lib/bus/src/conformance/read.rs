//! Readers without a group, and compacted topics.

use std::{collections::BTreeMap, time::Duration};

use super::{Fixture, PARTITIONS, key_in, publish, publish_to, topic, topic_with, value};
use crate::{ConsumeError, Position, Read, Record, Retention, Stored};

/// All that is there now.
async fn all(reader: &mut dyn Read) -> Vec<Stored> {
    let mut found = Vec::new();
    loop {
        let records = reader.poll(7).await.unwrap();
        if records.is_empty() {
            return found;
        }
        found.extend(records);
    }
}

/// All that is there now, in order of value.
async fn rest(reader: &mut dyn Read) -> Vec<u32> {
    let mut found: Vec<_> = all(reader).await.iter().map(value).collect();
    found.sort_unstable();
    found
}

/// Reads a part, keeps the position as text, and reads the rest with another reader.
pub async fn a_reader_goes_on_where_its_position_says(fixture: &mut dyn Fixture) {
    let bus = fixture.bus();
    let topic = topic(&*bus, "read-position").await;
    publish(&*bus, &topic, 0..50).await;
    let mut first = bus.read(&topic, Position::Start).await.unwrap();
    let mut found: Vec<_> = first.next(9).await.unwrap().iter().map(value).collect();
    let Position::At(text) = first.position() else {
        panic!("a position that is no text")
    };
    let mut second = bus.read(&topic, Position::At(text)).await.unwrap();
    found.extend(rest(&mut *second).await);
    found.sort_unstable();
    assert_eq!(found, (0..50).collect::<Vec<_>>());
}

/// Needs a clock that can be moved.
pub async fn a_reader_begins_at_an_instant(fixture: &mut dyn Fixture) {
    let bus = fixture.bus();
    let topic = topic(&*bus, "read-since").await;
    publish(&*bus, &topic, 0..10).await;
    if !fixture.advance(Duration::from_secs(60)) {
        return;
    }
    publish(&*bus, &topic, 10..20).await;
    let mut reader = bus.read(&topic, Position::Start).await.unwrap();
    let all = all(&mut *reader).await;
    let later = all.iter().filter(|record| value(record) >= 10);
    let begin = later.clone().map(|record| record.stored_at_ms).min().unwrap();
    let end = later.map(|record| record.stored_at_ms).max().unwrap();
    let mut reader = bus.read(&topic, Position::Since(begin)).await.unwrap();
    assert_eq!(rest(&mut *reader).await, (10..20).collect::<Vec<_>>());
    let mut reader = bus.read(&topic, Position::Since(end + 1)).await.unwrap();
    assert!(rest(&mut *reader).await.is_empty());
    let mut reader = bus.read(&topic, Position::Since(0)).await.unwrap();
    assert_eq!(rest(&mut *reader).await.len(), 20);
}

/// `End` is where the log ends at the moment of the call.
pub async fn a_reader_at_the_end_sees_only_what_comes_later(fixture: &mut dyn Fixture) {
    let bus = fixture.bus();
    let topic = topic(&*bus, "read-end").await;
    publish(&*bus, &topic, 0..10).await;
    let mut reader = bus.read(&topic, Position::End).await.unwrap();
    assert!(rest(&mut *reader).await.is_empty());
    publish_to(&*bus, &topic, 1, 10..11).await;
    assert_eq!(
        reader.next(10).await.unwrap().iter().map(value).collect::<Vec<_>>(),
        [10]
    );
}

/// A reader knows when it has passed an end taken before, whatever was written since.
pub async fn a_reader_knows_that_it_is_past_an_end(fixture: &mut dyn Fixture) {
    let bus = fixture.bus();
    let topic = topic(&*bus, "read-past").await;
    publish(&*bus, &topic, 0..50).await;
    let end = bus.read(&topic, Position::End).await.unwrap().position();
    publish(&*bus, &topic, 50..60).await;
    let mut reader = bus.read(&topic, Position::Start).await.unwrap();
    let mut found = Vec::new();
    while !reader.position().is_past(&end) {
        let records = reader.poll(7).await.unwrap();
        assert!(!records.is_empty(), "at the end, and not past it");
        found.extend(records.iter().map(value));
    }
    found.sort_unstable();
    assert!((0..50).all(|value| found.binary_search(&value).is_ok()), "{found:?}");
    assert!(!end.is_past(&bus.read(&topic, Position::End).await.unwrap().position()));
}

/// Positions are bound to their topic; nonsense is refused too.
pub async fn a_reader_refuses_a_position_of_another_topic(fixture: &mut dyn Fixture) {
    let bus = fixture.bus();
    let (one, two) = (topic(&*bus, "read-one").await, topic(&*bus, "read-two").await);
    let position = bus.read(&one, Position::Start).await.unwrap().position();
    for position in [position, Position::At("nonsense".into()), Position::At(String::new())] {
        assert!(matches!(bus.read(&two, position).await, Err(ConsumeError::Position(_))));
    }
}

/// Overwrites keys many times: the last record of each is there, also after a restart, and the last wins.
pub async fn a_compacted_topic_keeps_the_last_record_of_each_key(fixture: &mut dyn Fixture) {
    let topic = topic_with(&*fixture.bus(), "compacted", Retention::Compacted).await;
    for round in 0..20 {
        for partition in 0..PARTITIONS {
            publish_to(&*fixture.bus(), &topic, key_in(partition), round..round + 1).await;
            publish_to(&*fixture.bus(), &topic, key_in(partition) + 1, round + 100..round + 101).await;
        }
        if round == 10 {
            fixture.restart().await;
        }
    }
    fixture.restart().await;
    let bus = fixture.bus();
    let mut reader = bus.read(&topic, Position::Start).await.unwrap();
    let all = all(&mut *reader).await;
    let last: BTreeMap<_, _> = all.iter().map(|record| (record.key, value(record))).collect();
    let expected = (0..PARTITIONS).flat_map(|partition| [(key_in(partition), 19), (key_in(partition) + 1, 119)]);
    assert_eq!(last, expected.collect::<BTreeMap<_, _>>());
}

/// Takes one of two keys off, and puts it back later: who follows the topic is told, and a reader from the start finds at the most
/// the empty value, never the one before.
pub async fn an_empty_value_takes_its_key_off_a_compacted_topic(fixture: &mut dyn Fixture) {
    let topic = topic_with(&*fixture.bus(), "taken-off", Retention::Compacted).await;
    let (stays, goes) = (key_in(0), key_in(0) + 1);
    publish_to(&*fixture.bus(), &topic, stays, 1..2).await;
    publish_to(&*fixture.bus(), &topic, goes, 2..3).await;
    let bus = fixture.bus();
    let mut follower = bus.read(&topic, Position::Start).await.unwrap();
    assert_eq!(rest(&mut *follower).await, [1, 2]);
    let nothing = vec![Record::new(goes, Vec::new())];
    bus.publish(&topic, nothing).await.unwrap().await.unwrap();
    let told = follower.next(7).await.unwrap();
    assert_eq!((told.len(), told[0].key, told[0].value.len()), (1, goes, 0));
    drop((follower, bus));
    for _ in 0..2 {
        let bus = fixture.bus();
        let mut reader = bus.read(&topic, Position::Start).await.unwrap();
        let last: BTreeMap<_, _> = all(&mut *reader)
            .await
            .into_iter()
            .map(|record| (record.key, record.value))
            .collect();
        assert!(!last[&stays].is_empty());
        assert!(last.get(&goes).is_none_or(|value| value.is_empty()));
        drop((reader, bus));
        fixture.restart().await;
    }
    publish_to(&*fixture.bus(), &topic, goes, 3..4).await;
    let bus = fixture.bus();
    let mut reader = bus.read(&topic, Position::Start).await.unwrap();
    let last: BTreeMap<_, _> = all(&mut *reader)
        .await
        .into_iter()
        .map(|record| (record.key, record))
        .collect();
    assert_eq!(value(&last[&goes]), 3);
}

//! B1 and B7: what outlives the log, and how it ends.

use std::time::Duration;

use super::{Fixture, key_in, publish, publish_to, take, topic};
use crate::{ConsumeError, Position, PublishError, Record, Topic};

/// Publishes, awaits the commit, restarts, reads.
pub async fn b1_what_is_committed_is_there_after_a_restart(fixture: &mut dyn Fixture) {
    let topic = topic(&*fixture.bus(), "b1-restart").await;
    publish(&*fixture.bus(), &topic, 0..100).await;
    fixture.restart().await;
    let mut member = fixture
        .bus()
        .subscribe(topic.as_str(), std::slice::from_ref(&topic))
        .await
        .unwrap();
    assert_eq!(take(&mut *member, 100).await, (0..100).collect::<Vec<_>>());
}

/// A topic and its partition count are as durable as a record.
pub async fn b1_topics_are_there_after_a_restart(fixture: &mut dyn Fixture) {
    let topic = topic(&*fixture.bus(), "b1-topic").await;
    fixture.restart().await;
    assert_eq!(fixture.bus().partitions(&topic), Some(super::PARTITIONS));
}

/// A reader that kept its position goes on after a restart and sees only what is new.
pub async fn b1_positions_rise_over_a_restart(fixture: &mut dyn Fixture) {
    let topic = topic(&*fixture.bus(), "b1-position").await;
    publish_to(&*fixture.bus(), &topic, key_in(1), 0..5).await;
    let bus = fixture.bus();
    let mut reader = bus.read(&topic, Position::Start).await.unwrap();
    assert_eq!(reader.next(100).await.unwrap().len(), 5);
    let position = reader.position();
    drop((reader, bus));
    fixture.restart().await;
    let bus = fixture.bus();
    let mut reader = bus.read(&topic, position).await.unwrap();
    assert!(reader.poll(100).await.unwrap().is_empty());
    publish_to(&*bus, &topic, key_in(1), 5..6).await;
    assert_eq!(
        reader
            .next(100)
            .await
            .unwrap()
            .iter()
            .map(super::value)
            .collect::<Vec<_>>(),
        [5]
    );
}

/// After closing, every call says `Closed`.
pub async fn b7_closing_refuses_what_comes_later(fixture: &mut dyn Fixture) {
    let bus = fixture.bus();
    let topic: Topic = topic(&*bus, "b7-refuses").await;
    let commit = bus.publish(&topic, vec![Record::new(1, "1")]).await.unwrap();
    let mut member = bus
        .subscribe(topic.as_str(), std::slice::from_ref(&topic))
        .await
        .unwrap();
    bus.close(Duration::from_secs(60)).await.unwrap();
    commit.await.unwrap();
    assert_eq!(
        bus.publish(&topic, vec![Record::new(1, "2")]).await.err(),
        Some(PublishError::Closed)
    );
    assert_eq!(member.next_batch(1).await.err(), Some(ConsumeError::Closed));
    assert_eq!(
        bus.subscribe(topic.as_str(), std::slice::from_ref(&topic)).await.err(),
        Some(ConsumeError::Closed)
    );
}

/// A subscriber and a reader that wait for records end with `Closed`.
pub async fn b7_closing_wakes_who_waits(fixture: &mut dyn Fixture) {
    let bus = fixture.bus();
    let topic = topic(&*bus, "b7-wakes").await;
    let mut member = bus
        .subscribe(topic.as_str(), std::slice::from_ref(&topic))
        .await
        .unwrap();
    let mut reader = bus.read(&topic, Position::Start).await.unwrap();
    let limit = Duration::from_secs(60);
    let (batch, records, closed) = futures::join!(member.next_batch(1), reader.next(1), bus.close(limit));
    assert_eq!(batch.err(), Some(ConsumeError::Closed));
    assert_eq!(records.err(), Some(ConsumeError::Closed));
    closed.unwrap();
}

//! Where partitions begin and end: questions to the brokers that block.

use std::{collections::BTreeMap, time::Duration};

use rdkafka::{Offset, TopicPartitionList, consumer::Consumer as _, error::KafkaResult};

use super::ear::Consumer;
use crate::Topic;

/// A partition of a topic.
pub(super) type Place = (Topic, u32);
/// The offsets that were found.
pub(super) type Found = BTreeMap<Place, i64>;

/// First offset after the newest record of each of `places`.
pub(super) fn ends(consumer: &Consumer, places: &[Place], limit: Duration) -> KafkaResult<Found> {
    at(consumer, places, Offset::End, limit)
}

/// Offset of the oldest record of each of `places`.
pub(super) fn begins(consumer: &Consumer, places: &[Place], limit: Duration) -> KafkaResult<Found> {
    at(consumer, places, Offset::Beginning, limit)
}

/// Offset of the first record of each of `places` stored at or after `instant_ms`; nothing of those without one.
pub(super) fn since(consumer: &Consumer, places: &[Place], instant_ms: u64, limit: Duration) -> KafkaResult<Found> {
    at(
        consumer,
        places,
        Offset::Offset(i64::try_from(instant_ms).unwrap_or(i64::MAX)),
        limit,
    )
}

/// How far the group got in each of `places`, or where they begin if it never acked.
pub(super) fn committed(consumer: &Consumer, places: &[Place], limit: Duration) -> KafkaResult<Found> {
    let mut found = read(&consumer.committed_offsets(list(places, Offset::Invalid)?, limit)?);
    let other: Vec<_> = places
        .iter()
        .filter(|place| !found.contains_key(place))
        .cloned()
        .collect();
    if !other.is_empty() {
        found.extend(begins(consumer, &other, limit)?);
    }
    Ok(found)
}

/// A list for the library with one offset for all.
pub(super) fn list(places: &[Place], offset: Offset) -> KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::with_capacity(places.len());
    for (topic, partition) in places {
        list.add_partition_offset(topic.as_str(), *partition as i32, offset)?;
    }
    Ok(list)
}

fn at(consumer: &Consumer, places: &[Place], offset: Offset, limit: Duration) -> KafkaResult<Found> {
    // The brokers take an instant or, in its place, one of the marks for the beginning and the end.
    Ok(read(&consumer.offsets_for_times(list(places, offset)?, limit)?))
}

fn read(list: &TopicPartitionList) -> Found {
    let mut found = Found::new();
    for place in list.elements() {
        if let (Offset::Offset(offset), Ok(())) = (place.offset(), place.error()) {
            found.insert((Topic::new(place.topic()), place.partition() as u32), offset);
        }
    }
    found
}

//! Records and batches.

use bytes::Bytes;

use crate::{PUBLISH_RECORDS_MAX, PartitionId, PublishError, RECORD_OCTETS_MAX, Topic};

/// What is published: a key that fixes partition and order, and opaque octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Hash that picks the partition; records of one key stay in order.
    pub key: u64,
    /// The payload; on a compacted topic none at all takes the key off it, see [`Retention::Compacted`](crate::Retention).
    pub value: Bytes,
    /// Small named values beside the payload, such as trace context; usually empty.
    pub headers: Vec<(&'static str, Bytes)>,
}

/// A record as read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The key it was published with.
    pub key: u64,
    /// The payload.
    pub value: Bytes,
    /// When the log took it, in milliseconds since the epoch.
    pub stored_at_ms: u64,
    /// Headers it was published with.
    pub headers: Vec<(String, Bytes)>,
}

/// Records of one partition, oldest first, with what is needed to ack them.
#[derive(Debug)]
pub struct Batch {
    /// The records; never empty.
    pub records: Vec<Stored>,
    /// Names the batch to `ack`.
    pub delivered: Delivered,
}

/// Names a batch that was delivered. `mark` is the backend's own: a position and the member's generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// Topic of the batch.
    pub topic: Topic,
    /// Partition of the batch.
    pub partition: PartitionId,
    /// First position after the batch.
    pub end: u64,
    /// Grows with every change of owner of the partition.
    pub generation: u64,
}

/// A place in all partitions of one topic; opaque, printable, stable across restarts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Position {
    /// The oldest record kept.
    Start,
    /// After the newest record.
    End,
    /// The first record stored at or after this instant, in milliseconds since the epoch.
    Since(u64),
    /// Exactly where `Read::position` said.
    At(String),
}

impl Position {
    /// Whether all that lies before `end` lies before this position too, in every partition. Both come from
    /// `Read::position` of one topic; false for any others.
    pub fn is_past(&self, end: &Self) -> bool {
        let places = |position: &Self| -> Option<(String, Vec<u64>)> {
            let Self::At(text) = position else { return None };
            let (topic, places) = text.rsplit_once('/')?;
            let places = places.split('.').map(|place| place.parse().ok());
            Some((topic.to_owned(), places.collect::<Option<_>>()?))
        };
        match (places(self), places(end)) {
            (Some((topic, here)), Some((other, there))) => {
                topic == other
                    && here.len() == there.len()
                    && here.iter().zip(&there).all(|(here, there)| here >= there)
            }
            _ => false,
        }
    }
}

impl Record {
    /// A record without headers.
    pub fn new(key: u64, value: impl Into<Bytes>) -> Self {
        Self {
            key,
            value: value.into(),
            headers: Vec::new(),
        }
    }
}

/// Refuses a publish over its limits.
pub(crate) fn check_limits(records: &[Record]) -> Result<(), PublishError> {
    if records.len() > PUBLISH_RECORDS_MAX {
        let (size, limit) = (records.len(), PUBLISH_RECORDS_MAX);
        return Err(PublishError::TooLarge {
            what: "number of records in one publish",
            size,
            limit,
        });
    }
    match records
        .iter()
        .map(|record| record.value.len())
        .find(|octets| *octets > RECORD_OCTETS_MAX)
    {
        Some(size) => Err(PublishError::TooLarge {
            what: "value of a record in octets",
            size,
            limit: RECORD_OCTETS_MAX,
        }),
        None => Ok(()),
    }
}

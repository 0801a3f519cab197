//! The ordered, partitioned log that carries every message: one contract, several backends.
//!
//! Bytes in, bytes out; the bus knows nothing of messages. Every backend keeps these guarantees, and a conformance test of
//! the same number holds each of them:
//!
//! - **B1** Once a [`Commit`] resolves to `Ok`, its records survive the stated fault (kafka: all in-sync replicas;
//!   embedded: fsync; memory: as long as the process lives).
//! - **B2** Records of one key are read in the order in which they were published.
//! - **B3** Every record is delivered to every group at least once.
//! - **B4** An ack covers its batch and everything before it in that partition, and nothing after it.
//! - **B5** After a partition is revoked, `ack` says so and the caller drops what it has not yet written to a carrier.
//! - **B6** Memory is bounded: a publisher over the in-flight limit waits, a slow reader holds its position, and
//!   no more than one read of the disk for each partition.
//! - **B7** Shutdown flushes, or reports how many records were not.
//!
//! Not hidden: partitions, revocation, repeats. Not exposed: offsets and the types of a backend.

#[cfg(feature = "conformance")]
pub mod conformance;
mod embedded;
mod error;
mod kafka;
mod local;
mod memory;
mod record;
mod topic;

pub use embedded::EmbeddedBus;
pub use error::{ConsumeError, PublishError};
pub use kafka::{KafkaBus, KafkaConfig, KafkaMechanism, KafkaSasl, KafkaTls, SESSION};
pub use memory::MemoryBus;
pub use record::{Batch, Delivered, Position, Record, Stored};
pub use topic::{PartitionId, Retention, Topic, TopicSpec};

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;

/// Resolves when the records of one publish are safe, see B1. Dropping it does not cancel the write.
pub type Commit = disk::Commit<PublishError>;

/// Says the time in milliseconds since the epoch.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Most records one publish may hand over.
pub const PUBLISH_RECORDS_MAX: usize = 10_000;
/// Largest value of one record, in octets.
pub const RECORD_OCTETS_MAX: usize = 512 * 1024;

/// A log with topics and groups.
pub trait Bus: Send + Sync {
    /// Creates the topics that are missing.
    ///
    /// # Errors
    /// The log is away, or a topic exists with another partition count: equal keys would no longer meet in equal partitions.
    /// Some of the topics may have been created.
    fn ensure<'a>(&'a self, topics: &'a [TopicSpec]) -> BoxFuture<'a, Result<(), PublishError>>;

    /// Hands `records` to the log in order; waits while the log is over its in-flight limit, and that wait is the
    /// back-pressure. Readers may see the records before the returned [`Commit`] resolves. Not for use under a timeout
    /// that drops the future: whether the records were taken would be unknown.
    ///
    /// # Errors
    /// Unknown topic, a record over its limit, or the log is closed: nothing of the call was taken.
    fn publish<'a>(&'a self, topic: &'a Topic, records: Vec<Record>) -> BoxFuture<'a, Result<Commit, PublishError>>;

    /// Joins `group` and reads `topics` as part of it; each partition goes to one member at a time. Topics created later
    /// are not followed.
    ///
    /// # Errors
    /// Unknown topic, or the log is away.
    fn subscribe<'a>(
        &'a self,
        group: &'a str,
        topics: &'a [Topic],
    ) -> BoxFuture<'a, Result<Box<dyn Subscribe>, ConsumeError>>;

    /// Joins `group` once and reads each of `topics` through a member of its own, in their order: one link to the log where
    /// the backend can, so that many topics cost no more than one.
    ///
    /// # Errors
    /// Unknown topic, or the log is away.
    fn subscribe_each<'a>(
        &'a self,
        group: &'a str,
        topics: &'a [Topic],
    ) -> BoxFuture<'a, Result<Vec<Box<dyn Subscribe>>, ConsumeError>> {
        Box::pin(async move {
            let mut members = Vec::with_capacity(topics.len());
            for topic in topics {
                members.push(self.subscribe(group, std::slice::from_ref(topic)).await?);
            }
            Ok(members)
        })
    }

    /// Reads all partitions of `topic` from `from` on, without a group and without acks.
    ///
    /// # Errors
    /// Unknown topic, or a position that is none of this topic's.
    fn read<'a>(&'a self, topic: &'a Topic, from: Position) -> BoxFuture<'a, Result<Box<dyn Read>, ConsumeError>>;

    /// Partitions of `topic`, `None` if there is no such topic. A log that is apart tells from memory what it saw last:
    /// `check`, `ensure` and every use of a topic look.
    fn partitions(&self, topic: &Topic) -> Option<u32>;

    /// Whether the log takes and gives records at the moment, as far as that can be told without publishing: a log that is
    /// apart answers, the partitions this process uses are served, no publish waits since seconds, and the last one did
    /// not fail within a minute. Of a process that published nothing only the first two are known.
    ///
    /// # Errors
    /// It does not, and why.
    fn check(&self) -> BoxFuture<'_, Result<(), PublishError>>;

    /// Flushes and closes. Later calls fail with `Closed`.
    ///
    /// # Errors
    /// How many records were not made safe within `limit`.
    fn close(&self, limit: Duration) -> BoxFuture<'_, Result<(), PublishError>>;
}

/// One member of a group. Dropping it leaves the group; what was not acked goes to another member.
pub trait Subscribe: Send {
    /// The next non-empty batch, all of one partition, waiting for one if there is none. Batches of several partitions
    /// take turns. Several batches of one partition may be out at once. Cancel-safe.
    fn next_batch(&mut self, records_max: usize) -> BoxFuture<'_, Result<Batch, ConsumeError>>;

    /// Marks `batch` and all before it in its partition as done. What is not acked comes again after a crash.
    ///
    /// # Errors
    /// `Revoked` when the partition belongs to somebody else by now: the records come again there.
    fn ack<'a>(&'a mut self, batch: &'a Delivered) -> BoxFuture<'a, Result<(), ConsumeError>>;

    /// Says that this member does not come back once it is dropped: its partitions go to others at once, also where the log
    /// keeps those of a process known by name for as long as a restart may take.
    fn resign(&mut self) {}

    /// The partitions this member holds at the moment.
    fn owned(&self) -> Vec<(Topic, PartitionId)>;

    /// Whether the partition of `batch` is this member's and was nobody else's since the batch was handed out; costs no round
    /// trip.
    fn holds(&self, batch: &Delivered) -> bool;

    /// Records in the partitions this member holds that it was not handed yet, as far as known; costs no round trip.
    fn backlog(&self) -> u64;
}

/// A reader without a group.
pub trait Read: Send {
    /// The next records of any partition, waiting for one if there is none. Cancel-safe.
    fn next(&mut self, records_max: usize) -> BoxFuture<'_, Result<Vec<Stored>, ConsumeError>>;

    /// The next records if some are there now; empty at the end of all partitions. Cancel-safe.
    fn poll(&mut self, records_max: usize) -> BoxFuture<'_, Result<Vec<Stored>, ConsumeError>>;

    /// Where to go on after everything handed out so far.
    fn position(&self) -> Position;
}

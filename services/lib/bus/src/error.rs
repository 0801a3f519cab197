//! What can go wrong, named by what the caller can do.

use crate::Topic;

/// A publish that was not taken or not made safe.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// No such topic: create it first.
    #[error("topic {0} does not exist")]
    UnknownTopic(Topic),
    /// A topic exists with another partition count.
    #[error(
        "topic {topic} has {there} partitions and {wanted} are configured: set [bus] partitions = {there}, or delete the \
         topic once it is read to its end"
    )]
    Partitions {
        /// The topic.
        topic: Topic,
        /// Its partitions.
        there: u32,
        /// Those asked for.
        wanted: u32,
    },
    /// One call or record is over its limit: split it.
    #[error("{what} is {size}, the limit is {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// The log is closed.
    #[error("the log is closed")]
    Closed,
    /// The log is away or failed to write: try again; the records may or may not have been taken.
    #[error("the log is away: {0}")]
    Away(String),
    /// Closing gave up with this many records not made safe.
    #[error("{0} records were not made safe before the limit")]
    Unflushed(usize),
}

/// A read or an ack that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsumeError {
    /// No such topic: create it first.
    #[error("topic {0} does not exist")]
    UnknownTopic(Topic),
    /// The partition belongs to another member by now: drop what was not yet written to a carrier.
    #[error("partition {1} of {0} was revoked")]
    Revoked(Topic, u32),
    /// The position is none of this topic's, or what it named is no longer kept.
    #[error("position \"{0}\" is not one of this topic")]
    Position(String),
    /// The log is closed.
    #[error("the log is closed")]
    Closed,
    /// The log is away: try again.
    #[error("the log is away: {0}")]
    Away(String),
}

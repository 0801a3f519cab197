//! Where a cluster has put the buckets, as one of its servers tells.

use ::redis::{Value, from_redis_value};

use super::{
    bucket::{BUCKETS, Bucket},
    fault,
};
use crate::StoreError;

/// Where the buckets are.
#[derive(Debug)]
pub(super) struct Placement {
    /// Id of the server that was asked.
    pub(super) asked: String,
    /// The server of each bucket.
    pub(super) nodes: Vec<(Bucket, Node)>,
}

/// A server of a cluster.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) id: String,
    /// Empty = where the one who was asked is.
    pub(super) host: String,
    pub(super) port: u16,
}

/// A range of slots and who has them.
struct Range {
    first: u16,
    last: u16,
    node: Node,
}

impl Placement {
    /// Reads the answers to CLUSTER MYID, CLUSTER SLOTS, and CLUSTER KEYSLOT of each bucket.
    pub(super) fn of_answers(url: &str, answers: Vec<Value>) -> Result<Self, StoreError> {
        let unexpected = || fault::unexpected("CLUSTER");
        let mut answers = answers.into_iter();
        let mut next = || answers.next().ok_or_else(unexpected);
        let asked: String = from_redis_value(next()?).map_err(|_| unexpected())?;
        let ranges: Vec<Value> = from_redis_value(next()?).map_err(|_| unexpected())?;
        let ranges: Option<Vec<Range>> = ranges.into_iter().map(Range::of_answer).collect();
        let ranges = ranges.ok_or_else(unexpected)?;
        let mut nodes = Vec::with_capacity(BUCKETS);
        for bucket in Bucket::all() {
            let slot: u16 = from_redis_value(next()?).map_err(|_| unexpected())?;
            let range = ranges.iter().find(|range| (range.first..=range.last).contains(&slot));
            let range = range.ok_or_else(|| {
                StoreError::Away(format!(
                    "redis at {url}: its cluster has no server for slot {slot}; look at CLUSTER INFO"
                ))
            })?;
            nodes.push((bucket, range.node.clone()));
        }
        Ok(Self { asked, nodes })
    }

    /// The buckets of the server that was asked.
    pub(super) fn own(&self) -> Vec<Bucket> {
        let own = self.nodes.iter().filter(|(_, node)| node.id == self.asked);
        own.map(|(bucket, _)| *bucket).collect()
    }
}

impl Range {
    /// The primary comes first of those who have the range; later words say where else it may be reached.
    fn of_answer(answer: Value) -> Option<Self> {
        let mut words = answer.into_sequence().ok()?.into_iter();
        let (first, last) = (
            from_redis_value(words.next()?).ok()?,
            from_redis_value(words.next()?).ok()?,
        );
        let mut node = words.next()?.into_sequence().ok()?.into_iter();
        let host: Option<String> = from_redis_value(node.next()?).ok()?;
        let (port, id) = (
            from_redis_value(node.next()?).ok()?,
            from_redis_value(node.next()?).ok()?,
        );
        let host = host.filter(|host| host != "?").unwrap_or_default();
        let node = Node { id, host, port };
        Some(Self { first, last, node })
    }
}

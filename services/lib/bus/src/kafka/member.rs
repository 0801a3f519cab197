//! One member of a group.

use std::sync::Arc;

use futures::{FutureExt, future::BoxFuture};

use super::{
    desk::{Desk, Held},
    link::Link,
};
use crate::{Batch, ConsumeError, Delivered, PartitionId, Subscribe, Topic};

/// A member; leaves its group when dropped, and its consumer ends with the last member of it.
pub(super) struct Member {
    link: Arc<Link>,
    desk: Arc<Desk>,
}

impl Member {
    pub(super) fn new(link: Arc<Link>, desk: Arc<Desk>) -> Self {
        Self { link, desk }
    }
}

impl Subscribe for Member {
    fn next_batch(&mut self, records_max: usize) -> BoxFuture<'_, Result<Batch, ConsumeError>> {
        async move {
            let taken = self.desk.next(records_max).await?;
            let delivered = Delivered {
                topic: taken.topic,
                partition: PartitionId(taken.partition),
                end: taken.end as u64,
                generation: taken.generation,
            };
            Ok(Batch {
                records: taken.records,
                delivered,
            })
        }
        .boxed()
    }

    fn ack<'a>(&'a mut self, batch: &'a Delivered) -> BoxFuture<'a, Result<(), ConsumeError>> {
        let acked = if self.desk.is_closed() {
            Err(ConsumeError::Closed)
        } else {
            self.link.ack(&self.desk, batch)
        };
        std::future::ready(acked).boxed()
    }

    fn resign(&mut self) {
        self.link.resign();
    }

    fn owned(&self) -> Vec<(Topic, PartitionId)> {
        self.desk.each(|held| (held.topic.clone(), PartitionId(held.partition)))
    }

    fn holds(&self, batch: &Delivered) -> bool {
        let is_same = |held: &mut Held| held.generation == batch.generation;
        self.desk.one(&batch.topic, batch.partition.0, is_same).unwrap_or(false)
    }

    fn backlog(&self) -> u64 {
        self.desk.each(|held| held.backlog()).into_iter().sum()
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.desk.close();
        self.link.leave();
    }
}

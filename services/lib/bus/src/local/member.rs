//! One member of a group.

use std::sync::Arc;

use futures::{FutureExt, future::BoxFuture};
use tokio::sync::Notify;

use super::{Local, ahead::Ahead, group::Group, topic::TopicLog};
use crate::{Batch, ConsumeError, Delivered, PartitionId, Subscribe, Topic};

/// A member; leaves its group when dropped.
pub(super) struct Member {
    local: Arc<Local>,
    group: Arc<Group>,
    id: u64,
    notify: Arc<Notify>,
    logs: Vec<Arc<TopicLog>>,
    /// Every partition of every topic, as indexes; the turn goes round them.
    places: Vec<(usize, usize)>,
    /// What was read ahead of each place.
    ahead: Vec<Ahead>,
    turn: usize,
}

impl Member {
    pub(super) fn join(local: Arc<Local>, group: Arc<Group>, logs: Vec<Arc<TopicLog>>) -> Result<Self, ConsumeError> {
        let (id, notify) = (local.id(), Arc::new(Notify::new()));
        let mut places = Vec::new();
        for (index, log) in logs.iter().enumerate() {
            places.extend((0..log.partitions()).map(|partition| (index, partition)));
        }
        // Made first, so that a join that fails half way leaves what it has joined.
        let member = Self {
            local,
            group,
            id,
            notify,
            logs,
            ahead: places.iter().map(|_| Ahead::default()).collect(),
            places,
            turn: 0,
        };
        for log in &member.logs {
            log.wait_with(id, &member.notify);
            member.group.join(id, &member.notify, log)?;
        }
        Ok(member)
    }

    /// The next batch if one is there now.
    fn poll_batch(&mut self, records_max: usize) -> Result<Option<Batch>, ConsumeError> {
        let places = self.places.len();
        let mut step = 0;
        while step < places {
            let place = (self.turn + step) % places;
            let (index, partition) = self.places[place];
            let log = &self.logs[index];
            let Some(turn) = self.group.turn(self.id, &log.topic, partition, log.next(partition)) else {
                // Nothing is left of it, or it went to another member.
                self.ahead[place].clear();
                step += 1;
                continue;
            };
            let fetched = log.fetch(partition, turn.from, records_max, &mut self.ahead[place])?;
            if let Some(batch) = self.group.hand(&log.topic, partition, &turn, fetched) {
                self.turn = (place + 1) % places;
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    async fn wait_batch(&mut self, records_max: usize) -> Result<Batch, ConsumeError> {
        loop {
            self.local.readable()?;
            if let Some(batch) = self.poll_batch(records_max)? {
                return Ok(batch);
            }
            // A permit given after the look above is kept, so nothing is missed; a wait that is dropped loses nothing.
            self.notify.notified().await;
        }
    }
}

impl Subscribe for Member {
    fn next_batch(&mut self, records_max: usize) -> BoxFuture<'_, Result<Batch, ConsumeError>> {
        self.wait_batch(records_max).boxed()
    }

    fn ack<'a>(&'a mut self, batch: &'a Delivered) -> BoxFuture<'a, Result<(), ConsumeError>> {
        let acked = self.local.readable().and_then(|()| self.group.ack(self.id, batch));
        std::future::ready(acked).boxed()
    }

    fn owned(&self) -> Vec<(Topic, PartitionId)> {
        let of = |log: &Arc<TopicLog>| {
            let partitions = self.group.owned(self.id, &log.topic);
            let topic = log.topic.clone();
            partitions.into_iter().map(move |partition| (topic.clone(), partition))
        };
        self.logs.iter().flat_map(of).collect()
    }

    fn holds(&self, batch: &Delivered) -> bool {
        self.group.holds(self.id, batch)
    }

    fn backlog(&self) -> u64 {
        self.logs.iter().map(|log| self.group.backlog(self.id, log)).sum()
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        for log in &self.logs {
            log.forget(self.id);
            self.group.leave(self.id, &log.topic);
        }
    }
}

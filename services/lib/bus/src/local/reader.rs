//! A reader without a group.

use std::sync::Arc;

use futures::{FutureExt, future::BoxFuture};
use tokio::sync::Notify;

use super::{Local, ahead::Ahead, topic::TopicLog};
use crate::{ConsumeError, Position, Read, Stored};

/// Goes through all partitions of one topic.
pub(super) struct Reader {
    local: Arc<Local>,
    log: Arc<TopicLog>,
    id: u64,
    notify: Arc<Notify>,
    /// Where to go on, for each partition.
    next: Vec<u64>,
    /// What was read ahead of each partition.
    ahead: Vec<Ahead>,
    turn: usize,
}

impl Reader {
    pub(super) fn open(local: Arc<Local>, log: Arc<TopicLog>, from: &Position) -> Result<Self, ConsumeError> {
        let next = places(&log, from)?;
        let (id, notify) = (local.id(), Arc::new(Notify::new()));
        log.wait_with(id, &notify);
        Ok(Self {
            local,
            log,
            id,
            notify,
            ahead: next.iter().map(|_| Ahead::default()).collect(),
            next,
            turn: 0,
        })
    }

    fn poll_records(&mut self, records_max: usize) -> Result<Vec<Stored>, ConsumeError> {
        let partitions = self.next.len();
        for step in 0..partitions {
            let partition = (self.turn + step) % partitions;
            while self.next[partition] < self.log.next(partition) {
                let from = self.next[partition];
                let (records, end) = self
                    .log
                    .fetch(partition, from, records_max, &mut self.ahead[partition])?;
                self.next[partition] = end;
                if !records.is_empty() {
                    self.turn = (partition + 1) % partitions;
                    return Ok(records);
                }
            }
        }
        Ok(Vec::new())
    }

    async fn wait_records(&mut self, records_max: usize) -> Result<Vec<Stored>, ConsumeError> {
        loop {
            self.local.readable()?;
            let records = self.poll_records(records_max)?;
            if !records.is_empty() {
                return Ok(records);
            }
            // A permit given after the look above is kept, so nothing is missed.
            self.notify.notified().await;
        }
    }
}

impl Read for Reader {
    fn next(&mut self, records_max: usize) -> BoxFuture<'_, Result<Vec<Stored>, ConsumeError>> {
        self.wait_records(records_max).boxed()
    }

    fn poll(&mut self, records_max: usize) -> BoxFuture<'_, Result<Vec<Stored>, ConsumeError>> {
        let records = self.local.readable().and_then(|()| self.poll_records(records_max));
        std::future::ready(records).boxed()
    }

    fn position(&self) -> Position {
        let places: Vec<_> = self.next.iter().map(u64::to_string).collect();
        Position::At(format!("{}/{}", self.log.topic, places.join(".")))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.log.forget(self.id);
    }
}

/// The place of each partition that `from` names.
fn places(log: &TopicLog, from: &Position) -> Result<Vec<u64>, ConsumeError> {
    if let Position::At(text) = from {
        return parse(log, text).ok_or_else(|| ConsumeError::Position(text.clone()));
    }
    (0..log.partitions())
        .map(|partition| log.locate(partition, from))
        .collect()
}

/// Reads back what `position` wrote; `None` if it is none of this topic's or no longer kept.
fn parse(log: &TopicLog, text: &str) -> Option<Vec<u64>> {
    let (topic, places) = text.rsplit_once('/')?;
    let places: Vec<u64> = places
        .split('.')
        .map(|place| place.parse().ok())
        .collect::<Option<_>>()?;
    let is_ours = topic == log.topic.as_str() && places.len() == log.partitions();
    let is_kept = |(partition, place): (usize, &u64)| log.is_kept(partition, *place);
    (is_ours && places.iter().enumerate().all(is_kept)).then_some(places)
}

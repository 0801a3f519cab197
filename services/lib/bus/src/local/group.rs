//! Who reads which partition of a group, and how far it got.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use tokio::sync::Notify;

use super::{
    durable::{Durable, Place},
    lock,
    topic::TopicLog,
};
use crate::{Batch, ConsumeError, Delivered, PartitionId, Stored, Topic};

/// The members of one group and their shares.
pub(super) struct Group {
    name: String,
    durable: Option<Arc<Durable>>,
    topics: Mutex<BTreeMap<Topic, Shares>>,
}

/// How one topic is divided among the members that read it, in the order in which they joined.
struct Shares {
    members: Vec<(u64, Arc<Notify>)>,
    partitions: Vec<Share>,
}

/// One partition as the group sees it.
struct Share {
    place: Place,
    owner: Option<u64>,
    generation: u64,
    /// First position not acked.
    done: u64,
    /// First position not handed out to the owner.
    handed: u64,
}

/// What a member may fetch next.
pub(super) struct Turn {
    pub(super) from: u64,
    generation: u64,
}

impl Group {
    pub(super) fn new(name: &str, durable: Option<Arc<Durable>>) -> Self {
        Self {
            name: name.to_owned(),
            durable,
            topics: Mutex::default(),
        }
    }

    pub(super) fn join(&self, member: u64, notify: &Arc<Notify>, log: &TopicLog) -> Result<(), ConsumeError> {
        let mut topics = lock(&self.topics);
        if !topics.contains_key(&log.topic) {
            let shares = (0..log.partitions()).map(|partition| self.share(log.place(partition)));
            let partitions = shares.collect::<Result<_, _>>()?;
            topics.insert(
                log.topic.clone(),
                Shares {
                    members: Vec::new(),
                    partitions,
                },
            );
        }
        let shares = topics.get_mut(&log.topic).expect("it was just put there");
        shares.members.push((member, notify.clone()));
        shares.divide();
        Ok(())
    }

    /// A partition nobody owns yet, at the position kept on disk.
    fn share(&self, place: Place) -> Result<Share, ConsumeError> {
        let done = match &self.durable {
            Some(durable) => durable.positions.get(&self.name, place)?,
            None => 0,
        };
        Ok(Share {
            place,
            owner: None,
            generation: 0,
            done,
            handed: done,
        })
    }

    pub(super) fn leave(&self, member: u64, topic: &Topic) {
        if let Some(shares) = lock(&self.topics).get_mut(topic) {
            shares.members.retain(|(id, _)| *id != member);
            shares.divide();
        }
    }

    /// The place to fetch from if `member` owns the partition and `next` lies after it.
    pub(super) fn turn(&self, member: u64, topic: &Topic, partition: usize, next: u64) -> Option<Turn> {
        let topics = lock(&self.topics);
        let share = topics.get(topic)?.partitions.get(partition)?;
        let ready = share.owner == Some(member) && share.handed < next;
        ready.then_some(Turn {
            from: share.handed,
            generation: share.generation,
        })
    }

    /// Hands out what was fetched for `turn`, unless the partition went to somebody else in between or nothing was there.
    pub(super) fn hand(
        &self,
        topic: &Topic,
        partition: usize,
        turn: &Turn,
        (records, end): (Vec<Stored>, u64),
    ) -> Option<Batch> {
        let mut topics = lock(&self.topics);
        let share = topics.get_mut(topic)?.partitions.get_mut(partition)?;
        if share.generation != turn.generation {
            return None;
        }
        share.handed = end;
        let partition = PartitionId(partition as u32);
        let delivered = Delivered {
            topic: topic.clone(),
            partition,
            end,
            generation: turn.generation,
        };
        (!records.is_empty()).then_some(Batch { records, delivered })
    }

    /// Marks a batch as done.
    pub(super) fn ack(&self, member: u64, batch: &Delivered) -> Result<(), ConsumeError> {
        let mut topics = lock(&self.topics);
        let share = topics
            .get_mut(&batch.topic)
            .and_then(|shares| shares.partitions.get_mut(batch.partition.0 as usize))
            .ok_or_else(|| ConsumeError::UnknownTopic(batch.topic.clone()))?;
        if share.owner != Some(member) || share.generation != batch.generation {
            return Err(ConsumeError::Revoked(batch.topic.clone(), batch.partition.0));
        }
        let done = batch.end.min(share.handed);
        if done > share.done {
            if let Some(durable) = &self.durable {
                durable.positions.keep(&self.name, share.place, done)?;
            }
            share.done = done;
        }
        Ok(())
    }

    /// Records of `log` in the partitions of `member` that it was not handed.
    pub(super) fn backlog(&self, member: u64, log: &TopicLog) -> u64 {
        let topics = lock(&self.topics);
        let Some(shares) = topics.get(&log.topic) else { return 0 };
        let mine = shares
            .partitions
            .iter()
            .enumerate()
            .filter(|(_, share)| share.owner == Some(member));
        mine.map(|(partition, share)| log.count(partition, share.handed)).sum()
    }

    /// Whether `member` has had the partition ever since `batch` was handed out.
    pub(super) fn holds(&self, member: u64, batch: &Delivered) -> bool {
        let topics = lock(&self.topics);
        let shares = topics.get(&batch.topic);
        let share = shares.and_then(|shares| shares.partitions.get(batch.partition.0 as usize));
        share.is_some_and(|share| share.owner == Some(member) && share.generation == batch.generation)
    }

    pub(super) fn owned(&self, member: u64, topic: &Topic) -> Vec<PartitionId> {
        let topics = lock(&self.topics);
        let Some(shares) = topics.get(topic) else {
            return Vec::new();
        };
        let mine = shares
            .partitions
            .iter()
            .enumerate()
            .filter(|(_, share)| share.owner == Some(member));
        mine.map(|(index, _)| PartitionId(index as u32)).collect()
    }
}

impl Shares {
    /// Gives partition `i` to member `i` modulo their number. A partition that changes hands starts again at what is not
    /// acked, under a new generation.
    fn divide(&mut self) {
        for (index, share) in self.partitions.iter_mut().enumerate() {
            let owner = match self.members.len() {
                0 => None,
                members => Some(self.members[index % members].0),
            };
            if share.owner != owner {
                share.owner = owner;
                share.generation += 1;
                share.handed = share.done;
            }
        }
        for (_, notify) in &self.members {
            notify.notify_one();
        }
    }
}

//! Records that come again, as they were or spoiled.

use bus::{Bus, Position, Record, Topic};
use bytes::Bytes;
use service::Dice;
use signalbox_proto::{record, topics};
use sms::{CarrierName, Lane};

use super::Stage;
use crate::{Repeated, Spoiled, tables::CARRIERS};

/// Records of a topic that are picked from.
const PICKED_FROM_MAX: usize = 10_000;

impl Stage {
    /// Publishes some records of a topic again, as a publisher does that died before it heard of its success.
    pub(super) async fn repeat(&self, what: Repeated, records: u64) {
        let topic = self.topic_of(what);
        let again = self.sample(&topic, records).await;
        self.note(&topic, again.len(), "come again");
        self.publish(&topic, again).await;
    }

    /// Publishes some records of a topic again so that nobody can read them.
    pub(super) async fn spoil(&self, what: Repeated, how: Spoiled, records: u64) {
        let topic = self.topic_of(what);
        let mut spoiled = self.sample(&topic, records).await;
        let can_be_read = |record: &Record| record::read_as_on(topic.as_str(), &record.value, record.key).is_ok();
        spoiled.retain(can_be_read);
        for record in &mut spoiled {
            record.value = how.spoil(&record.value, &self.dice);
        }
        self.note(&topic, spoiled.len(), how.as_str());
        self.publish(&topic, spoiled).await;
    }

    fn topic_of(&self, what: Repeated) -> Topic {
        let lane = Lane::ALL[self.dice.below(3) as usize];
        let carrier = CARRIERS[self.dice.below(CARRIERS.len() as u64) as usize];
        match what {
            Repeated::Accepted => topics::accepted(lane),
            Repeated::Dispatch => topics::dispatch(&CarrierName::new(carrier).expect("the list holds names"), lane),
            Repeated::Outcomes => topics::outcomes(),
            Repeated::Receipts => topics::receipts(),
            Repeated::Retry if self.world.numbers.is_some() && self.dice.below(2) == 0 => topics::lookup(lane),
            // Shorter waits are more frequent.
            Repeated::Retry => topics::retry(topics::DELAYS[self.dice.below(2) as usize].0),
        }
    }

    async fn sample(&self, topic: &Topic, records: u64) -> Vec<Record> {
        let reader = self.world.bus.read(topic, Position::Start).await;
        let stored = reader
            .expect("the log in memory is never away")
            .poll(PICKED_FROM_MAX)
            .await;
        let stored = stored.expect("the log in memory is never away");
        let picks = (0..records).filter(|_| !stored.is_empty());
        let picks = picks.map(|_| &stored[self.dice.below(stored.len() as u64) as usize]);
        picks
            .map(|stored| Record::new(stored.key, stored.value.clone()))
            .collect()
    }

    fn note(&self, topic: &Topic, records: usize, what: &str) {
        self.world
            .diary
            .note(format_args!("{records} records of {topic} {what}"));
    }

    async fn publish(&self, topic: &Topic, records: Vec<Record>) {
        if !records.is_empty() {
            let published = self.world.bus.publish(topic, records).await;
            drop(published.expect("the log in memory is never away"));
        }
    }
}

impl Spoiled {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Truncated => "come again cut short",
            Self::Changed => "come again with a bit changed",
            Self::Newer => "come again in a later format",
        }
    }

    /// `octets` so that they cannot be read.
    fn spoil(self, octets: &Bytes, dice: &Dice) -> Bytes {
        let at = dice.below(octets.len() as u64) as usize;
        match self {
            Self::Truncated => octets.slice(..at),
            Self::Changed => {
                let mut octets = octets.to_vec();
                octets[at] ^= 1 << dice.below(8);
                octets.into()
            }
            Self::Newer => record::of_a_later_format(octets),
        }
    }
}

//! Everything that a run left behind: what was promised, what stands on the log, and what carriers saw.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use bus::{Bus, Position, Stored, Topic};
use bytes::Bytes;
use connector::simulator::{Submitted, Told};
use journey::{Event, Order, OrderAnswer, ReceiptRecord};
use signalbox_proto::{
    record::{self, DeadRecord, Invalid},
    topics,
};
use sms::{CarrierName, Lane, Message, MessageId, RecordKey, UnixMs};

use crate::{Links, Promise, Trouble, fleet::World, tables::CARRIERS, troubles::STORE_LOST};

/// Records read at once.
const READ_MAX: usize = 10_000;

/// An event as it stands on the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// When the log took it.
    pub at: UnixMs,
    /// Its octets.
    pub octets: Bytes,
    /// What they say.
    pub event: Event,
}

/// Everything that a run left behind.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Messages that were answered OK, in order.
    pub promises: Vec<Promise>,
    /// Every accepted message on the log; several under one id if it was published again.
    pub accepted: BTreeMap<MessageId, Vec<Message>>,
    /// Every order on the log, issued when it was stored: clocks of processes may be off.
    pub orders: Vec<Order>,
    /// Every answer on the log, given when it was stored.
    pub answers: Vec<OrderAnswer>,
    /// Every receipt with its order on the log.
    pub receipts: Vec<ReceiptRecord>,
    /// Every event on the log.
    pub events: Vec<End>,
    /// Records on the log that nobody can read, by their topic.
    pub unreadable: Vec<(String, Bytes)>,
    /// When the log took each accepted message first.
    pub stored: BTreeMap<MessageId, UnixMs>,
    /// Keys of orders, answers and waits whose only copy nobody can read.
    pub torn: BTreeSet<RecordKey>,
    /// Records that were put aside.
    pub dead: Vec<DeadRecord>,
    /// Every part that a carrier was handed.
    pub submitted: Vec<Submitted>,
    /// Every receipt that was answered as safe.
    pub told: Vec<Told>,
    /// The carriers of each link.
    pub links: Links,
    /// Messages that a table of the run refuses, or knows no way for.
    pub refused: BTreeSet<MessageId>,
    /// Messages to numbers that nobody serves, as somebody says who knows.
    pub gone: BTreeSet<MessageId>,
    /// Senders that the table replaces, and by what.
    pub rewrites: Vec<(String, String)>,
    /// When everything was up again and the faults were over.
    pub calm_at: UnixMs,
    /// When the run was over.
    pub ended_at: UnixMs,
    /// Messages sent once it was calm.
    pub fresh: Vec<MessageId>,
    /// Whether carriers behaved by then.
    pub recovered: bool,
    /// What went wrong, and when.
    pub troubles: Vec<Trouble>,
    /// Processes that panicked.
    pub panics: Vec<String>,
    /// Hash of the log and of what carriers were handed.
    pub hash: u64,
}

impl Evidence {
    /// Reads what stands on the log of `world` and in the memory of its carriers.
    pub(crate) async fn gather(world: &World) -> Self {
        let mut hasher = DefaultHasher::new();
        let mut found = Self {
            submitted: world.hub.submitted(),
            told: world.hub.told(),
            troubles: world.troubles.all(),
            panics: world.diary.panics(),
            torn: world.weather.torn().into_iter().map(RecordKey).collect(),
            ended_at: world.clock.now(),
            ..Self::default()
        };
        found.read_log(world, &mut hasher).await;
        for part in &found.submitted {
            (
                &part.link,
                part.at,
                part.message,
                part.number,
                part.part,
                &part.octets,
                &part.remote_id,
            )
                .hash(&mut hasher);
        }
        found.hash = hasher.finish();
        found
    }

    async fn read_log(&mut self, world: &World, hasher: &mut DefaultHasher) {
        for lane in Lane::ALL {
            for (stored, message) in self
                .read(world, topics::accepted(lane), hasher, record::accepted_from_bytes)
                .await
            {
                let stored_at = UnixMs(stored.stored_at_ms);
                let first = self.stored.entry(message.id).or_insert(stored_at);
                *first = stored_at.min(*first);
                self.accepted.entry(message.id).or_default().push(message);
            }
            for carrier in CARRIERS {
                let carrier = CarrierName::new(carrier).expect("the list holds names");
                let orders = topics::dispatch(&carrier, lane);
                for (stored, order) in self.read(world, orders, hasher, record::order_from_bytes).await {
                    let issued_at = UnixMs(stored.stored_at_ms);
                    self.orders.push(Order { issued_at, ..order });
                }
            }
        }
        for (stored, answer) in self
            .read(world, topics::outcomes(), hasher, record::outcome_from_bytes)
            .await
        {
            let at = UnixMs(stored.stored_at_ms);
            self.answers.push(OrderAnswer { at, ..answer });
        }
        let receipts = self
            .read(world, topics::receipts(), hasher, record::receipt_from_bytes)
            .await;
        self.receipts = receipts.into_iter().map(|(_, receipt)| receipt).collect();
        for (stored, event) in self
            .read(world, topics::events(), hasher, record::event_from_bytes)
            .await
        {
            self.events.push(End {
                at: UnixMs(stored.stored_at_ms),
                event,
                octets: stored.value,
            });
        }
        for (delay, _) in topics::DELAYS {
            // What waits says nothing that is not known otherwise, if it can be read: its message alone needs a key.
            let waiting = |octets: &Bytes| record::delayed_from_bytes(octets, RecordKey(0)).map(drop);
            self.read(world, topics::retry(delay), hasher, waiting).await;
        }
        for lane in Lane::ALL {
            let waiting = |octets: &Bytes| record::delayed_from_bytes(octets, RecordKey(0)).map(drop);
            self.read(world, topics::lookup(lane), hasher, waiting).await;
        }
        let dead = self.read(world, topics::dead(), hasher, record::dead_from_bytes).await;
        self.dead = dead.into_iter().map(|(_, dead)| dead).collect();
        self.read_rebuilds(world, hasher).await;
    }

    /// What is stored before a router notes that it rebuilds the store is in doubt, however long after the loss that is.
    async fn read_rebuilds(&mut self, world: &World, hasher: &mut DefaultHasher) {
        let notes = all(world, &topics::store(), hasher).await;
        let Some(noted_at) = notes.last().map(|note| UnixMs(note.stored_at_ms)) else {
            return;
        };
        let is_of_loss = |trouble: &Trouble| trouble.what == STORE_LOST && trouble.from <= noted_at;
        // The note that begins an installation is of no loss.
        if self.troubles.iter().any(is_of_loss) {
            self.troubles.push(Trouble {
                what: "the store was rebuilt",
                link: None,
                from: noted_at,
                until: noted_at,
            });
        }
    }

    /// Every record of `topic` that can be read; the others are unreadable.
    async fn read<T>(
        &mut self,
        world: &World,
        topic: Topic,
        hasher: &mut DefaultHasher,
        read: fn(&Bytes) -> Result<T, Invalid>,
    ) -> Vec<(Stored, T)> {
        let mut readable = Vec::new();
        for stored in all(world, &topic, hasher).await {
            match read(&stored.value) {
                Ok(what) => readable.push((stored, what)),
                Err(_) => self.unreadable.push((topic.as_str().to_owned(), stored.value)),
            }
        }
        readable
    }

    /// Whether a record was torn that may have been of `message`.
    pub fn is_torn(&self, message: MessageId) -> bool {
        self.key_of(message).is_some_and(|key| self.torn.contains(&key))
    }

    /// The key of a message's records; `None` = it is not on the log.
    pub fn key_of(&self, message: MessageId) -> Option<RecordKey> {
        self.accepted.get(&message)?.last().map(|message| message.key)
    }
}

async fn all(world: &World, topic: &Topic, hasher: &mut DefaultHasher) -> Vec<Stored> {
    let mut found = Vec::new();
    if world.bus.partitions(topic).is_none() {
        return found;
    }
    let mut reader = world
        .bus
        .read(topic, Position::Start)
        .await
        .expect("the log in memory is never away");
    loop {
        let records = reader.poll(READ_MAX).await.expect("the log in memory is never away");
        if records.is_empty() {
            return found;
        }
        for stored in &records {
            (topic.as_str(), stored.stored_at_ms, stored.key, &stored.value).hash(hasher);
        }
        found.extend(records);
    }
}

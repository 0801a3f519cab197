//! Everything that a run left behind: what was promised, what stands on the log, and what carriers saw.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use bus::{Bus, Position, Stored, Topic};
use bytes::Bytes;
use connector::simulator::{Submitted, Told};
use journey::{Event, Order, OrderAnswer, ReceiptRecord};
use signalbox_proto::{
    record::{self, DeadRecord},
    topics,
};
use sms::{CarrierName, Lane, Message, MessageId, RecordKey, UnixMs};

use crate::{Links, Promise, Trouble, fleet::World, tables::CARRIERS};

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
    /// Records that nobody understood.
    pub dead: Vec<DeadRecord>,
    /// Every part that a carrier was handed.
    pub submitted: Vec<Submitted>,
    /// Every receipt that was answered as safe.
    pub told: Vec<Told>,
    /// The carriers of each link.
    pub links: Links,
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
            ended_at: world.clock.now(),
            ..Self::default()
        };
        for lane in Lane::ALL {
            for stored in all(world, &topics::accepted(lane), &mut hasher).await {
                let message = record::accepted_from_bytes(&stored.value).expect("ingest writes what can be read");
                found.accepted.entry(message.id).or_default().push(message);
            }
            for carrier in CARRIERS {
                let carrier = CarrierName::new(carrier).expect("the list holds names");
                let orders = all(world, &topics::dispatch(&carrier, lane), &mut hasher).await;
                let read = |stored: &Stored| Order {
                    issued_at: UnixMs(stored.stored_at_ms),
                    ..record::order_from_bytes(&stored.value).expect("orders can be read")
                };
                found.orders.extend(orders.iter().map(read));
            }
        }
        for stored in all(world, &topics::outcomes(), &mut hasher).await {
            found.answers.push(OrderAnswer {
                at: UnixMs(stored.stored_at_ms),
                ..record::outcome_from_bytes(&stored.value).expect("outcomes can be read")
            });
        }
        for stored in all(world, &topics::receipts(), &mut hasher).await {
            found
                .receipts
                .push(record::receipt_from_bytes(&stored.value).expect("receipts can be read"));
        }
        for stored in all(world, &topics::events(), &mut hasher).await {
            found.events.push(End {
                at: UnixMs(stored.stored_at_ms),
                event: record::event_from_bytes(&stored.value).expect("events can be read"),
                octets: stored.value,
            });
        }
        for stored in all(world, &topics::dead(), &mut hasher).await {
            found
                .dead
                .push(record::dead_from_bytes(&stored.value).expect("dead records can be read"));
        }
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

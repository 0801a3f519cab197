//! The books after the trip: what the router wrote on `events`, read from its log.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use bus::{Bus, EmbeddedBus, KafkaBus, KafkaConfig, Position};
use disk::Disk;
use journey::{Event, TerminalEvent};
use service::Clock;
use signalbox_proto::{record, topics};

use sms::UnixMs;

use super::{drive::Trip, files::Ground, stage::Scene};

/// Events read at a time.
const READ_RECORDS_MAX: usize = 1_000;

/// Everything the router said about the end of messages.
pub(super) struct Books {
    /// The terminal event of each message by id, the first one published.
    pub(super) ends: BTreeMap<String, TerminalEvent>,
    /// Messages with two terminal events that differ: there must be none.
    pub(super) contradicted: BTreeSet<String>,
    /// Receipts that came after the end.
    pub(super) late: u64,
    /// Messages that ended and were never answered OK on this trip: their answer was lost.
    pub(super) strangers: u64,
}

impl Books {
    /// Reads all events of `scene`.
    pub(super) async fn read(scene: &Scene, trip: &Trip) -> anyhow::Result<Self> {
        let bus: Box<dyn Bus> = match &scene.ground {
            Ground::Embedded => {
                let disk = Disk::open(scene.database())?;
                Box::new(EmbeddedBus::open(disk, Clock::wall().as_millis_fn())?)
            }
            Ground::Apart { brokers, .. } => Box::new(KafkaBus::new(KafkaConfig {
                brokers: brokers.clone(),
                client_id: "signalbox-demo".to_owned(),
                ..KafkaConfig::default()
            })?),
        };
        let mut reader = bus.read(&topics::events(), Position::Start).await?;
        let mut books = Self {
            ends: BTreeMap::new(),
            contradicted: BTreeSet::new(),
            late: 0,
            strangers: 0,
        };
        loop {
            let records = reader.poll(READ_RECORDS_MAX).await?;
            if records.is_empty() {
                break;
            }
            for stored in records {
                let event = record::event_from_bytes(&stored.value).context("an event cannot be read")?;
                books.note(event, scene.began);
            }
        }
        books.strangers = books.ends.keys().filter(|id| !trip.accepted.contains_key(*id)).count() as u64;
        Ok(books)
    }

    fn note(&mut self, event: Event, began: UnixMs) {
        match event {
            Event::Late(_) => self.late += 1,
            // Another run's, on the same log.
            Event::Ended(end) if end.message.accepted_at < began => {}
            Event::Ended(end) => {
                let id = end.message.id.to_string();
                match self.ends.get(&id) {
                    // The same event again is allowed; readers drop it.
                    Some(known) if *known == *end => {}
                    Some(_) => {
                        self.contradicted.insert(id);
                    }
                    None => {
                        self.ends.insert(id, *end);
                    }
                }
            }
        }
    }
}

/// The carrier that took the message, with what that cost and when it was asked; `None` if no carrier said so.
pub(super) fn taken(end: &TerminalEvent) -> Option<&journey::Attempt> {
    end.attempts.iter().find(|attempt| attempt.answer.outcome == "accepted")
}

//! The books afterwards: what the router wrote on `events`, read from its log.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use anyhow::Context as _;
use bus::{Bus, EmbeddedBus, KafkaBus, KafkaConfig, Position, Topic};
use bytes::Bytes;
use disk::Disk;
use journey::{Event, OrderAnswer, TerminalEvent};
use service::Clock;
use signalbox_proto::{record, topics};

use sms::UnixMs;

use super::files::Ground;

/// Records read at a time.
const READ_RECORDS_MAX: usize = 1_000;

/// Everything the router said about the end of messages.
#[derive(Debug)]
pub struct Books {
    /// The terminal event of each message by id, the first one published.
    pub ends: BTreeMap<String, TerminalEvent>,
    /// Messages with two terminal events that differ: there must be none.
    pub contradicted: BTreeSet<String>,
    /// Receipts that came after the end.
    pub late: u64,
    /// Messages that ended and were never answered OK: their answer was lost.
    pub strangers: u64,
}

impl Books {
    /// Reads all events of the log on `ground`, or in `database` where that is embedded. What was accepted before `began` belongs
    /// to another run.
    ///
    /// # Errors
    /// The log cannot be opened, or a record is no event.
    pub async fn read(
        ground: &Ground,
        database: &Path,
        began: UnixMs,
        is_accepted: impl Fn(&str) -> bool,
    ) -> anyhow::Result<Self> {
        let mut books = Self {
            ends: BTreeMap::new(),
            contradicted: BTreeSet::new(),
            late: 0,
            strangers: 0,
        };
        read_events(ground, database, |event, _| books.note(event, began)).await?;
        books.strangers = books.ends.keys().filter(|id| !is_accepted(id)).count() as u64;
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
                        self.ends.insert(id, Arc::unwrap_or_clone(end));
                    }
                }
            }
        }
    }
}

/// Shows every event of the log on `ground`, or in `database` where that is embedded, and its octets to `visit`, in the order of each partition.
///
/// # Errors
/// The log cannot be opened, or a record is no event.
pub async fn read_events(ground: &Ground, database: &Path, mut visit: impl FnMut(Event, &[u8])) -> anyhow::Result<()> {
    read(ground, database, &topics::events(), |octets| {
        visit(
            record::event_from_bytes(octets).context("an event cannot be read")?,
            octets,
        );
        Ok(())
    })
    .await
}

/// Shows every answer to an order to `visit`, as [`read_events`] does events.
///
/// # Errors
/// The log cannot be opened, or a record is no answer.
pub async fn read_answers(ground: &Ground, database: &Path, mut visit: impl FnMut(OrderAnswer)) -> anyhow::Result<()> {
    read(ground, database, &topics::outcomes(), |octets| {
        visit(record::outcome_from_bytes(octets).context("an answer to an order cannot be read")?);
        Ok(())
    })
    .await
}

async fn read(
    ground: &Ground,
    database: &Path,
    topic: &Topic,
    mut visit: impl FnMut(&Bytes) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let bus: Box<dyn Bus> = match ground {
        Ground::Embedded => {
            let disk = Disk::open(database)?;
            Box::new(EmbeddedBus::open(disk, Clock::wall().as_millis_fn())?)
        }
        Ground::Apart { brokers, .. } => Box::new(KafkaBus::new(KafkaConfig {
            brokers: brokers.clone(),
            client_id: "signalbox-books".to_owned(),
            ..KafkaConfig::default()
        })?),
    };
    let mut reader = bus.read(topic, Position::Start).await?;
    loop {
        let records = reader.poll(READ_RECORDS_MAX).await?;
        if records.is_empty() {
            return Ok(());
        }
        records.iter().try_for_each(|stored| visit(&stored.value))?;
    }
}

/// The carrier that took the message, with what that cost and when it was asked; `None` if no carrier said so.
pub fn taken(end: &TerminalEvent) -> Option<&journey::Attempt> {
    end.attempts.iter().find(|attempt| attempt.answer.outcome == "accepted")
}

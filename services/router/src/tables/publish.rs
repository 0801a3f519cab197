//! Writes versions, and takes off the log what is not kept.

use std::time::Duration;

use bus::Record;
use bytes::Bytes;
use service::time;
use signalbox_proto::record::{
    CHUNK_OCTETS_MAX, TableChunk, TableConfirmation, TablePublication, TableWord, chunk_checksum, table_word_to_bytes,
};
use tracing::{info, warn};

use super::{Stand, Tables, Version};

/// Chunks written at once.
const CHUNKS_AT_ONCE: usize = 16;
/// Longest wait until what was written is read back.
const READ_BACK_LIMIT: Duration = Duration::from_secs(20);

/// Why nothing was published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Another version is in force than the caller stands on.
    #[error("{}", base_sentence(.0.as_deref()))]
    Base(Option<Box<Version>>),
    /// There is nothing to confirm, or to go back to.
    #[error("{0}")]
    Nothing(&'static str),
    /// No such version is kept.
    #[error("version {0} is not kept, `signalbox table history` lists those that are")]
    NoSuch(u64),
    /// The log does not take it, or does not say whether it did.
    #[error("{0}")]
    Log(String),
}

/// Who publishes, and why.
#[derive(Clone, Debug, Default)]
pub struct Note {
    /// Who, as they call themselves.
    pub who: String,
    /// Why.
    pub note: String,
}

/// The version that the caller takes to be in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// Whichever is.
    Any,
    /// The one with this number; 0 = none.
    Number(u64),
}

impl Tables {
    /// Publishes the packed files of a table whose content hash is `version`, on `base`. Returns it once this router has read it back as
    /// the newest.
    ///
    /// # Errors
    /// Another version came before. Or the log is away: then it may or may not be published.
    pub async fn publish(
        &self,
        packed: &Bytes,
        version: &str,
        base: Base,
        confirm_within: Option<Duration>,
        note: Note,
    ) -> Result<Version, PublishError> {
        let _turn = self.0.turn.lock().await;
        if self.stands_on(base)?.is_none() && confirm_within.is_some() {
            let nothing =
                "there is no version to return to: publish the first one for good, without a time to confirm it";
            return Err(PublishError::Nothing(nothing));
        }
        let upload = self.0.deps.dice.next_u64();
        let chunks: Vec<Bytes> = (0..packed.len())
            .step_by(CHUNK_OCTETS_MAX)
            .map(|from| packed.slice(from..packed.len().min(from + CHUNK_OCTETS_MAX)))
            .collect();
        let places: Vec<(u32, &Bytes)> = (0..).zip(&chunks).collect();
        for places in places.chunks(CHUNKS_AT_ONCE) {
            let records = places.iter().map(|(place, octets)| chunk(upload, *place, octets));
            self.put(records.collect()).await.map_err(log)?;
        }
        let now = self.now();
        let publication = TablePublication {
            number: 0,
            version: version.to_owned(),
            upload,
            checksums: chunks.iter().map(|octets| chunk_checksum(octets)).collect(),
            packed_octets: packed.len() as u64,
            at: now,
            confirm_by: confirm_within.map(|within| now + within),
            again: None,
            who: note.who,
            note: note.note,
        };
        self.announce(publication, base).await
    }

    /// Publishes the files of `older` again, on `base`: nothing is copied.
    ///
    /// # Errors
    /// As [`Tables::publish`].
    pub async fn publish_again(&self, older: &Version, base: Base, note: Note) -> Result<Version, PublishError> {
        let _turn = self.0.turn.lock().await;
        let publication = TablePublication {
            at: self.now(),
            confirm_by: None,
            again: Some(older.publication.number),
            who: note.who,
            note: note.note,
            ..older.publication.clone()
        };
        self.announce(publication, base).await
    }

    /// What an undoing goes back to: the version with `number`, or the one that was in force before.
    ///
    /// # Errors
    /// There is none.
    pub fn older(&self, number: u64) -> Result<Version, PublishError> {
        let (now, ledger) = (self.now(), self.ledger());
        let in_force = ledger
            .in_force(now)
            .ok_or(PublishError::Nothing("no version was published"))?;
        if number == 0 {
            let nothing = PublishError::Nothing("no version was in force before, or it is no longer kept");
            return ledger.before(now).ok_or(nothing);
        }
        if number == in_force.publication.number {
            return Err(PublishError::Nothing("it is in force already"));
        }
        let mut history = ledger.history(now).into_iter();
        history
            .find(|version| version.publication.number == number)
            .ok_or(PublishError::NoSuch(number))
    }

    /// Confirms the version in force, which is the one with `number` unless that is 0.
    ///
    /// # Errors
    /// It is another, or there is none. Or the log is away: then it may or may not be confirmed.
    pub async fn confirm(&self, number: u64, who: String) -> Result<Version, PublishError> {
        let _turn = self.0.turn.lock().await;
        let base = if number == 0 { Base::Any } else { Base::Number(number) };
        let in_force = self
            .stands_on(base)?
            .ok_or(PublishError::Nothing("no version was published"))?;
        if in_force.stand != Stand::Pending {
            return Ok(in_force);
        }
        let number = in_force.publication.number;
        let confirmation = TableConfirmation {
            number,
            at: self.now(),
            who,
        };
        self.write(TableWord::Confirmation(confirmation)).await?;
        let find = || {
            let mut history = self.ledger().history(self.now()).into_iter();
            history.find(|version| version.publication.number == number && version.is_confirmed)
        };
        info!(number, "table confirmed");
        self.read_back(find).await
    }

    /// The version in force, if it is `base`.
    pub(crate) fn stands_on(&self, base: Base) -> Result<Option<Version>, PublishError> {
        let in_force = self.ledger().in_force(self.now());
        let number = in_force.as_ref().map_or(0, |version| version.publication.number);
        match base {
            Base::Number(base) if base != number => Err(PublishError::Base(in_force.map(Box::new))),
            _ => Ok(in_force),
        }
    }

    /// Writes a publication whose chunks are there, under the next number. Of two that were made at once the log's order decides.
    async fn announce(&self, publication: TablePublication, base: Base) -> Result<Version, PublishError> {
        self.stands_on(base)?;
        let number = self.ledger().next_number();
        let key = self
            .write(TableWord::Publication(TablePublication { number, ..publication }))
            .await?;
        let find = || {
            let ledger = self.ledger();
            if !ledger.has(key) {
                return None;
            }
            let mut history = ledger.history(self.now()).into_iter();
            Some(history.find(|version| ledger.counts(key) && version.publication.number == number))
        };
        let published = self.read_back(find).await?;
        let Some(published) = published else {
            return Err(PublishError::Base(self.ledger().in_force(self.now()).map(Box::new)));
        };
        info!(
            number,
            version = published.publication.version,
            who = published.publication.who,
            "table published"
        );
        self.clear().await;
        Ok(published)
    }

    /// Writes `word` under a key of its own, which it returns.
    async fn write(&self, word: TableWord) -> Result<u64, PublishError> {
        let key = self.0.deps.dice.next_u64();
        let record = Record::new(key, table_word_to_bytes(&word));
        self.put(vec![record]).await.map_err(log)?;
        Ok(key)
    }

    /// Waits until `find` finds what was written.
    async fn read_back<T>(&self, find: impl Fn() -> Option<T>) -> Result<T, PublishError> {
        let mut changed = self.0.changed.subscribe();
        let found = async {
            loop {
                changed.borrow_and_update();
                if let Some(found) = find() {
                    return Some(found);
                }
                changed.changed().await.ok()?;
            }
        };
        let found = time::timeout(READ_BACK_LIMIT, found).await.flatten();
        found.ok_or_else(|| {
            PublishError::Log("the log took it and does not give it back: see `signalbox table status`".to_owned())
        })
    }

    /// Takes off the log what is not kept. What stays by mischance, the next publication takes.
    async fn clear(&self) {
        let keys = self.ledger().outdated(self.now());
        let records: Vec<_> = keys.into_iter().map(|key| Record::new(key, Bytes::new())).collect();
        for records in records.chunks(bus::PUBLISH_RECORDS_MAX) {
            if let Err(error) = self.put(records.to_vec()).await {
                warn!(%error, "tables that are not kept could not be taken off the log, the next publication tries again");
            }
        }
    }
}

fn chunk(upload: u64, place: u32, octets: &Bytes) -> Record {
    let word = TableWord::Chunk(TableChunk {
        upload,
        place,
        octets: octets.clone(),
    });
    Record::new(TableChunk::key(upload, place).0, table_word_to_bytes(&word))
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn log(error: bus::PublishError) -> PublishError {
    PublishError::Log(error.to_string())
}

fn base_sentence(in_force: Option<&Version>) -> String {
    let Some(in_force) = in_force else {
        return "no version is in force: the one you stand on is not, or not any more".to_owned();
    };
    let TablePublication {
        number,
        version,
        who,
        note,
        ..
    } = &in_force.publication;
    let by = if who.is_empty() { "somebody" } else { who };
    let why = if note.is_empty() {
        String::new()
    } else {
        format!(": {note}")
    };
    format!("another version is in force than the one you stand on: {number} ({version}), published by {by}{why}")
}

//! Reads the tables topic, and says there what this router serves.

use std::{sync::Arc, time::Duration};

use bus::{ConsumeError, Position, PublishError, Read, Record, Stored};
use service::{Stop, time};
use signalbox_proto::{
    record::{TableServing, TableWord, table_word_from_bytes, table_word_to_bytes},
    topics,
};
use sms::UnixMs;
use tracing::{debug, warn};

use super::{Ledger, SERVING_SAID_EVERY, Tables};
use crate::{
    Error,
    desk::{RETRY, TOLD},
    metrics,
};

/// Records taken at once: chunks are large.
const RECORDS_MAX: usize = 32;
/// Longest wait for the log. What cannot be said is dropped, and said anew.
const SAID_LIMIT: Duration = Duration::from_secs(2);

impl Tables {
    /// Follows the topic and says what this router serves, until `stop`; says that it is gone at the end.
    ///
    /// # Errors
    /// The log was closed.
    pub async fn run(&self, stop: &Stop) -> Result<(), Error> {
        let ended = tokio::select! { biased;
            () = stop.requested() => Ok(()),
            ended = self.follow() => ended,
            () = self.speak() => Ok(()),
        };
        let word = Record::new(TableServing::key(&self.0.router).0, Vec::new());
        if !matches!(time::timeout(SAID_LIMIT, self.put(vec![word])).await, Some(Ok(()))) {
            debug!("the log did not take the word that this router is gone");
        }
        ended
    }

    async fn follow(&self) -> Result<(), Error> {
        loop {
            let mut ledger = Ledger::default();
            let error = match self.read_up(&mut ledger).await {
                Ok(mut reader) => {
                    *self.ledger() = ledger;
                    self.0.changed.send_replace(true);
                    self.listen(&mut *reader).await
                }
                Err(error) => error,
            };
            if error == ConsumeError::Closed {
                return Err(error.into());
            }
            if TOLD.is_due("tables") {
                warn!(%error, "cannot read which tables were published, trying again");
            }
            time::sleep(RETRY).await;
        }
    }

    /// A reader at the end of all there is, which `ledger` knows then.
    async fn read_up(&self, ledger: &mut Ledger) -> Result<Box<dyn Read>, ConsumeError> {
        let mut reader = self.bus().read(&topics::tables(), Position::Start).await?;
        loop {
            let records = reader.poll(RECORDS_MAX).await?;
            if records.is_empty() {
                return Ok(reader);
            }
            records.into_iter().for_each(|record| learn(ledger, record));
        }
    }

    /// Takes words as they come, until the log fails.
    async fn listen(&self, reader: &mut dyn Read) -> ConsumeError {
        loop {
            match reader.next(RECORDS_MAX).await {
                Ok(records) => {
                    let mut ledger = self.ledger();
                    records.into_iter().for_each(|record| learn(&mut ledger, record));
                    drop(ledger);
                    self.0.changed.send_replace(true);
                }
                Err(error) => return error,
            }
        }
    }

    /// Says what this router serves whenever that changes, and every few seconds.
    async fn speak(&self) {
        let mut served = self.0.served.subscribe();
        let mut tick = time::every(SERVING_SAID_EVERY);
        loop {
            let word = {
                let served = served.borrow_and_update();
                TableWord::Serving(TableServing {
                    router: self.0.router.clone(),
                    number: served.number,
                    version: served.version.clone(),
                    said_at: self.now(),
                    fault: served.fault.clone(),
                })
            };
            let record = Record::new(TableServing::key(&self.0.router).0, table_word_to_bytes(&word));
            if !matches!(time::timeout(SAID_LIMIT, self.put(vec![record])).await, Some(Ok(()))) {
                debug!("the log did not take the word what this router serves");
            }
            tokio::select! { biased;
                _ = served.changed() => {}
                _ = tick.tick() => {}
            }
        }
    }

    /// Publishes `records`, and waits until they are safe.
    pub(super) async fn put(&self, records: Vec<Record>) -> Result<(), PublishError> {
        let bus = Arc::clone(&self.0.deps.bus);
        bus.publish(&topics::tables(), records).await?.await
    }
}

/// What cannot be read is of a later version, or damaged: it is counted, and what else stands there holds.
fn learn(ledger: &mut Ledger, record: Stored) {
    if record.value.is_empty() {
        ledger.forget(record.key);
        return;
    }
    match table_word_from_bytes(&record.value) {
        Ok(word) => ledger.learn(record.key, UnixMs(record.stored_at_ms), word),
        Err(invalid) => {
            metrics::dead(topics::tables().as_str(), invalid.fault().as_str());
            if TOLD.is_due("a word about tables") {
                warn!(%invalid, "a word about tables cannot be read");
            }
        }
    }
}

//! Records on their way to the bus: gathered for a moment and while earlier ones are being made safe, and tried until they
//! are.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bus::{Bus, PublishError, Record, Topic};
use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use service::time::{self, Instant};
use tracing::{error, warn};

/// Publishes under way at once; what comes meanwhile is gathered into the next one.
const PUBLISHES_MAX: usize = 4;
/// Records of one publish.
const RECORDS_MAX: usize = 1_000;
/// How long a record waits for others that nobody is in a hurry for: a publish costs as much as many of its records. Receipts
/// wait for as long.
pub(crate) const LINGER: Duration = Duration::from_millis(5);
/// Records that wait no longer for others.
const GATHERED: usize = 64;
/// Waits between tries while the log is away.
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(2);

const _: () = assert!(
    RECORDS_MAX <= bus::PUBLISH_RECORDS_MAX,
    "a publish holds what the log takes"
);

/// Records waiting to be made safe, each with a word for its owner when it is.
pub(crate) struct Outbox<D> {
    bus: Arc<dyn Bus>,
    waiting: BTreeMap<Topic, Vec<(Record, D)>>,
    under_way: FuturesUnordered<BoxFuture<'static, Vec<D>>>,
    /// When what waits is published at the latest.
    due: Option<Instant>,
    len: usize,
    /// Records that are under way.
    sent: usize,
}

/// Whether somebody waits for what a record leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hurry {
    /// It goes at once, and with it all that waits.
    Yes,
    /// It may wait a moment for others.
    No,
}

impl<D: Send + 'static> Outbox<D> {
    /// Nothing to send.
    pub(crate) fn new(bus: Arc<dyn Bus>) -> Self {
        Self {
            bus,
            waiting: BTreeMap::new(),
            under_way: FuturesUnordered::new(),
            due: None,
            len: 0,
            sent: 0,
        }
    }

    /// Takes a record; `done` comes back once it is safe.
    pub(crate) fn push(&mut self, topic: &Topic, record: Record, done: D, hurry: Hurry) {
        self.len += 1;
        let due = match hurry {
            Hurry::Yes => time::now(),
            Hurry::No => time::now() + LINGER,
        };
        self.due = Some(self.due.map_or(due, |earlier| earlier.min(due)));
        match self.waiting.get_mut(topic) {
            Some(waiting) => waiting.push((record, done)),
            None => drop(self.waiting.insert(topic.clone(), vec![(record, done)])),
        }
    }

    /// Records that are not safe yet.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Starts publishes with what has gathered, if it is time.
    pub(crate) fn flush(&mut self, now: Instant) {
        let is_due = self.due.is_some_and(|due| due <= now) || self.len - self.sent >= GATHERED;
        if !is_due {
            return;
        }
        for (topic, waiting) in &mut self.waiting {
            while !waiting.is_empty() && self.under_way.len() < PUBLISHES_MAX {
                let rest = waiting.split_off(waiting.len().min(RECORDS_MAX));
                let (records, done): (Vec<_>, Vec<_>) = std::mem::replace(waiting, rest).into_iter().unzip();
                self.sent += done.len();
                self.under_way
                    .push(Box::pin(publish(Arc::clone(&self.bus), topic.clone(), records, done)));
            }
        }
        if self.sent == self.len {
            self.due = None;
        }
    }

    /// When to flush at the latest; `None` = nothing waits, or what is under way must be safe first.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due.filter(|_| self.under_way.len() < PUBLISHES_MAX)
    }

    /// Words of records that are safe now; waits for ever while nothing is under way. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Vec<D> {
        let Some(done) = self.under_way.next().await else {
            return std::future::pending().await;
        };
        self.len -= done.len();
        self.sent -= done.len();
        done
    }
}

async fn publish<D>(bus: Arc<dyn Bus>, topic: Topic, records: Vec<Record>, done: Vec<D>) -> Vec<D> {
    let mut wait = RETRY_FIRST;
    loop {
        match publish_once(&*bus, &topic, records.clone()).await {
            Ok(()) => return done,
            Err(PublishError::TooLarge { what, size, limit }) => {
                publish_singly(&*bus, &topic, records, (what, size, limit)).await;
                return done;
            }
            Err(error) => {
                warn!(%topic, %error, records = records.len(), "publishing again, the log did not make records safe");
                time::sleep(wait).await;
                wait = (wait * 2).min(RETRY_MAX);
            }
        }
    }
}

/// One of the records is over a limit that no retry changes: the others go alone, and that one is lost, loudly. Orders
/// came from the log themselves, so this takes a log whose limit was lowered under them.
async fn publish_singly(bus: &dyn Bus, topic: &Topic, records: Vec<Record>, over: (&'static str, usize, usize)) {
    let (what, size, limit) = over;
    for record in records {
        while let Err(failure) = publish_once(bus, topic, vec![record.clone()]).await {
            if matches!(failure, PublishError::TooLarge { .. }) {
                error!(%topic, what, size, limit, "a record is over the log's limit and was dropped");
                break;
            }
            time::sleep(RETRY_MAX).await;
        }
    }
}

async fn publish_once(bus: &dyn Bus, topic: &Topic, records: Vec<Record>) -> Result<(), PublishError> {
    // Routers read it before it is safe, so that only the ack waits.
    bus.publish(topic, records).await?.patiently().await
}

#[cfg(test)]
mod tests;

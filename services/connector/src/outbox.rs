//! Records on their way to the bus: gathered while earlier ones are being made safe, and tried until they are.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bus::{Bus, PublishError, Record, Topic};
use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use service::time;
use tracing::{error, warn};

/// Publishes under way at once; what comes meanwhile is gathered into the next one.
const PUBLISHES_MAX: usize = 4;
/// Records of one publish.
const RECORDS_MAX: usize = 1_000;
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
    len: usize,
}

impl<D: Send + 'static> Outbox<D> {
    /// Nothing to send.
    pub(crate) fn new(bus: Arc<dyn Bus>) -> Self {
        Self {
            bus,
            waiting: BTreeMap::new(),
            under_way: FuturesUnordered::new(),
            len: 0,
        }
    }

    /// Takes a record; `done` comes back once it is safe.
    pub(crate) fn push(&mut self, topic: &Topic, record: Record, done: D) {
        self.len += 1;
        match self.waiting.get_mut(topic) {
            Some(waiting) => waiting.push((record, done)),
            None => drop(self.waiting.insert(topic.clone(), vec![(record, done)])),
        }
    }

    /// Records that are not safe yet.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Starts publishes with what has gathered.
    pub(crate) fn flush(&mut self) {
        for (topic, waiting) in &mut self.waiting {
            while !waiting.is_empty() && self.under_way.len() < PUBLISHES_MAX {
                let rest = waiting.split_off(waiting.len().min(RECORDS_MAX));
                let (records, done) = std::mem::replace(waiting, rest).into_iter().unzip();
                self.under_way
                    .push(Box::pin(publish(Arc::clone(&self.bus), topic.clone(), records, done)));
            }
        }
    }

    /// Words of records that are safe now; waits for ever while nothing is under way. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Vec<D> {
        let Some(done) = self.under_way.next().await else {
            return std::future::pending().await;
        };
        self.len -= done.len();
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
    bus.publish(topic, records).await?.await
}

//! Follows what was put aside: an order, an answer or a wait that cannot be read moves its message on no more, and nobody can
//! say which message that was. So every message with the key of such a record gets a state, which ends it in time.

use std::{collections::BTreeSet, sync::Arc};

use bus::{Batch, Delivered, Stored};
use service::{Stop, time};
use signalbox_proto::{
    record::{self, DeadWord},
    topics,
};
use sms::{Lane, RecordKey};
use tracing::warn;

use super::{MEND_EVERY, replay::Replay};
use crate::{
    Error,
    desk::Desk,
    intake::{self, Intake},
    metrics,
};

/// Records of the dead topic taken at once; what they hold is not kept.
const RECORDS_MAX: usize = 200;
/// Batches held until their messages have states. Beyond it the log keeps them.
const BATCHES_MAX: usize = 100;

/// Follows the dead topic until `stop`, and reads the log once for all that comes within [`MEND_EVERY`], or for as long as the
/// last reading took: no more than half of the time goes into it.
pub(crate) async fn follow(desk: Arc<Desk>, intake: Intake, stop: Stop) -> Result<(), Error> {
    let (_, mut subscription) = intake.into_parts();
    let mut look_at = time::now() + MEND_EVERY;
    let mut keys: BTreeSet<RecordKey> = BTreeSet::new();
    let mut held: Vec<Delivered> = Vec::new();
    loop {
        tokio::select! {
            biased;
            () = stop.requested() => return Ok(()),
            () = time::sleep_until(look_at) => {
                let began = time::now();
                let is_made = tokio::select! {
                    biased;
                    () = stop.requested() => return Ok(()),
                    is_made = make(&desk, &keys) => is_made,
                };
                look_at = time::now() + MEND_EVERY.max(time::now().duration_since(began));
                if is_made {
                    keys.clear();
                    for delivered in held.drain(..) {
                        intake::ack(&mut *subscription, delivered).await?;
                    }
                }
            }
            batch = subscription.next_batch(RECORDS_MAX), if held.len() < BATCHES_MAX => {
                if let Some(Batch { records, delivered }) = intake::read(batch).await? {
                    keys.extend(records.iter().filter(|stored| is_lost(stored)).map(|stored| RecordKey(stored.key)));
                    held.push(delivered);
                }
            }
        }
    }
}

/// Whether `stored` says that nobody could read a record that moves a message on: a receipt is waited for no longer than
/// grace, and an accepted message that cannot be read is known to nobody.
fn is_lost(stored: &Stored) -> bool {
    let Ok(DeadWord::Aside(dead)) = record::dead_word_from_bytes(&stored.value) else {
        return false;
    };
    let is_wait = || {
        let retries = topics::DELAYS.iter().map(|(word, _)| topics::retry(word));
        retries
            .chain(Lane::ALL.map(topics::lookup))
            .any(|topic| topic.as_str() == dead.topic)
    };
    dead.topic == topics::outcomes().as_str() || topics::carrier_of_dispatch(&dead.topic).is_some() || is_wait()
}

/// Makes states of the messages with `keys` that have none. False = it must be tried again.
async fn make(desk: &Arc<Desk>, keys: &BTreeSet<RecordKey>) -> bool {
    if keys.is_empty() {
        return true;
    }
    // What the store said under one epoch is worth nothing in the next.
    let epoch = desk.epochs.number();
    let making = Replay::new(desk, desk.store(), desk.now()).make(keys.clone());
    match making.await {
        Ok(made) => {
            metrics::made(made);
            warn!(
                made,
                "records could not be read: messages that may have been moved on by them end by their time"
            );
            desk.epochs.check(epoch).is_ok()
        }
        Err(trouble) => {
            warn!(%trouble, "messages whose records cannot be read have no states yet, trying again");
            false
        }
    }
}

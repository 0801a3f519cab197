//! Reads one delay topic: what stands there is due a fixed time after it was put there, so its order is due order.
//!
//! Whoever put it there says when, as the log's clock may be another. Where that was a clock ahead of ours, the delay counts
//! from when we read it: nothing waits for longer than the topic's delay, and nothing comes round at once.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use bus::{Batch, Delivered, Stored, Topic};
use journey::Delayed;
use service::{Stop, time};
use signalbox_proto::record;
use sms::{RecordKey, UnixMs};

use crate::{
    Error,
    desk::Desk,
    handlers::Work,
    intake::{self, Intake},
    unmatched::{self, Missing},
};

/// Batches held until they are due, for each partition that is ours, and records of each. Beyond it the log keeps them.
///
/// Partitions take turns, so none is kept waiting by another that holds more: what is read later was written later, and
/// all of a topic waits for the same time.
const HELD_BATCHES_EACH: usize = 2;
const HELD_RECORDS_MAX: usize = 200;

/// A batch whose records become due one after the other.
struct Held {
    records: VecDeque<Waits>,
    delivered: Delivered,
}

/// A record that waits.
struct Waits {
    stored: Stored,
    /// Since when, by our clock.
    since: UnixMs,
    /// How far the clock of who put it there is ahead of ours.
    ahead: Duration,
}

/// Hands back what waits in the topic of `intake`, each record `delay` after it was written, until `stop`.
pub(crate) async fn run(desk: Arc<Desk>, intake: Intake, delay: Duration, stop: Stop) -> Result<(), Error> {
    let (topic, mut subscription) = intake.into_parts();
    let mut held: Vec<Held> = Vec::new();
    loop {
        let now = desk.now();
        let owned = subscription.owned();
        let ours = held.iter().filter(|batch| {
            owned
                .iter()
                .any(|(_, partition)| *partition == batch.delivered.partition)
        });
        // Before the first read nothing is ours as yet.
        let has_room = ours.count() < HELD_BATCHES_EACH * owned.len().max(1);
        let wait = held.iter().filter_map(|batch| batch.due_in(delay, now)).min();
        tokio::select! {
            biased;
            () = stop.requested() => return Ok(()),
            () = time::sleep(wait.unwrap_or_default()), if wait.is_some() => {
                let due = take_due(&mut held, delay, desk.now());
                while let Err(error) = hand_back(&desk, &topic, &due).await {
                    desk.away("the store", &error, error.is_away()).await.map_err(|()| error)?;
                }
                for done in take_done(&mut held) {
                    intake::ack(&mut *subscription, done).await?;
                }
            }
            batch = subscription.next_batch(desk.config.batch_records_max.min(HELD_RECORDS_MAX)), if has_room => {
                if let Some(Batch { records, delivered }) = intake::read(batch).await? {
                    let now = desk.now();
                    let records = records.into_iter().map(|stored| Waits::read(stored, now)).collect();
                    held.push(Held { records, delivered });
                }
            }
        }
    }
}

impl Held {
    /// Time until the first record is due; `None` = none is left.
    fn due_in(&self, delay: Duration, now: UnixMs) -> Option<Duration> {
        let first = self.records.front()?;
        Some((first.since + delay).since(now))
    }
}

impl Waits {
    /// A record that is read `now`.
    fn read(stored: Stored, now: UnixMs) -> Self {
        let put_at = record::delayed_put_at(&stored.value).unwrap_or(UnixMs(stored.stored_at_ms));
        Self {
            stored,
            since: put_at.min(now),
            ahead: put_at.since(now),
        }
    }
}

fn take_due(held: &mut [Held], delay: Duration, now: UnixMs) -> Vec<Waits> {
    let mut due = Vec::new();
    for batch in held {
        while batch.due_in(delay, now).is_some_and(|wait| wait.is_zero()) {
            due.extend(batch.records.pop_front());
        }
    }
    due
}

/// Batches that may be acked: those of which nothing is left, with everything read before them in their partitions. Put there
/// by several clocks, later ones may be done first, and an ack covers all that stands before.
fn take_done(held: &mut Vec<Held>) -> Vec<Delivered> {
    let mut waits = BTreeSet::new();
    let is_done = |batch: &mut Held| {
        if !batch.records.is_empty() {
            waits.insert(batch.delivered.partition);
        }
        !waits.contains(&batch.delivered.partition)
    };
    held.extract_if(.., is_done).map(|batch| batch.delivered).collect()
}

/// Decides what was waiting; returns once all of it is safe.
async fn hand_back(desk: &Arc<Desk>, topic: &Topic, due: &[Waits]) -> Result<(), Error> {
    let mut work = Work::new(desk);
    let mut receipts = Vec::new();
    for Waits { stored, ahead, .. } in due {
        match record::delayed_from_bytes(&stored.value, RecordKey(stored.key)) {
            Ok(Delayed::Message(mut waiting)) => {
                work.outbox.read(topic, stored, waiting.message.id);
                waiting.until = waiting.until - *ahead;
                work.waits.push(*waiting);
            }
            Ok(Delayed::Receipt { receipt, key, waited }) => receipts.push(Missing { receipt, key, waited }),
            Err(error) => work.outbox.dead(topic, stored, &error),
        }
    }
    let missing = unmatched::look_up(desk, receipts, &mut work.outbox).await?;
    unmatched::put_aside(missing, desk.now(), &mut work.outbox);
    work.finish(desk).await?.await
}

#[cfg(test)]
mod tests;

//! Makes receipts safe on the log, and tells the link which of them are.

use std::sync::Arc;

use bus::{Bus, PublishError, Record, Topic};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use journey::{Correlation, ReceiptRecord, Unmatched};
use service::{
    Deps, Seldom,
    time::{self, Instant},
    trace::Spans,
};
use signalbox_proto::{keys, record, topics};
use sms::{CarrierName, UnixMs};
use store::StoreError;
use tokio::sync::mpsc;
use tracing::warn;

use crate::{
    link::{Arrived, Command, Line, Reply},
    metrics,
    outbox::LINGER,
    pump::Settings,
    spans,
};

/// Values that cannot be read seldom come alone.
static UNREADABLE: Seldom = Seldom::new();

/// Batches on their way to the log at once; what comes meanwhile is gathered into the next one.
const BATCHES_MAX: usize = 4;
/// Batches gathered into one.
const GATHER_MAX: usize = 64;
/// Receipts that wait no longer for others: what a carrier leaves unanswered with a small window.
const GATHERED: usize = 8;

/// A receipt, and what its id stands for if this process knows.
#[derive(Debug)]
pub(crate) struct Looked {
    /// The receipt.
    pub arrived: Arrived,
    /// Its order and segment.
    pub found: Option<Correlation>,
}

/// Serves batches until the pump is gone and all are answered.
pub(crate) async fn run(settings: Settings, deps: Deps, mut batches: mpsc::Receiver<Vec<Looked>>, commands: Line) {
    let desk = Arc::new(Desk { settings, deps });
    let mut under_way: FuturesUnordered<BoxFuture<'static, Vec<Reply>>> = FuturesUnordered::new();
    let mut gathered: Vec<Vec<Looked>> = Vec::new();
    let mut due = time::now();
    // Receipts of the last batch: a carrier that sends one and waits for its answer is not kept waiting for others.
    let mut last = 0;
    let mut is_open = true;
    while is_open || !gathered.is_empty() || !under_way.is_empty() {
        let has_room = under_way.len() < BATCHES_MAX;
        let receipts = gathered.iter().map(Vec::len).sum::<usize>();
        let is_full = !is_open || last <= 1 || receipts >= GATHERED;
        tokio::select! {
            biased;
            Some(replies) = under_way.next() => {
                // A link that is gone has no use for replies: its carrier sends the receipts again.
                commands.send(Command::Reply(replies));
            }
            () = wait(due, is_full), if has_room && !gathered.is_empty() => {
                let batch: Vec<Looked> = gathered.drain(..).flatten().collect();
                last = batch.len();
                let desk = Arc::clone(&desk);
                under_way.push(async move { desk.serve(batch).await }.boxed());
            }
            count = batches.recv_many(&mut gathered, GATHER_MAX), if is_open && has_room => {
                is_open = count > 0;
                if gathered.len() == count {
                    due = time::now() + LINGER;
                }
            }
        }
    }
}

async fn wait(due: Instant, is_full: bool) {
    if !is_full {
        time::sleep_until(due).await;
    }
}

struct Desk {
    settings: Settings,
    deps: Deps,
}

impl Desk {
    /// Publishes a batch; true replies are for what is safe.
    async fn serve(&self, mut batch: Vec<Looked>) -> Vec<Reply> {
        let is_known = match self.look_up(&mut batch).await {
            Ok(()) => true,
            Err(error) => {
                warn!(link = %self.settings.link, %error, "cannot look up receipts, the carrier is asked to send them again");
                false
            }
        };
        let at = self.deps.clock.now();
        let (matched, unmatched): (Vec<_>, Vec<_>) = batch.into_iter().partition(|looked| looked.found.is_some());
        let mut spans = Spans::default();
        let records = matched
            .iter()
            .filter_map(|looked| self.matched_record(looked, at, &mut spans));
        let matched_safe = self.publish(&topics::receipts(), records).await;
        drop(spans);
        let unmatched_safe = is_known && {
            let records = unmatched
                .iter()
                .flat_map(|looked| unmatched_records(looked, &self.settings.carriers, at));
            self.publish(&topics::unmatched(), records).await
        };
        self.count("matched", matched_safe, matched.len());
        self.count("unmatched", unmatched_safe, unmatched.len());
        let reply = |is_safe| {
            move |looked: Looked| Reply {
                token: looked.arrived.token,
                is_safe,
            }
        };
        matched
            .into_iter()
            .map(reply(matched_safe))
            .chain(unmatched.into_iter().map(reply(unmatched_safe)))
            .collect()
    }

    fn count(&self, result: &'static str, is_safe: bool, receipts: usize) {
        if receipts > 0 {
            metrics::receipts(&self.settings.link, if is_safe { result } else { "failed" }, receipts);
        }
    }

    /// Asks the store for what this process does not know: an id of another run, of another bind, or of long ago.
    async fn look_up(&self, batch: &mut [Looked]) -> Result<(), StoreError> {
        let carriers = &self.settings.carriers;
        let missing: Vec<usize> = (0..batch.len())
            .filter(|index| batch[*index].found.is_none() && !batch[*index].arrived.remote_id.is_empty())
            .collect();
        let ids = missing.iter().map(|index| &batch[*index].arrived.remote_id);
        let keys: Vec<_> = ids
            .flat_map(|id| carriers.iter().map(move |carrier| keys::correlation(carrier, id)))
            .collect();
        if keys.is_empty() {
            return Ok(());
        }
        let values = self.deps.store.get(keys).await?;
        for (index, values) in missing.into_iter().zip(values.chunks(carriers.len())) {
            let found = values.iter().flatten().next();
            batch[index].found = found.and_then(|value| match record::correlation_from_bytes(&value.value) {
                Ok(correlation) => Some(correlation),
                Err(error) => {
                    metrics::dead("store/corr", error.fault().as_str());
                    if UNREADABLE.is_due("correlations") {
                        warn!(link = %self.settings.link, %error, "a correlation in the store cannot be read");
                    }
                    None
                }
            });
        }
        Ok(())
    }

    /// The record of a receipt whose order is known, with its spans among `spans`.
    fn matched_record(&self, looked: &Looked, at: UnixMs, spans: &mut Spans) -> Option<Record> {
        let found = looked.found.clone()?;
        let heard = spans::receipt(&self.deps.tracer, &found, &looked.arrived.receipt);
        let Correlation {
            order,
            segment,
            segments,
            trace,
        } = found;
        let (key, message) = (order.key.0, order.message);
        let receipt = ReceiptRecord {
            order,
            segment,
            segments: Some(segments),
            receipt: looked.arrived.receipt.clone(),
            at,
        };
        let mut record = Record::new(key, record::receipt_to_bytes(&receipt));
        let parent = heard.context().or(trace.as_deref());
        spans.keep(self.deps.tracer.send(&topics::receipts(), &mut record, message, parent));
        spans.keep(heard);
        Some(record)
    }

    /// Whether all of `records` are safe.
    async fn publish(&self, topic: &Topic, records: impl Iterator<Item = Record>) -> bool {
        let records: Vec<Record> = records.collect();
        if records.is_empty() {
            return true;
        }
        let result = publish(&*self.deps.bus, topic, records).await;
        if let Err(error) = &result {
            warn!(link = %self.settings.link, %topic, %error, "receipts are not safe, the carrier is asked to send them again");
        }
        result.is_ok()
    }
}

async fn publish(bus: &dyn Bus, topic: &Topic, records: Vec<Record>) -> Result<(), PublishError> {
    bus.publish(topic, records).await?.patiently().await
}

/// One record for each carrier of the link, as the id alone does not tell which of them it belongs to.
fn unmatched_records<'a>(
    looked: &'a Looked,
    carriers: &'a [CarrierName],
    at: UnixMs,
) -> impl Iterator<Item = Record> + 'a {
    carriers.iter().map(move |carrier| {
        let Arrived {
            remote_id,
            receipt,
            party,
            ..
        } = looked.arrived.clone();
        let key = key_of(carrier, &remote_id);
        let unmatched = Unmatched {
            carrier: carrier.clone(),
            remote_id,
            receipt,
            first_seen: at,
            party,
        };
        Record::new(key, record::unmatched_to_bytes(&unmatched))
    })
}

/// Receipts of one id stay in order; nothing else is asked of this key. FNV-1a, its bits mixed once more since the
/// upper ones pick the partition.
fn key_of(carrier: &CarrierName, remote_id: &str) -> u64 {
    let octets = carrier.as_str().bytes().chain([0]).chain(remote_id.bytes());
    let hash = octets.fold(0xCBF2_9CE4_8422_2325_u64, |hash, octet| {
        (hash ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01B3)
    });
    (hash ^ (hash >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

//! Receipts without a match: looked up again until their message is known or they have waited for ten minutes.

use std::{sync::Arc, time::Duration};

use bus::Batch;
use futures::{FutureExt, future::BoxFuture};
use journey::{Delayed, ReceiptRecord};
use service::time;
use signalbox_proto::{
    keys,
    record::{self, DeadRecord, Fault, Invalid},
    topics,
};
use sms::{RecordKey, UnixMs};

use crate::{
    Error, delay,
    desk::Desk,
    handlers::Work,
    intake::{After, Handle, Turn, records},
    ledger, metrics,
    outbox::{self, Outbox},
};

/// How long a receipt waits for its message.
const MATCHED_WITHIN: Duration = Duration::from_secs(600);
/// A receipt that overtook its answer finds it after so long, nearly always; only then is it put aside.
const SECOND_LOOK: Duration = Duration::from_millis(250);

/// Receipts whose order the connector did not know.
pub(crate) struct Unmatched;

impl Handle for Unmatched {
    fn handle<'a>(&'a self, desk: &'a Arc<Desk>, read: &'a [Batch], _: Turn) -> BoxFuture<'a, Result<After, Error>> {
        async move {
            let mut work = Work::new(desk);
            let mut receipts = Vec::new();
            for (topic, stored) in records(read) {
                match record::unmatched_from_bytes(&stored.value) {
                    Ok(mut receipt) => {
                        // Whoever saw it may be hours behind, and it has come just now.
                        let stored_at = UnixMs(stored.stored_at_ms).min(desk.now());
                        receipt.first_seen = receipt.first_seen.max(stored_at);
                        receipts.push(Missing {
                            receipt,
                            key: RecordKey(stored.key),
                            waited: Duration::ZERO,
                        });
                    }
                    Err(error) => work.outbox.dead(topic, stored, &error),
                }
            }
            let missing = look_up(desk, receipts, &mut work.outbox).await?;
            let missing = if missing.is_empty() {
                missing
            } else {
                time::sleep(SECOND_LOOK).await;
                look_up(desk, missing, &mut work.outbox).await?
            };
            put_aside(missing, desk.now(), &mut work.outbox);
            work.finish(desk).await
        }
        .boxed()
    }
}

/// A receipt whose message is not known yet.
pub(crate) struct Missing {
    pub(crate) receipt: journey::Unmatched,
    /// Key of its records.
    pub(crate) key: RecordKey,
    /// How long it has waited so far.
    pub(crate) waited: Duration,
}

/// Publishes the receipts whose order is known by now; gives back the others.
pub(crate) async fn look_up(desk: &Arc<Desk>, receipts: Vec<Missing>, out: &mut Outbox) -> Result<Vec<Missing>, Error> {
    if receipts.is_empty() {
        return Ok(receipts);
    }
    let wanted: Vec<_> = receipts
        .iter()
        .map(|missing| keys::correlation(&missing.receipt.carrier, &missing.receipt.remote_id))
        .collect();
    let found = loop {
        match desk.store().get(wanted.clone()).await {
            Ok(found) => break found,
            Err(error) => ledger::wait_for_store(desk, error).await?,
        }
    };
    let mut missing = Vec::new();
    for (waits, found) in receipts.into_iter().zip(found) {
        let correlation = found.and_then(|found| {
            let correlation = record::correlation_from_bytes(&found.value);
            let unreadable = |invalid: &Invalid| {
                outbox::found_dead("store/corr", invalid.fault(), &invalid.to_string());
            };
            correlation.inspect_err(unreadable).ok()
        });
        let Some(correlation) = correlation else {
            missing.push(waits);
            continue;
        };
        let receipt = waits.receipt;
        metrics::unmatched("matched");
        let receipt_record = ReceiptRecord {
            order: correlation.order,
            segment: correlation.segment,
            segments: Some(correlation.segments),
            receipt: receipt.receipt,
            at: receipt.first_seen,
        };
        out.receipt(&receipt_record, correlation.trace.as_deref());
    }
    Ok(missing)
}

/// Lets receipts wait on; those that waited long enough are orphans. When one came is no measure of that: its connector may
/// have gone by a clock that was an hour behind.
pub(crate) fn put_aside(receipts: Vec<Missing>, now: UnixMs, outbox: &mut Outbox) {
    for Missing { receipt, key, waited } in receipts {
        let left = MATCHED_WITHIN.saturating_sub(waited);
        if left.is_zero() {
            metrics::unmatched("orphan");
            let octets = record::unmatched_to_bytes(&receipt);
            let reason = "receipt of no message known here after 10 minutes";
            let orphan = DeadRecord::new(topics::unmatched().as_str(), octets, Fault::Orphan, reason);
            outbox.put_dead(key.0, &orphan);
            continue;
        }
        // Young receipts are looked at more often than old ones.
        let delay = delay::that_fits(waited.min(left));
        let waited = waited + delay.1;
        outbox.delay(&Delayed::Receipt { receipt, key, waited }, key.0, delay, now);
    }
}

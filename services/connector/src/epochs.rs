//! What a run does when the store was lost: it stops starting orders, waits until the store is rebuilt, puts back what it
//! claimed and has not seen acked, and goes on under the new epoch.
//!
//! The claims of the dead are not put back by anybody. So for a while nobody claims an order that somebody may have
//! started before the loss, and one that a run before ours may have started, and that nobody put a claim on by then, is
//! reported as unknown.

use std::{sync::Arc, time::Duration};

use service::{Clock, time};
use signalbox_proto::{keys, record};
use sms::UnixMs;
use store::{Applied, Op, Store, StoreError};
use tokio::sync::{mpsc, oneshot};
use tracing::{info, warn};

use crate::{
    lease::{LEASE, Lease},
    origin::Origin,
};

/// How long after the beginning of an epoch claims of earlier ones are put back: whoever has not done so by then has not
/// written to a carrier since, as its lease is over.
const PUT_BACK_WITHIN: Duration = LEASE;
/// The same for orders that a run before ours may have started: what is claimed then is not sent, so its owner gets longer.
const INHERITED_AFTER: Duration = LEASE.saturating_mul(2);
/// Wait before the store is looked at again.
const LOOK: Duration = Duration::from_millis(250);

/// Which orders may have been started under an epoch that was lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Doubt {
    /// Orders stored before; 0 = none.
    before: UnixMs,
    /// When the epoch was adopted by our clock, at its beginning or later; that of who began it may be another.
    began: UnixMs,
}

/// What pumps are told when the store was lost.
#[derive(Debug)]
pub(crate) enum Word {
    /// Claim and send nothing; hand over what is to be claimed again once no claim is under way.
    Pause(oneshot::Sender<Vec<Op>>),
    /// Go on: what became of those claims.
    Resume(Vec<Applied>, Doubt),
}

impl Doubt {
    /// Whether an order of a message accepted at `accepted_at` must not be claimed yet. One that was stored after the loss may
    /// be another carrier's as well, which was handed it before and is about to put its claim back, if the message is older.
    pub(crate) fn waits(&self, origin: &Origin, accepted_at: UnixMs, now: UnixMs) -> bool {
        let after = if origin.is_inherited() {
            INHERITED_AFTER
        } else {
            PUT_BACK_WITHIN
        };
        origin.stored_at.min(accepted_at) < self.before && now < self.began + after
    }

    /// Whether an order that nobody else put a claim on may have been sent all the same.
    pub(crate) fn holds(&self, origin: &Origin) -> bool {
        origin.is_inherited() && origin.stored_at < self.before
    }

    /// Time until nothing waits any more.
    pub(crate) fn ends_in(&self, now: UnixMs) -> Duration {
        if self.before == UnixMs(0) {
            return Duration::ZERO;
        }
        (self.began + INHERITED_AFTER).since(now)
    }

    /// Time until orders may be claimed that waited so far; zero = none waits any more.
    pub(crate) fn lasts(&self, now: UnixMs) -> Duration {
        let end = self.ends_in(now);
        if self.before == UnixMs(0) || end.is_zero() {
            return end;
        }
        let first = (self.began + PUT_BACK_WITHIN).since(now);
        if first.is_zero() { end } else { first }
    }
}

/// The doubt about orders that `store` knows of in the epoch that is adopted `now`. One that cannot be read is no reason to
/// doubt nothing: it is asked for again.
pub(crate) async fn doubt(store: &dyn Store, now: UnixMs) -> Result<Doubt, StoreError> {
    let found = store.get(vec![keys::doubt(), keys::doubt_copy()]).await?;
    let before = record::doubt_from_values(&found).map_err(|invalid| StoreError::Away(invalid.to_string()))?;
    Ok(before.map_or_else(Doubt::default, |before| Doubt { before, began: now }))
}

/// Pauses the pumps of `lease`, waits for the next epoch, puts back what they claimed, and lets them go on. Pumps that join
/// meanwhile may have met the loss too: they are told the same.
pub(crate) async fn start_over(lease: &Lease, store: &dyn Store, clock: &Clock) {
    warn!("the store was lost: nothing is claimed or sent until it is rebuilt");
    let mut told = 0;
    loop {
        let pumps = lease.pumps().split_off(told);
        told += pumps.len();
        go_on(lease, store, clock, pause(pumps).await).await;
        if lease.pumps().len() == told {
            return;
        }
    }
}

/// A pump that claims nothing, and what it is to claim again.
type Paused = (mpsc::UnboundedSender<Word>, Vec<Op>);

async fn pause(pumps: Vec<mpsc::UnboundedSender<Word>>) -> Vec<Paused> {
    let mut asked = Vec::new();
    for pump in pumps {
        let (quiet, claims) = oneshot::channel();
        if pump.send(Word::Pause(quiet)).is_ok() {
            asked.push((pump, claims));
        }
    }
    let mut paused = Vec::new();
    for (pump, claims) in asked {
        // A pump that ends meanwhile has nothing to put back: what it held comes again.
        if let Ok(claims) = claims.await {
            paused.push((pump, claims));
        }
    }
    paused
}

async fn go_on(lease: &Lease, store: &dyn Store, clock: &Clock, paused: Vec<Paused>) {
    let claims: Vec<Op> = paused.iter().flat_map(|(_, claims)| claims.clone()).collect();
    let (applied, doubt) = loop {
        match put_back(lease, store, clock, &claims).await {
            Ok(done) => break done,
            Err(error) => {
                warn!(%error, "waiting for the store to be rebuilt");
                time::sleep(LOOK).await;
            }
        }
    };
    info!(claims = claims.len(), "the store is there again, claims are put back");
    lease.set_doubt(doubt);
    let mut applied = applied.into_iter();
    for (pump, claims) in paused {
        let own = applied.by_ref().take(claims.len()).collect();
        let _ = pump.send(Word::Resume(own, doubt));
    }
}

/// Adopts the epoch the store is in and puts the lease and `claims` back.
async fn put_back(
    lease: &Lease,
    store: &dyn Store,
    clock: &Clock,
    claims: &[Op],
) -> Result<(Vec<Applied>, Doubt), StoreError> {
    let epoch = store.epoch().await?;
    store.adopt(&epoch);
    lease.renew(store, clock).await?;
    let mut applied = Vec::with_capacity(claims.len());
    for claims in claims.chunks(store::OPS_MAX) {
        let (results, commit) = store.apply(claims.to_vec()).await?;
        commit.await?;
        applied.extend(results);
    }
    Ok((applied, doubt(store, clock.now()).await?))
}

/// Takes the lease under the epoch the store is in; this run has nothing to put back.
pub(crate) async fn begin(lease: &Lease, store: &Arc<dyn Store>, clock: &Clock) -> Result<(), StoreError> {
    let epoch = store.epoch().await?;
    store.adopt(&epoch);
    lease.set_doubt(doubt(&**store, clock.now()).await?);
    lease.renew(&**store, clock).await
}

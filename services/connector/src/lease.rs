//! The sign of life of one run of the connector: who finds an order claimed by it knows whether its owner still lives.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use service::{Clock, Seldom, time};
use signalbox_proto::keys;
use sms::UnixMs;
use store::{Op, Store, StoreError};
use tokio::sync::{Notify, mpsc};
use tracing::warn;

use crate::epochs::{self, Doubt, Word};

/// How long a lease lasts without being renewed.
pub const LEASE: Duration = Duration::from_secs(5);
/// How often it is renewed.
pub const LEASE_RENEWAL: Duration = Duration::from_secs(1);
/// Nothing is written to a carrier within this time of the lease's end, as others may look at it with another clock.
const LEASE_MARGIN: Duration = Duration::from_secs(1);

/// How names of caretakers begin.
const CARETAKER: &str = "caretaker-";

/// A store that is away is found out at every renewal.
static TOLD: Seldom = Seldom::new();

/// Names one run of the connector; drawn anew at every start.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Incarnation(Arc<str>);

/// Our own lease, as far as we know. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    incarnation: Incarnation,
    until_ms: Arc<AtomicU64>,
    /// When the renewal began that the store took last.
    confirmed_ms: Arc<AtomicU64>,
    /// Since when it was renewed in time, each time.
    unbroken_ms: Arc<AtomicU64>,
    /// Wakes the keeper when somebody else finds the store lost.
    lost: Arc<Notify>,
    pumps: Arc<Mutex<Vec<mpsc::UnboundedSender<Word>>>>,
    doubt: Arc<Mutex<Doubt>>,
    calls: Arc<AtomicU64>,
}

impl Incarnation {
    /// A new name from 64 random bits.
    pub fn new(random: u64) -> Self {
        Self(format!("{random:016x}").into())
    }

    /// The same for a caretaker: whoever finds a claim of it knows that there is no link behind it.
    pub(crate) fn of_caretaker(random: u64) -> Self {
        Self(format!("{CARETAKER}{random:016x}").into())
    }

    /// Whether `name` is that of a caretaker's run.
    pub(crate) fn is_caretaker(name: &str) -> bool {
        name.starts_with(CARETAKER)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Lease {
    /// Not held yet.
    pub(crate) fn new(incarnation: Incarnation) -> Self {
        Self {
            incarnation,
            until_ms: Arc::default(),
            confirmed_ms: Arc::default(),
            unbroken_ms: Arc::default(),
            lost: Arc::default(),
            pumps: Arc::default(),
            doubt: Arc::default(),
            calls: Arc::default(),
        }
    }

    /// Whose it is.
    pub(crate) fn incarnation(&self) -> &Incarnation {
        &self.incarnation
    }

    /// Number of the next call that claims: no two calls of this run share one, whichever pump makes them.
    pub(crate) fn next_call(&self) -> u64 {
        self.calls.fetch_add(1, Ordering::Relaxed)
    }

    /// Whether it certainly holds now.
    pub(crate) fn is_held(&self, now: UnixMs) -> bool {
        now + LEASE_MARGIN < UnixMs(self.until_ms.load(Ordering::Relaxed))
    }

    /// Whether it certainly held all the time from `then` on, and does `now`: nobody can have taken us for dead meanwhile.
    pub(crate) fn has_held(&self, then: UnixMs, now: UnixMs) -> bool {
        self.is_held(now) && UnixMs(self.unbroken_ms.load(Ordering::Relaxed)) <= then
    }

    /// Until when the store certainly had lost nothing.
    pub(crate) fn confirmed(&self) -> UnixMs {
        UnixMs(self.confirmed_ms.load(Ordering::Relaxed))
    }

    /// Has the keeper look at once whether the store is lost.
    pub(crate) fn suspect(&self) {
        self.lost.notify_one();
    }

    /// What a pump is told when the store was lost, and the doubt about orders that there is from the start.
    pub(crate) fn join(&self) -> (mpsc::UnboundedReceiver<Word>, Doubt) {
        let (pump, words) = mpsc::unbounded_channel();
        self.pumps.lock().unwrap_or_else(PoisonError::into_inner).push(pump);
        (words, *self.doubt.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Forgets pumps that ended. Only the keeper calls it, between two losses, as it counts pumps while one lasts.
    fn forget_ended(&self) {
        let mut pumps = self.pumps.lock().unwrap_or_else(PoisonError::into_inner);
        pumps.retain(|pump| !pump.is_closed());
    }

    /// The ways to the pumps of this run.
    pub(crate) fn pumps(&self) -> Vec<mpsc::UnboundedSender<Word>> {
        self.pumps.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_doubt(&self, doubt: Doubt) {
        *self.doubt.lock().unwrap_or_else(PoisonError::into_inner) = doubt;
    }

    /// Renews it once.
    ///
    /// # Errors
    /// The store is away; the lease runs on to its end.
    pub(crate) async fn renew(&self, store: &dyn Store, clock: &Clock) -> Result<(), StoreError> {
        let now = clock.now();
        let until = now + LEASE;
        let key = keys::lease(self.incarnation.as_str());
        let put = Op::Put {
            key,
            value: Bytes::from_static(b"connector"),
            expires_at_ms: until.0,
        };
        let (_, commit) = store.apply(vec![put]).await?;
        commit.await?;
        // What the store took after the end of the last term, for all we know, it took late: others saw none in between.
        let taken = clock.now();
        if taken.0 >= self.until_ms.load(Ordering::Relaxed) {
            self.unbroken_ms.store(taken.0, Ordering::Relaxed);
        }
        self.until_ms.store(until.0, Ordering::Relaxed);
        self.confirmed_ms.store(now.0, Ordering::Relaxed);
        Ok(())
    }

    /// Renews it for ever. A store that was lost is waited for, and what this run claimed is put back.
    pub(crate) async fn keep(self, store: Arc<dyn Store>, clock: Clock) {
        loop {
            self.forget_ended();
            // A store that answers late must not end the renewals.
            match time::timeout(LEASE, self.renew(&*store, &clock)).await {
                Some(Ok(())) => {}
                Some(Err(StoreError::Lost)) => epochs::start_over(&self, &*store, &clock).await,
                Some(Err(error)) if TOLD.is_due("lease") => {
                    warn!(%error, "cannot renew the lease, nothing new is sent once it ends");
                }
                None if TOLD.is_due("lease") => warn!("the store did not answer a renewal of the lease"),
                Some(Err(_)) | None => {}
            }
            tokio::select! {
                biased;
                () = self.lost.notified() => {}
                () = time::sleep(LEASE_RENEWAL) => {}
            }
        }
    }

    /// Gives it up, so that others need not wait for its end. Failure only means that they do.
    pub(crate) async fn give_up(&self, store: &dyn Store) {
        self.until_ms.store(0, Ordering::Relaxed);
        let remove = Op::Remove {
            key: keys::lease(self.incarnation.as_str()),
        };
        if let Some(Ok((_, commit))) = time::timeout(LEASE_MARGIN, store.apply(vec![remove])).await {
            let _ = time::timeout(LEASE_MARGIN, commit).await;
        }
    }
}

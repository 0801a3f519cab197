//! The sign of life of one run of the connector: who finds an order claimed by it knows whether its owner still lives.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use service::{Clock, time};
use signalbox_proto::keys;
use sms::UnixMs;
use store::{Op, Store, StoreError};
use tracing::warn;

/// How long a lease lasts without being renewed.
pub const LEASE: Duration = Duration::from_secs(5);
/// How often it is renewed.
pub const LEASE_RENEWAL: Duration = Duration::from_secs(1);
/// Nothing is written to a carrier within this time of the lease's end, as others may look at it with another clock.
const LEASE_MARGIN: Duration = Duration::from_secs(1);

/// Names one run of the connector; drawn anew at every start.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Incarnation(Arc<str>);

/// Our own lease, as far as we know. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    incarnation: Incarnation,
    until_ms: Arc<AtomicU64>,
}

impl Incarnation {
    /// A new name from 64 random bits.
    pub fn new(random: u64) -> Self {
        Self(format!("{random:016x}").into())
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
        }
    }

    /// Whose it is.
    pub(crate) fn incarnation(&self) -> &Incarnation {
        &self.incarnation
    }

    /// Whether it certainly holds now.
    pub(crate) fn is_held(&self, now: UnixMs) -> bool {
        now + LEASE_MARGIN < UnixMs(self.until_ms.load(Ordering::Relaxed))
    }

    /// Renews it once.
    ///
    /// # Errors
    /// The store is away; the lease runs on to its end.
    pub(crate) async fn renew(&self, store: &dyn Store, clock: &Clock) -> Result<(), StoreError> {
        let until = clock.now() + LEASE;
        let key = keys::lease(self.incarnation.as_str());
        let put = Op::Put {
            key,
            value: Bytes::from_static(b"connector"),
            expires_at_ms: until.0,
        };
        let (_, commit) = store.apply(vec![put]).await?;
        commit.await?;
        self.until_ms.store(until.0, Ordering::Relaxed);
        Ok(())
    }

    /// Renews it for ever.
    pub(crate) async fn keep(self, store: Arc<dyn Store>, clock: Clock) {
        loop {
            // A store that answers late must not end the renewals.
            match time::timeout(LEASE, self.renew(&*store, &clock)).await {
                Some(Ok(())) => {}
                Some(Err(error)) => warn!(%error, "cannot renew the lease, nothing new is sent once it ends"),
                None => warn!("the store did not answer a renewal of the lease"),
            }
            time::sleep(LEASE_RENEWAL).await;
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

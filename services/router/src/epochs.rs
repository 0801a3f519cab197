//! Under which epoch of the store this router works, and what must wait because the store was rebuilt a moment ago.
//!
//! Nothing learnt of one epoch may be written in the next: a case holds the claims it won, and those are gone with the
//! store. So an epoch is adopted while no case is between the store's answers, and what was decided before is published
//! only if the epoch is still the same.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use sms::UnixMs;
use store::{Epoch, StoreError};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::handlers::AHEAD_MAX;

/// From the beginning of an epoch until timers of rebuilt states fire, and until routers claim orders that somebody may
/// have started before it: connectors have put their claims back by then, and answered for those of the dead.
pub(crate) const SETTLED_AFTER: Duration = Duration::from_secs(12);

/// The epoch this router works under.
#[derive(Debug, Default)]
pub(crate) struct Epochs {
    /// Held by cases while they ask the store, and alone by whoever adopts.
    gate: RwLock<()>,
    /// Grows whenever what was decided before may not stand any more.
    number: AtomicU64,
    /// Whether the store did not answer when it was asked for its epoch last.
    is_silent: AtomicBool,
    standing: Mutex<Option<Standing>>,
}

/// The epoch adopted last.
#[derive(Clone, Debug)]
struct Standing {
    epoch: Epoch,
    /// Orders of messages accepted before may have been started under a lost epoch.
    doubt_before: UnixMs,
    /// When it was adopted by our clock; that of who began it may be another.
    since: UnixMs,
}

impl Epochs {
    /// Names what is decided now; see [`Epochs::check`].
    pub(crate) fn number(&self) -> u64 {
        self.number.load(Ordering::Acquire)
    }

    /// Whether what was decided under `number` may still be acted upon.
    ///
    /// # Errors
    /// `Lost`: it must be decided anew.
    pub(crate) fn check(&self, number: u64) -> Result<(), StoreError> {
        if self.number() == number {
            Ok(())
        } else {
            Err(StoreError::Lost)
        }
    }

    /// Keeps the epoch from changing.
    pub(crate) async fn stay(&self) -> RwLockReadGuard<'_, ()> {
        self.gate.read().await
    }

    /// Waits until no case is between the store's answers, and lets none begin.
    pub(crate) async fn pause(&self) -> RwLockWriteGuard<'_, ()> {
        self.gate.write().await
    }

    /// The store is lost: what was decided is decided anew once it is back.
    pub(crate) fn lost(&self) {
        self.number.fetch_add(1, Ordering::AcqRel);
    }

    /// The epoch is over, and the next one not yet known: nothing published before may be called off.
    pub(crate) fn left(&self) {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.lost();
    }

    /// Goes on under `epoch` from `now` on.
    pub(crate) fn adopted(&self, epoch: Epoch, doubt_before: UnixMs, now: UnixMs) {
        let standing = Standing {
            epoch,
            doubt_before,
            since: now,
        };
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = Some(standing);
        self.lost();
    }

    /// Whether `epoch` is the one adopted.
    pub(crate) fn is(&self, epoch: &Epoch) -> bool {
        let standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        standing.as_ref().is_some_and(|standing| standing.epoch == *epoch)
    }

    /// Notes whether the store answers.
    pub(crate) fn heard(&self, is_there: bool) {
        self.is_silent.store(!is_there, Ordering::Release);
    }

    /// Whether the store can say at once how a message ends: it answers, and whoever has orders from before a loss has had the
    /// time to put claims back.
    pub(crate) fn is_settled(&self, now: UnixMs) -> bool {
        let standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        let is_settled =
            |standing: &Standing| standing.doubt_before == UnixMs(0) || now >= standing.since + SETTLED_AFTER;
        !self.is_silent.load(Ordering::Acquire) && standing.as_ref().is_some_and(is_settled)
    }

    /// Whether an order of a message accepted at `accepted_at` may have been started under a lost epoch.
    pub(crate) fn doubts(&self, accepted_at: UnixMs) -> bool {
        let standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        standing
            .as_ref()
            .is_none_or(|standing| accepted_at < standing.doubt_before + AHEAD_MAX)
    }

    /// Whether there was a loss of the store after a message was accepted at `accepted_at`, as far as an epoch says so.
    pub(crate) fn is_from_before(&self, accepted_at: UnixMs) -> bool {
        let standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        let doubt_before = standing.as_ref().map_or(UnixMs(0), |standing| standing.doubt_before);
        doubt_before > UnixMs(0) && accepted_at < doubt_before + AHEAD_MAX
    }

    /// Whether an order of a message accepted at `accepted_at` may be claimed now, though it was published already. Whoever
    /// accepted it may have been ahead of the log by as much as is believed.
    pub(crate) fn may_call_off(&self, accepted_at: UnixMs, now: UnixMs) -> bool {
        let standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        standing.as_ref().is_some_and(|standing| {
            accepted_at >= standing.doubt_before + AHEAD_MAX || now >= standing.since + SETTLED_AFTER
        })
    }
}

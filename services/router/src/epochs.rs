//! Under which epoch of the store this router works, and what must wait because the store was rebuilt a moment ago.
//!
//! Nothing learnt of one epoch may be written in the next: a case holds the claims it won, and those are gone with the
//! store. So an epoch is adopted while no case is between the store's answers, and what was decided before is published
//! only if the epoch is still the same.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use service::{
    LogTime,
    time::{self, Instant},
};
use sms::UnixMs;
use store::{Epoch, StoreError};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::handlers::AHEAD_MAX;

/// From the beginning of an epoch until timers of rebuilt states fire, and until routers claim orders that somebody may
/// have started before it: connectors have put their claims back by then, and answered for those of the dead.
pub(crate) const SETTLED_AFTER: Duration = Duration::from_secs(12);

/// How far the clocks of routers, of the log and of those who stamp records may be apart.
pub(crate) const SKEW_MAX: Duration = Duration::from_secs(1);

/// The epoch this router works under.
#[derive(Debug)]
pub(crate) struct Epochs {
    /// The log's time, which no machine's need agree with.
    pub(crate) log: LogTime,
    /// Held by cases while they ask the store, and alone by whoever adopts.
    gate: RwLock<()>,
    /// Grows whenever what was decided before may not stand any more.
    number: AtomicU64,
    /// Whether the store did not answer when it was asked for its epoch last.
    is_silent: AtomicBool,
    standing: Mutex<Option<Standing>>,
    /// From when on it is not known which orders were started; absent = an epoch is known.
    forgot: Mutex<Option<Forgot>>,
}

/// When the store was seen to be lost, or this router began, by the two clocks there are here.
#[derive(Clone, Copy, Debug)]
struct Forgot {
    here: Instant,
    at: UnixMs,
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
    /// No epoch is known `now`.
    pub(crate) fn unknown(now: UnixMs) -> Self {
        let epochs = Self {
            log: LogTime::default(),
            gate: RwLock::default(),
            number: AtomicU64::default(),
            is_silent: AtomicBool::default(),
            standing: Mutex::default(),
            forgot: Mutex::default(),
        };
        epochs.lost(now);
        epochs
    }

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

    /// The store is seen to be lost `now`: what was decided is decided anew once it is back.
    pub(crate) fn lost(&self, now: UnixMs) {
        let here = time::now();
        lock(&self.forgot).get_or_insert(Forgot { here, at: now });
        self.anew();
    }

    /// There never was an epoch: nothing can have been started.
    pub(crate) fn is_first(&self) {
        *lock(&self.forgot) = None;
    }

    fn anew(&self) {
        self.number.fetch_add(1, Ordering::AcqRel);
    }

    /// The epoch is over, and the next one not yet known: nothing published before may be called off.
    pub(crate) fn left(&self, now: UnixMs) {
        *lock(&self.standing) = None;
        self.lost(now);
    }

    /// Goes on under `epoch` from `now` on.
    pub(crate) fn adopted(&self, epoch: Epoch, doubt_before: UnixMs, now: UnixMs) {
        let standing = Standing {
            epoch,
            doubt_before,
            since: now,
        };
        *lock(&self.standing) = Some(standing);
        *lock(&self.forgot) = None;
        self.anew();
    }

    /// Whether the store was lost, or this router began, and no epoch was adopted since.
    pub(crate) fn are_unknown(&self) -> bool {
        lock(&self.forgot).is_some()
    }

    /// Whether `epoch` is the one adopted.
    pub(crate) fn is(&self, epoch: &Epoch) -> bool {
        let standing = lock(&self.standing);
        standing.as_ref().is_some_and(|standing| standing.epoch == *epoch)
    }

    /// Notes whether the store answers.
    pub(crate) fn heard(&self, is_there: bool) {
        self.is_silent.store(!is_there, Ordering::Release);
    }

    /// Whether the store can say at once how a message ends: it answers, and whoever has orders from before a loss has had the
    /// time to put claims back.
    pub(crate) fn is_settled(&self, now: UnixMs) -> bool {
        let standing = lock(&self.standing);
        let is_settled =
            |standing: &Standing| standing.doubt_before == UnixMs(0) || now >= standing.since + SETTLED_AFTER;
        !self.is_silent.load(Ordering::Acquire) && standing.as_ref().is_some_and(is_settled)
    }

    /// Whether an order of a message accepted at `accepted_at` may have been started under a lost epoch.
    pub(crate) fn doubts(&self, accepted_at: UnixMs) -> bool {
        let standing = lock(&self.standing);
        standing
            .as_ref()
            .is_none_or(|standing| accepted_at < standing.doubt_before + AHEAD_MAX)
    }

    /// Whether there was a loss of the store after a message was accepted at `accepted_at`, as far as an epoch says so; while none is
    /// known, whether there may have been one.
    pub(crate) fn is_from_before(&self, accepted_at: UnixMs) -> bool {
        let forgot = *lock(&self.forgot);
        let forgot_at = forgot.map(|forgot| self.log.at(forgot.here).unwrap_or(forgot.at));
        if forgot_at.is_some_and(|at| accepted_at < at + SKEW_MAX) {
            return true;
        }
        let standing = lock(&self.standing);
        let doubt_before = standing.as_ref().map_or(UnixMs(0), |standing| standing.doubt_before);
        doubt_before > UnixMs(0) && accepted_at < doubt_before + AHEAD_MAX
    }

    /// Whether an order of a message accepted at `accepted_at` may be claimed now, though it was published already. Whoever
    /// accepted it may have been ahead of the log by as much as is believed.
    pub(crate) fn may_call_off(&self, accepted_at: UnixMs, now: UnixMs) -> bool {
        let standing = lock(&self.standing);
        standing.as_ref().is_some_and(|standing| {
            accepted_at >= standing.doubt_before + AHEAD_MAX || now >= standing.since + SETTLED_AFTER
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

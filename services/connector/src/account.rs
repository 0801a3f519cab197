//! A pump's share of its carrier's account: leased from the store a slice at a time while there is something to send, and
//! an equal share of what the account bore last while the store is away.

use std::sync::Arc;

use futures::{FutureExt, future::BoxFuture};
use service::{
    Clock,
    time::{self, Instant},
};
use signalbox_proto::keys;
use sms::UnixMs;
use store::{Applied, Key, Op, Store, Versioned};

use crate::{
    Incarnation,
    quota::{Ask, Feeling, Ledger, SLICE},
    rate::Bucket,
};

/// What is known of an account is worth nothing after this time without a lease: it is back at its rate by then anyway.
const LEDGER_KEPT: std::time::Duration = std::time::Duration::from_secs(60);
/// Swaps tried for one lease, as others may come in between.
const TRIES: usize = 16;
/// What a member expects to use, over what it used: so that its lease can grow.
const GROWTH: f64 = 1.5;

/// One lease that was taken.
pub(crate) struct Leased {
    /// The account with it; the version it stands under.
    known: (Ledger, u64),
    rate: f64,
    /// When it was asked for, which is when it begins.
    began: Instant,
}

/// See the module.
pub(crate) struct Account {
    key: Key,
    who: String,
    ceiling: u32,
    store: Arc<dyn Store>,
    clock: Clock,
    asking: Option<BoxFuture<'static, Option<Leased>>>,
    /// When the lease in force, or the one that is asked for, begins.
    asked_at: Option<Instant>,
    /// Whether the last answer gave anything.
    is_served: bool,
    /// What the store said last, and under which version.
    known: Option<(Ledger, u64)>,
    feeling: Feeling,
    /// The rate before it was raised, until the store knows; absent = it was not.
    raised_from: Option<u32>,
    /// Whether there was too little since it was asked last.
    is_short: bool,
    /// Connectors that share the account where the store cannot divide it.
    sharers: u32,
}

impl Account {
    /// The account called `name`, of `ceiling` parts a second, as used by link `link` of this run.
    pub(crate) fn new(
        name: &str,
        ceiling: u32,
        (incarnation, link): (&Incarnation, &str),
        store: Arc<dyn Store>,
        clock: Clock,
    ) -> Self {
        Self {
            key: keys::rate(name),
            // A name in the ledger is one word.
            who: format!("{}/{}", incarnation.as_str(), link.replace(char::is_whitespace, "_")),
            ceiling,
            store,
            clock,
            asking: None,
            asked_at: None,
            is_served: false,
            known: None,
            feeling: Feeling::default(),
            raised_from: None,
            is_short: false,
            sharers: 1,
        }
    }

    /// The carrier took or refused something.
    pub(crate) fn feel(&mut self, feeling: Feeling) {
        self.feeling = self.feeling.max(feeling);
    }

    /// The account bears `ceiling` parts a second from now on: one that bore all it was allowed bears all of it at once.
    pub(crate) fn set_ceiling(&mut self, ceiling: u32) {
        self.raised_from = (ceiling > self.ceiling).then_some(self.ceiling);
        self.ceiling = ceiling;
        // What is leased by the old rate is replaced soon, also where nobody is short of it.
        self.is_short = true;
    }

    /// So many connectors serve its carriers, this one among them.
    pub(crate) fn set_sharers(&mut self, sharers: u32) {
        self.sharers = sharers.max(1);
    }

    /// Parts a second that an equal share of it is, as far as is known.
    pub(crate) fn share(&self) -> f64 {
        let pace = self.known.as_ref().map(|(ledger, _)| ledger.pace());
        pace.unwrap_or(f64::from(self.ceiling)) / f64::from(self.sharers)
    }

    /// Asks for a lease where `bucket` needs one: something `waits` for it, was taken from it, or is owed.
    pub(crate) fn advance(&mut self, bucket: &mut Bucket, waits: bool, now: Instant) {
        self.is_short |= waits && !bucket.is_open(sms::Lane::Bulk);
        if !self.is_needed(bucket, waits) || self.due().is_some_and(|due| due > now) {
            return;
        }
        if self.asking.is_some() {
            // The store is away: nobody can divide the account, so everybody takes an equal share.
            return self.fall_back(bucket, now);
        }
        let wants = match std::mem::take(&mut self.is_short) {
            true => f64::INFINITY,
            false => bucket.take_used() * GROWTH / SLICE.as_secs_f64() + 1.0,
        };
        bucket.take_used();
        let ask = self.ask(wants);
        self.asked_at = Some(now);
        let (store, key, known) = (Arc::clone(&self.store), self.key.clone(), self.known.clone());
        let asking = lease(store, key, known, ask, self.clock.now());
        self.asking = Some(
            asking
                .map(move |leased| {
                    leased.map(|(known, rate)| Leased {
                        known,
                        rate,
                        began: now,
                    })
                })
                .boxed(),
        );
    }

    /// When it wants to be advanced again, where it is needed.
    pub(crate) fn wake_at(&self, bucket: &Bucket, waits: bool) -> Option<Instant> {
        self.due().filter(|_| self.is_needed(bucket, waits))
    }

    /// The next answer of the store; never where nothing is asked. Cancel-safe.
    pub(crate) async fn answered(&mut self) -> Option<Leased> {
        match &mut self.asking {
            Some(asking) => {
                let leased = asking.await;
                self.asking = None;
                leased
            }
            None => std::future::pending().await,
        }
    }

    /// Has `bucket` fill by what was leased; `None` = the store is away.
    pub(crate) fn on_answered(&mut self, leased: Option<Leased>, bucket: &mut Bucket) {
        let now = time::now();
        let Some(Leased { known, rate, began }) = leased else {
            return self.fall_back(bucket, now);
        };
        self.known = Some(known);
        let until = began + SLICE;
        if until <= now {
            // Its slice is over, and somebody else has the next one.
            return;
        }
        self.is_served = rate > 0.0;
        bucket.lease(rate, now, until);
    }

    fn ask(&mut self, wants: f64) -> Ask {
        Ask {
            who: self.who.clone(),
            ceiling: self.ceiling,
            wants,
            feeling: std::mem::take(&mut self.feeling),
            raised_from: self.raised_from.take(),
        }
    }

    fn is_needed(&self, bucket: &Bucket, waits: bool) -> bool {
        waits || bucket.is_used() || self.feeling == Feeling::Throttled
    }

    /// In the middle of a lease the next one is asked for; without an answer by the end of it the store is away.
    fn due(&self) -> Option<Instant> {
        let wait = match (&self.asking, self.is_served) {
            (Some(_), _) => SLICE,
            (None, true) => SLICE / 2,
            (None, false) => SLICE / 4,
        };
        self.asked_at.map(|at| at + wait)
    }

    fn fall_back(&mut self, bucket: &mut Bucket, now: Instant) {
        let (ask, wall) = (self.ask(f64::INFINITY), self.clock.now());
        let known = self.known.take().map(|(ledger, _)| ledger);
        let mut ledger = known.unwrap_or_else(|| Ledger::new(self.ceiling, wall));
        let rate = ledger.alone(&ask, wall) / f64::from(self.sharers);
        // Under no version: what the store has is looked at first when it is back.
        self.known = Some((ledger, 0));
        self.asked_at = Some(now);
        self.is_served = true;
        bucket.lease(rate, now, now + SLICE);
    }
}

/// Takes a lease by compare-and-swap; `None` = the store is away.
async fn lease(
    store: Arc<dyn Store>,
    key: Key,
    mut known: Option<(Ledger, u64)>,
    ask: Ask,
    wall: UnixMs,
) -> Option<((Ledger, u64), f64)> {
    for _ in 0..TRIES {
        let fresh = || Ledger::new(ask.ceiling, wall);
        let (mut ledger, expected) = match known {
            Some((ledger, version)) if version > 0 => (ledger, Some(version)),
            Some((ledger, _)) => (ledger, None),
            None => (fresh(), None),
        };
        let rate = ledger.lease(&ask, wall);
        let swap = Op::Swap {
            key: key.clone(),
            expected,
            value: Some(ledger.to_bytes()),
            expires_at_ms: (wall + LEDGER_KEPT).0,
            due: None,
        };
        // Nothing leaves the process because of it, so nobody waits until it is safe.
        let (applied, _commit) = store.apply(vec![swap]).await.ok()?;
        known = match applied.into_iter().next()? {
            Applied::Written(version) => return Some(((ledger, version), rate)),
            Applied::Conflict(there) => there.map(|Versioned { value, version }| {
                let ledger = Ledger::from_bytes(&value);
                (ledger.unwrap_or_else(fresh), version)
            }),
            _ => return None,
        };
    }
    None
}

#[cfg(test)]
mod tests;

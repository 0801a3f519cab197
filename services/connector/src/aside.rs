//! Orders that another run of the connector claimed: it answers them while it lives, and nobody knows what it wrote once
//! it does not.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures::future::BoxFuture;
use service::time::Instant;
use signalbox_proto::keys;
use store::{Applied, Op, Store};
use tracing::warn;

/// The version that no value has.
const NO_VERSION: u64 = 0;
/// How often the leases are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// A run that lives for so long after an order came again has answered it: a hold in place, the longest answer timeout
/// and a publish are well within.
const ANSWERED_AFTER: Duration = Duration::from_secs(60);

/// What became of an order set aside.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Its owner is gone: whether it was sent is unknown.
    Orphaned,
    /// Its owner answered it.
    Answered,
}

/// Orders set aside, each with the run that claimed it.
pub(crate) struct Aside<T> {
    store: Arc<dyn Store>,
    entries: Vec<Entry<T>>,
    look_at: Option<Instant>,
    /// Nothing is looked at before; absent = at any time.
    not_before: Option<Instant>,
    looking: Option<BoxFuture<'static, BTreeMap<String, bool>>>,
}

struct Entry<T> {
    order: T,
    incarnation: String,
    since: Instant,
}

impl<T> Aside<T> {
    /// Nothing set aside.
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            entries: Vec::new(),
            look_at: None,
            not_before: None,
            looking: None,
        }
    }

    /// Sets an order aside.
    pub(crate) fn put(&mut self, order: T, incarnation: String, now: Instant) {
        self.entries.push(Entry {
            order,
            incarnation,
            since: now,
        });
        self.look_at = Some(now);
    }

    /// Orders set aside.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// When `look` is due; absent = nothing is set aside, or a look is under way.
    pub(crate) fn look_at(&self) -> Option<Instant> {
        let look_at = self.look_at.filter(|_| self.looking.is_none())?;
        Some(self.not_before.map_or(look_at, |at| look_at.max(at)))
    }

    /// Looks at nothing before `at`: until then other runs put back the leases that a lost store forgot.
    pub(crate) fn wait_until(&mut self, at: Instant) {
        self.not_before = Some(at);
    }

    /// Whether a look is under way.
    pub(crate) fn is_looking(&self) -> bool {
        self.looking.is_some()
    }

    /// Starts a look at the leases if one is due.
    pub(crate) fn look(&mut self, now: Instant) {
        if self.look_at().is_none_or(|at| now < at) {
            return;
        }
        let runs: BTreeSet<String> = self.entries.iter().map(|entry| entry.incarnation.clone()).collect();
        self.look_at = (!runs.is_empty()).then(|| now + LOOK);
        if !runs.is_empty() {
            self.looking = Some(Box::pin(living(Arc::clone(&self.store), runs)));
        }
    }

    /// The result of a look; waits for ever while none is under way. Cancel-safe.
    pub(crate) async fn looked(&mut self) -> BTreeMap<String, bool> {
        let Some(looking) = &mut self.looking else {
            return std::future::pending().await;
        };
        let lives = looking.await;
        self.looking = None;
        lives
    }

    /// The orders whose fate is known by now.
    pub(crate) fn take_settled(&mut self, lives: &BTreeMap<String, bool>, now: Instant) -> Vec<(T, Fate)> {
        let is_answered = |entry: &Entry<T>| now.duration_since(entry.since) >= ANSWERED_AFTER;
        let fate = |entry: &Entry<T>| match lives.get(&entry.incarnation) {
            Some(false) => Some(Fate::Orphaned),
            Some(true) => is_answered(entry).then_some(Fate::Answered),
            // A run put aside after the look began is part of the next one.
            None => None,
        };
        let mut settled = Vec::new();
        for entry in std::mem::take(&mut self.entries) {
            match fate(&entry) {
                Some(fate) => settled.push((entry.order, fate)),
                None => self.entries.push(entry),
            }
        }
        settled
    }
}

/// Which of `runs` hold their lease. A store that is away tells nothing, and then none is in the answer.
///
/// A replica that is behind may still show a lease that is over, and not yet one that was renewed, so the leases are not
/// read: a swap that cannot take place is answered by whoever decides swaps, and says what is there.
async fn living(store: Arc<dyn Store>, runs: BTreeSet<String>) -> BTreeMap<String, bool> {
    let never = |run: &String| Op::Swap {
        key: keys::lease(run),
        expected: Some(NO_VERSION),
        value: None,
        expires_at_ms: 0,
        due: None,
    };
    match store.apply(runs.iter().map(never).collect()).await {
        Ok((leases, _)) => runs
            .into_iter()
            .zip(leases)
            .map(|(run, lease)| (run, lease != Applied::Conflict(None)))
            .collect(),
        Err(error) => {
            warn!(%error, "cannot look at the leases of other runs, looking again");
            BTreeMap::new()
        }
    }
}

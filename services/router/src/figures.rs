//! How well carriers deliver of late: what this router counted, by carrier and network.
//!
//! An attempt is a message that a carrier took and that a receipt is to come for; it counts in the span of time in which it
//! was taken, whenever its receipt comes. A span is read once all its attempts are old enough for a receipt to be there, so
//! silence counts as what it is and messages under way do not. Whatever is not delivered counts alike: a handset that is
//! off meets every carrier of its network, is paid for like any other attempt, and is what a bad route says first.
//!
//! Loops count under a lock that is held for a batch at most; decisions read a [`Summary`] that is made anew every ten
//! seconds. A restart begins with nothing.

mod fact;
mod pair;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use service::{Seldom, Stop, time};
use sms::{CarrierName, UnixMs};
use table::{Figures, LiveFigures, Network};
use tracing::warn;

use crate::{Error, desk::Desk, metrics};
use pair::{Pair, Times};

pub(crate) use fact::{Fact, facts};

/// Carriers and networks that are counted, one and a half kilobytes each: 12 MiB in all. A router that serves more of them
/// decides on `quality.csv` for those that came last.
const PAIRS_MAX: usize = 8_192;
/// How often decisions see what was counted. A span of figures is five minutes long.
const REFRESH: Duration = Duration::from_secs(10);

/// Too many pairs are found out with every message.
static TOLD: Seldom = Seldom::new();

/// Everything counted since the router started.
pub(crate) struct Book {
    /// Attempts from before are not counted: their receipts were not either.
    since: UnixMs,
    counted: Mutex<Counted>,
    summary: ArcSwap<Summary>,
}

/// The pairs, and how many there are.
#[derive(Default)]
struct Counted {
    carriers: BTreeMap<CarrierName, BTreeMap<Network, Pair>>,
    pairs: usize,
}

/// Figures as decisions read them, networks in order.
#[derive(Debug, Default)]
pub(crate) struct Summary(BTreeMap<CarrierName, Vec<(Network, Figures)>>);

impl Book {
    /// Counts from `now` on.
    pub(crate) fn new(now: UnixMs) -> Self {
        Self {
            since: now,
            counted: Mutex::default(),
            summary: ArcSwap::default(),
        }
    }

    /// The figures that decisions of one batch are made on.
    pub(crate) fn summary(&self) -> Arc<Summary> {
        self.summary.load_full()
    }

    /// Takes what was written at `now`.
    pub(crate) fn count<'a>(&self, facts: impl IntoIterator<Item = &'a Fact>, now: UnixMs) {
        let mut facts = facts.into_iter().filter(|fact| fact.taken_at >= self.since).peekable();
        if facts.peek().is_none() {
            return;
        }
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        for fact in facts {
            let Some(pair) = counted.pair(&fact.carrier, fact.network, now) else {
                if TOLD.is_due("figures") {
                    warn!(limit = PAIRS_MAX, "too many carriers and networks, not all are counted");
                }
                continue;
            };
            // A connector's clock may be ahead of ours; nothing was taken in the future.
            let taken_at = fact.taken_at.min(now);
            match fact.delivered_in {
                None => pair.taken(taken_at),
                Some(took) => pair.delivered(taken_at, took, now),
            }
        }
    }

    /// Lets decisions see what was counted until `now`, and forgets pairs that nothing was sent to for hours.
    fn refresh(&self, now: UnixMs) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let mut scratch = Times::default();
        let mut summary = BTreeMap::new();
        counted.forget(now);
        for (carrier, networks) in &counted.carriers {
            let figures = networks
                .iter()
                .map(|(network, pair)| (*network, pair.figures(now, &mut scratch)));
            summary.insert(carrier.clone(), figures.collect());
        }
        metrics::figures(counted.pairs);
        drop(counted);
        self.summary.store(Arc::new(Summary(summary)));
    }
}

impl Counted {
    /// The pair to count at; `None` = there are too many.
    fn pair(&mut self, carrier: &CarrierName, network: Network, now: UnixMs) -> Option<&mut Pair> {
        let is_known = self
            .carriers
            .get(carrier)
            .is_some_and(|networks| networks.contains_key(&network));
        if !is_known {
            if self.pairs >= PAIRS_MAX {
                return None;
            }
            self.pairs += 1;
            let networks = self.carriers.entry(carrier.clone()).or_default();
            networks.insert(network, Pair::new(now));
        }
        self.carriers.get_mut(carrier)?.get_mut(&network)
    }

    fn forget(&mut self, now: UnixMs) {
        self.carriers.retain(|_, networks| {
            networks.retain(|_, pair| !pair.is_over(now));
            !networks.is_empty()
        });
        self.pairs = self.carriers.values().map(BTreeMap::len).sum();
    }
}

impl LiveFigures for Summary {
    fn figures(&self, carrier: &CarrierName, network: Network) -> Option<Figures> {
        let networks = self.0.get(carrier)?;
        let at = networks.binary_search_by_key(&network, |(known, _)| *known).ok()?;
        Some(networks[at].1)
    }
}

/// Brings what decisions see up to date until `stop`.
pub(crate) async fn follow(desk: Arc<Desk>, stop: Stop) -> Result<(), Error> {
    let mut tick = time::every(REFRESH);
    loop {
        tokio::select! {
            biased;
            () = stop.requested() => return Ok(()),
            _ = tick.tick() => desk.figures.refresh(desk.now()),
        }
    }
}

#[cfg(test)]
mod tests;

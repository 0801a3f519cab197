//! The breakers of all carriers, each as a whole and on every network, fed by what carriers answer.
//!
//! A failure on a network opens the breaker of that network alone; the carrier as a whole hears of it only while that one is
//! closed, and takes twice as much: a network that is down ejects nobody from the others. Decisions read [`Ejected`], which
//! is empty while nothing is wrong. It refuses, but where nobody else is left whoever is ejected is asked all the same.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use journey::{Cause, OrderAnswer, Outcome};
use service::{Stop, time};
use sms::{CarrierName, UnixMs};
use table::Network;
use tracing::{info, warn};

use super::breaker::{Breaker, Gate, Limits};
use crate::{Error, desk::Desk, metrics};

/// What it takes on one network: ten failures in a row are no accident, and fifty answers tell a share.
const NETWORK: Limits = Limits {
    run: 10,
    answers_min: 50,
};
/// What it takes for all of a carrier: more, so that one network is ejected before its failures count against the others.
const CARRIER: Limits = Limits {
    run: 20,
    answers_min: 100,
};
const _: () = assert!(NETWORK.run < CARRIER.run && NETWORK.answers_min < CARRIER.answers_min);
/// Networks of all carriers that have a breaker of their own, about 150 octets each. What comes beyond counts for the
/// carrier as a whole.
const NETWORKS_MAX: usize = 8_192;
/// A carrier that is probed is asked once in this time: five times a second.
const PROBE_EVERY: Duration = Duration::from_millis(200);

/// Causes that speak of the carrier. Others speak of the message (a bad number, a sender that is not allowed) or ask for
/// patience, and words that an operator's map brings say nothing here.
const FAULTS: [&str; 8] = [
    "delivery_failed",
    "queue_full",
    "submit_failed",
    "system_error",
    "temporary",
    "throttled",
    "unknown_error",
    "unmapped",
];

/// All breakers of this router.
#[derive(Default)]
pub(super) struct Breakers {
    kept: Mutex<Kept>,
    ejected: ArcSwap<Ejected>,
}

#[derive(Default)]
struct Kept {
    carriers: BTreeMap<CarrierName, Watched>,
    networks: usize,
}

/// One carrier.
struct Watched {
    whole: Breaker,
    networks: BTreeMap<Network, Breaker>,
    /// Probes that may be sent until the next ones are granted.
    probes: Arc<AtomicU32>,
}

/// Those that are not asked like others just now.
#[derive(Debug, Default)]
pub(super) struct Ejected(BTreeMap<CarrierName, Out>);

#[derive(Debug)]
struct Out {
    whole: Gate,
    /// In order; those that are closed are left out.
    networks: Vec<(Network, Gate)>,
    probes: Arc<AtomicU32>,
}

/// What an answer says about whoever gave it: true = it takes messages; `None` = nothing.
fn verdict(outcome: &Outcome) -> Option<bool> {
    let speaks_of_carrier = |cause: &Cause| FAULTS.contains(&cause.code.as_str());
    match outcome {
        Outcome::Accepted { .. } => Some(true),
        Outcome::Unknown { .. } => Some(false),
        Outcome::Next { cause } => speaks_of_carrier(cause).then_some(false),
        // A hold asks for patience, a failure speaks of the message, and of links their connectors speak.
        Outcome::Hold { .. } | Outcome::Fail { .. } | Outcome::LinkDown { .. } => None,
    }
}

impl Breakers {
    /// Those that are ejected, for one batch.
    pub(super) fn ejected(&self) -> Arc<Ejected> {
        self.ejected.load_full()
    }

    /// Takes an answer, heard at `now`.
    pub(super) fn hear(&self, answer: &OrderAnswer, now: UnixMs) {
        let Some(is_taken) = verdict(&answer.outcome) else {
            return;
        };
        let order = &*answer.returned;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.hear(
            &order.carrier,
            order.network.parse().ok(),
            (is_taken, order.issued_at),
            now,
        ) {
            self.ejected.store(Arc::new(kept.ejected(now)));
        }
    }

    /// Lets ejections end, grants each carrier that is probed one probe, and forgets what says nothing any more.
    fn tick(&self, now: UnixMs) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.forget(now);
        let ejected = kept.ejected(now);
        drop(kept);
        for (carrier, out) in &ejected.0 {
            out.probes.store(1, Ordering::Relaxed);
            metrics::carrier_ejections(carrier.as_str(), out.ejections());
        }
        for carrier in self
            .ejected
            .load()
            .0
            .keys()
            .filter(|name| !ejected.0.contains_key(*name))
        {
            metrics::carrier_ejections(carrier.as_str(), 0);
        }
        self.ejected.store(Arc::new(ejected));
    }
}

impl Kept {
    /// Takes an answer to an order of that instant. True = a breaker changed.
    fn hear(
        &mut self,
        carrier: &CarrierName,
        network: Option<Network>,
        (is_taken, asked_at): (bool, UnixMs),
        now: UnixMs,
    ) -> bool {
        if !self.carriers.contains_key(carrier) {
            let watched = Watched {
                whole: Breaker::new(CARRIER, now),
                networks: BTreeMap::new(),
                probes: Arc::default(),
            };
            self.carriers.insert(carrier.clone(), watched);
        }
        let Some(watched) = self.carriers.get_mut(carrier) else {
            return false;
        };
        let mut is_ejected_there = false;
        let mut has_changed = false;
        let network = network.filter(|network| self.networks < NETWORKS_MAX || watched.networks.contains_key(network));
        if let Some(network) = network {
            let breaker = watched.networks.entry(network).or_insert_with(|| {
                self.networks += 1;
                Breaker::new(NETWORK, now)
            });
            is_ejected_there = breaker.gate(now) != Gate::Open;
            if breaker.hear(is_taken, asked_at, now) {
                tell(breaker.gate(now), carrier, &network.to_string());
                has_changed = true;
            }
        }
        if !is_ejected_there && watched.whole.hear(is_taken, asked_at, now) {
            tell(watched.whole.gate(now), carrier, "all");
            has_changed = true;
        }
        has_changed
    }

    fn ejected(&mut self, now: UnixMs) -> Ejected {
        let mut all = BTreeMap::new();
        for (carrier, watched) in &mut self.carriers {
            let whole = watched.whole.gate(now);
            let networks = watched.networks.iter_mut();
            let gates = networks.map(|(network, breaker)| (*network, breaker.gate(now)));
            let networks: Vec<_> = gates.filter(|(_, gate)| *gate != Gate::Open).collect();
            if whole != Gate::Open || !networks.is_empty() {
                let probes = watched.probes.clone();
                let out = Out {
                    whole,
                    networks,
                    probes,
                };
                all.insert(carrier.clone(), out);
            }
        }
        Ejected(all)
    }

    fn forget(&mut self, now: UnixMs) {
        self.carriers.retain(|_, watched| {
            watched.networks.retain(|_, breaker| !breaker.is_idle(now));
            !(watched.networks.is_empty() && watched.whole.is_idle(now))
        });
        self.networks = self.carriers.values().map(|watched| watched.networks.len()).sum();
    }
}

fn tell(gate: Gate, carrier: &CarrierName, network: &str) {
    match gate {
        Gate::Shut => warn!(%carrier, network, "the carrier fails what it is asked, others are asked in its place"),
        Gate::Open => info!(%carrier, network, "the carrier takes messages again"),
        Gate::Probing => {}
    }
}

impl Ejected {
    /// Whether a message for `network` may go to `carrier`, if only to find out.
    pub(super) fn lets(&self, carrier: &CarrierName, network: Option<Network>) -> bool {
        self.0.get(carrier).is_none_or(|out| match out.gate(network) {
            Gate::Open => true,
            Gate::Probing => out.probes.load(Ordering::Relaxed) > 0,
            Gate::Shut => false,
        })
    }

    /// Notes that an order for `network` goes to `carrier`: a probe, if it is probed.
    pub(super) fn asked(&self, carrier: &CarrierName, network: Option<Network>) {
        if let Some(out) = self.0.get(carrier)
            && out.gate(network) != Gate::Open
        {
            let less = |probes: u32| probes.checked_sub(1);
            _ = out.probes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        }
    }
}

impl Out {
    fn gate(&self, network: Option<Network>) -> Gate {
        let find = |network: Network| self.networks.binary_search_by_key(&network, |(known, _)| *known).ok();
        let there = network.and_then(find).map_or(Gate::Open, |at| self.networks[at].1);
        there.max(self.whole)
    }

    fn ejections(&self) -> usize {
        self.networks.len() + usize::from(self.whole != Gate::Open)
    }
}

/// Lets time pass for all breakers until `stop`.
pub(crate) async fn follow(desk: Arc<Desk>, stop: Stop) -> Result<(), Error> {
    let mut tick = time::every(PROBE_EVERY);
    loop {
        tokio::select! {
            biased;
            () = stop.requested() => return Ok(()),
            _ = tick.tick() => desk.carriers.breakers.tick(desk.now()),
        }
    }
}

#[cfg(test)]
mod tests;

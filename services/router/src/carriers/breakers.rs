//! The breakers of all carriers, each as a whole and on every network, fed by what carriers answer.
//!
//! A failure on a network opens the breaker of that network alone; the carrier as a whole hears of it only while that one is
//! closed, and takes twice as much: a network that is down ejects nobody from the others. Decisions read [`Ejected`], which
//! is empty while nothing is wrong. It refuses, but where nobody else is left whoever is ejected is asked all the same.
//!
//! Whom other routers eject is refused as well, and left to them to probe.

mod others;
mod verdict;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use journey::{Ejection, Ejections, OrderAnswer};
use service::{Stop, time};
use sms::{CarrierName, UnixMs};
use table::Network;
use tracing::{info, warn};

use super::breaker::{Breaker, Gate, Limits};
use crate::{Error, desk::Desk, metrics};
use others::Others;
use verdict::verdict;

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
/// Ejections of one router that others hear of.
const EJECTED_MAX: usize = 1_000;
/// A carrier that is probed is asked once in this time: five times a second.
pub(super) const PROBE_EVERY: Duration = Duration::from_millis(200);

/// All breakers of this router.
#[derive(Default)]
pub(super) struct Breakers {
    kept: Mutex<Kept>,
    ejected: ArcSwap<Ejected>,
    /// The name of this run among routers.
    run: OnceLock<String>,
}

#[derive(Default)]
struct Kept {
    carriers: BTreeMap<CarrierName, Watched>,
    networks: usize,
    others: Others,
    /// Carriers whose gauge may not be zero.
    shown: BTreeSet<CarrierName>,
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
    /// Those that are closed are left out.
    networks: BTreeMap<Network, Gate>,
    probes: Arc<AtomicU32>,
}

impl Breakers {
    /// Those that are ejected, for one batch.
    pub(super) fn ejected(&self) -> Arc<Ejected> {
        self.ejected.load_full()
    }

    /// Takes an answer, heard at `now`.
    pub(super) fn hear(&self, answer: &OrderAnswer, now: UnixMs) {
        let Some(is_taken) = verdict(answer) else {
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

    /// Takes what another router said, heard at `now` and said at `at` by our clock.
    pub(super) fn told(&self, said: Ejections, at: UnixMs, now: UnixMs) {
        if self.run.get() == Some(&said.router) {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.others.hear(said, at, now);
        self.ejected.store(Arc::new(kept.ejected(now)));
    }

    /// The name of this run, made by `draw` when it is asked for first.
    pub(super) fn run(&self, draw: impl FnOnce() -> String) -> String {
        self.run.get_or_init(draw).clone()
    }

    /// Whom this router ejects, for others to hear.
    pub(super) fn own(&self, now: UnixMs) -> Vec<Ejection> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).own(now)
    }

    /// Lets ejections end, grants each carrier that is probed one probe, and forgets what says nothing any more.
    fn tick(&self, now: UnixMs) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.forget(now);
        let ejected = Arc::new(kept.ejected(now));
        self.ejected.store(Arc::clone(&ejected));
        let gauges = kept.gauges(&ejected);
        // Held until here, so that nothing that was just heard is overwritten.
        drop(kept);
        for out in ejected.0.values() {
            out.probes.store(1, Ordering::Relaxed);
        }
        for (carrier, ejections) in gauges {
            metrics::carrier_ejections(carrier.as_str(), ejections);
        }
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
        let watched = self.carriers.entry(carrier.clone()).or_insert_with(|| Watched {
            whole: Breaker::new(CARRIER, now),
            networks: BTreeMap::new(),
            probes: Arc::default(),
        });
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
            let networks: BTreeMap<_, _> = gates.filter(|(_, gate)| *gate != Gate::Open).collect();
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
        for (carrier, network) in self.others.ejected(now) {
            let out = all.entry(carrier.clone()).or_insert_with(|| Out {
                whole: Gate::Open,
                networks: BTreeMap::new(),
                probes: Arc::default(),
            });
            match network {
                // Whoever is probed here is probed here.
                None => out.whole = if out.whole == Gate::Open { Gate::Shut } else { out.whole },
                Some(network) => _ = out.networks.entry(*network).or_insert(Gate::Shut),
            }
        }
        Ejected(all)
    }

    /// What to show of each carrier: its ejections, and once that it has none any more.
    fn gauges(&mut self, ejected: &Ejected) -> Vec<(CarrierName, usize)> {
        let ended = self.shown.iter().filter(|carrier| !ejected.0.contains_key(*carrier));
        let ended = ended.map(|carrier| (carrier.clone(), 0));
        let lasting = ejected
            .0
            .iter()
            .map(|(carrier, out)| (carrier.clone(), out.ejections()));
        let gauges = ended.chain(lasting).collect();
        self.shown = ejected.0.keys().cloned().collect();
        gauges
    }

    /// Whom this router ejects by what it heard itself.
    fn own(&mut self, now: UnixMs) -> Vec<Ejection> {
        let mut own = Vec::new();
        for (carrier, watched) in &mut self.carriers {
            let mut add = |network| {
                own.push(Ejection {
                    carrier: carrier.clone(),
                    network,
                });
            };
            if watched.whole.is_vouched_for(now) {
                add(String::new());
            }
            for (network, breaker) in &mut watched.networks {
                if breaker.is_vouched_for(now) {
                    add(network.to_string());
                }
            }
        }
        // Where not all are heard of, those that say most are.
        own.sort_by_key(|ejection| !ejection.network.is_empty());
        own.truncate(EJECTED_MAX);
        own
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

    /// Notes that an order for `network` goes to `carrier`: a probe, if it is probed there. Where it is shut it is asked for
    /// want of anybody else, which leaves the probe to the networks that wait for one.
    pub(super) fn asked(&self, carrier: &CarrierName, network: Option<Network>) {
        if let Some(out) = self.0.get(carrier)
            && out.gate(network) == Gate::Probing
        {
            let less = |probes: u32| probes.checked_sub(1);
            _ = out.probes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        }
    }
}

impl Out {
    fn gate(&self, network: Option<Network>) -> Gate {
        let there = network.and_then(|network| self.networks.get(&network));
        there.copied().unwrap_or(Gate::Open).max(self.whole)
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

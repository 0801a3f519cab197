//! Hands back the orders of carriers that no connector serves any more, so that their messages go on to other carriers.
//!
//! It follows what connectors say. For a carrier nobody spoke of for [`SILENT`], while others are heard, it joins the
//! carrier's group with a pump that has no link: each order that nobody claimed is claimed and answered `LinkDown`, at the
//! pump's bounded rate, and what a dead connector claimed is answered as any successor does. It ends as soon as a connector
//! speaks of the carrier, and says nothing about carriers itself: its word would make one look served. Each router has one;
//! the group divides the partitions among them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use service::{Deps, Seldom, Stop, StopHandle, Tasks, resume_panic, time};
use sms::CarrierName;
use tokio::sync::Notify;
use tracing::{info, warn};

use crate::{
    Concatenation, Incarnation, absent, epochs,
    lease::{LEASE, Lease},
    link, metrics,
    pump::{Abandoned, Pump, Settings},
    roster::{Roster, SILENT},
    vitals::Vitals,
};

/// How often it is looked whether a carrier lost its connectors or got one.
const LOOK: Duration = Duration::from_millis(250);
/// Orders of one lane that are read ahead, and kept in memory until their turn comes.
const WINDOW: u32 = 500;

/// The store is asked at every look while it is away.
static TOLD: Seldom = Seldom::new();

/// Names the carriers that orders may have been written for though no connector ever spoke of them: those of the table.
pub type Named = Arc<dyn Fn() -> Vec<CarrierName> + Send + Sync>;

/// The care for carriers under one lease.
struct Shift {
    lease: Lease,
    wards: Tasks<(CarrierName, Abandoned)>,
    stops: BTreeMap<CarrierName, StopHandle>,
    /// Whether it only waits for its wards to end: orders they left behind are unknown to others once the lease is over.
    is_over: bool,
    keeper: Tasks,
}

/// Takes care of carriers until `stop`, then finishes what is in hand within `drain_limit`.
///
/// `deps` hold a handle of the store that nobody else uses: it changes epochs by itself.
pub async fn run(named: Named, deps: Deps, drain_limit: Duration, stop: Stop) {
    metrics::describe();
    let roster = Roster::default();
    let mut follower = Tasks::new();
    follower.spawn(roster.clone().follow(Arc::clone(&deps.bus)));
    let mut shift: Option<Shift> = None;
    let mut look = time::every(LOOK);
    loop {
        tokio::select! {
            biased;
            () = stop.requested() => break,
            ended = ended(&mut shift) => {
                if let Some(over) = shift.take_if(|shift| shift.end(ended)) {
                    over.give_up(&deps).await;
                }
                continue;
            }
            _ = look.tick() => {}
        }
        let forsaken = roster.forsaken(named(), time::now());
        if shift.is_none() && !forsaken.is_empty() {
            shift = tokio::select! {
                biased;
                () = stop.requested() => break,
                begun = Shift::begin(&deps) => begun,
            };
        }
        if let Some(shift) = &mut shift {
            shift.care_for(&forsaken, &deps, drain_limit);
        }
    }
    if let Some(mut shift) = shift {
        shift.stops.clear();
        if time::timeout(drain_limit, shift.wards.join_all()).await.is_none() {
            warn!("orders were handed back and it was not safe in time; they are reported as unknown");
        }
        shift.give_up(&deps).await;
    }
}

/// The next ward that ended; waits for ever where there is none. Cancel-safe.
async fn ended(shift: &mut Option<Shift>) -> (CarrierName, Abandoned) {
    let joined = match shift {
        Some(shift) => shift.wards.join_next().await,
        None => None,
    };
    match joined {
        Some(Ok(ended)) => ended,
        Some(Err(error)) => {
            resume_panic(error);
            std::future::pending().await
        }
        None => std::future::pending().await,
    }
}

impl Shift {
    /// Takes a lease; `None` = the store is away or lost.
    async fn begin(deps: &Deps) -> Option<Self> {
        let lease = Lease::new(Incarnation::of_caretaker(deps.dice.next_u64()));
        let taken = time::timeout(LEASE, epochs::begin(&lease, &deps.store, &deps.clock)).await;
        if !matches!(taken, Some(Ok(()))) {
            if TOLD.is_due("lease") {
                warn!("cannot take a lease to hand back orders of carriers without a connector, trying again");
            }
            return None;
        }
        let mut keeper = Tasks::new();
        keeper.spawn(lease.clone().keep(Arc::clone(&deps.store), deps.clock.clone()));
        Some(Self {
            lease,
            wards: Tasks::new(),
            stops: BTreeMap::new(),
            is_over: false,
            keeper,
        })
    }

    /// Cares for all of `forsaken` and nobody else.
    fn care_for(&mut self, forsaken: &BTreeSet<CarrierName>, deps: &Deps, drain_limit: Duration) {
        for (carrier, stop) in &self.stops {
            if self.is_over || !forsaken.contains(carrier) {
                stop.request();
            }
        }
        for carrier in forsaken.iter().filter(|_| !self.is_over) {
            if self.stops.contains_key(carrier) {
                continue;
            }
            warn!(%carrier, silent_s = SILENT.as_secs(), "no connector speaks of this carrier: its orders go on to other carriers");
            let (handle, stop) = Stop::new();
            self.stops.insert(carrier.clone(), handle);
            let (carrier, deps, lease) = (carrier.clone(), deps.clone(), self.lease.clone());
            self.wards.spawn(async move {
                (
                    carrier.clone(),
                    hand_back(carrier, deps, lease, drain_limit, stop).await,
                )
            });
        }
    }

    /// A ward ended. True = the shift is over.
    fn end(&mut self, (carrier, abandoned): (CarrierName, Abandoned)) -> bool {
        info!(%carrier, "orders of this carrier are no longer handed back");
        self.stops.remove(&carrier);
        self.is_over |= abandoned.orders > 0;
        self.stops.is_empty()
    }

    async fn give_up(self, deps: &Deps) {
        // A renewal under way must not bring the lease back.
        drop(self.keeper);
        self.lease.give_up(&*deps.store).await;
    }
}

/// Hands back the orders of `carrier` until `stop`.
async fn hand_back(carrier: CarrierName, deps: Deps, lease: Lease, drain_limit: Duration, stop: Stop) -> Abandoned {
    let (wire, plug) = link::wire();
    let mut helpers = Tasks::new();
    helpers.spawn(absent::run(plug));
    let carriers = vec![carrier.clone()];
    let settings = Settings {
        link: format!("caretaker-{carrier}").into(),
        vitals: Vitals::new(carriers.clone(), deps.clock.now(), Arc::<Notify>::default()),
        carriers,
        window: WINDOW,
        rate: None,
        concatenation: Concatenation::default(),
        drain_limit,
        roster: None,
        is_absent: true,
    };
    let abandoned = Pump::new(settings, &deps, lease, wire, &mut helpers).run(stop).await;
    helpers.join_all().await;
    abandoned
}

#[cfg(test)]
mod tests;

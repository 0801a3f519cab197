//! Hands back the orders of carriers that no connector serves any more, so that their messages go on to other carriers.
//!
//! It follows what connectors say. For a carrier nobody spoke of for nine seconds, while others are heard, it joins the
//! carrier's group with a pump that has no link: each order that nobody claimed is claimed and answered `LinkDown`, at a
//! rate bounded for all carriers together, and what a dead connector claimed is answered as any successor does. It ends as
//! soon as a connector speaks of the carrier, and says nothing about carriers itself: its word would make one look served.
//! Each router has one; the group divides the partitions among them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use service::{
    Deps, LogTime, Seldom, Stop, StopHandle, Tasks, resume_panic,
    time::{self, Instant},
};
use sms::CarrierName;
use tokio::sync::Notify;
use tracing::{info, warn};

use crate::{
    Incarnation, absent, directive, epochs,
    inbound::Inbound,
    lease::{LEASE, Lease},
    link, metrics,
    pump::{Abandoned, Pump, Settings},
    rate::Share,
    roster::{Roster, SILENT},
    vitals::{LANES, Vitals},
};

/// How often it is looked whether a carrier lost its connectors or got one.
const LOOK: Duration = Duration::from_millis(250);
/// Orders of one lane that are read ahead, and kept in memory until their turn comes.
const WINDOW: u32 = 500;

/// Carriers cared for at once; the others wait their turn.
const WARDS_MAX: usize = 32;
/// How long a carrier without orders is cared for while others wait for their turn: long enough to be
/// handed what a dead connector read.
const TURN: Duration = Duration::from_secs(30);

/// The store is asked at every look while it is away.
static TOLD: Seldom = Seldom::new();

/// Names the carriers that orders may have been written for though no connector ever spoke of them: those of the table.
pub type Named = Arc<dyn Fn() -> Vec<CarrierName> + Send + Sync>;

/// The care for carriers under one lease.
struct Shift {
    lease: Lease,
    log_time: LogTime,
    wards: Tasks<(CarrierName, Abandoned)>,
    stops: BTreeMap<CarrierName, Ward>,
    /// Divides the rate among the wards.
    returning: Share,
    /// Whether it only waits for its wards to end: orders they left behind are unknown to others once the lease is over.
    is_over: bool,
    keeper: Tasks,
}

/// A carrier that is cared for.
struct Ward {
    stop: StopHandle,
    vitals: Arc<Vitals>,
    since: Instant,
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
    // Whose turn came last; it outlives a shift, which ends where all of its wards do.
    let mut last = None;
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
                begun = Shift::begin(&deps, roster.log_time()) => begun,
            };
        }
        if let Some(shift) = &mut shift {
            shift.care_for(&forsaken, &mut last, &deps, drain_limit);
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
    async fn begin(deps: &Deps, log_time: LogTime) -> Option<Self> {
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
            log_time,
            wards: Tasks::new(),
            stops: BTreeMap::new(),
            returning: Share::default(),
            is_over: false,
            keeper,
        })
    }

    /// Cares for as many of `forsaken` as there may be wards, and for nobody else.
    fn care_for(
        &mut self,
        forsaken: &BTreeSet<CarrierName>,
        last: &mut Option<CarrierName>,
        deps: &Deps,
        drain_limit: Duration,
    ) {
        let (now, is_crowded) = (time::now(), forsaken.len() > WARDS_MAX);
        for (carrier, ward) in &self.stops {
            let had_turn = || now.duration_since(ward.since) >= TURN && ward.is_idle();
            if self.is_over || !forsaken.contains(carrier) || (is_crowded && had_turn()) {
                ward.stop.request();
            }
        }
        while !self.is_over && self.stops.len() < WARDS_MAX {
            let Some(carrier) = self.next(forsaken, last.as_ref()) else {
                return;
            };
            warn!(%carrier, silent_s = SILENT.as_secs(), "no connector speaks of this carrier: its orders go on to other carriers");
            let (stop, stopped) = Stop::new();
            let vitals = Vitals::new(vec![carrier.clone()], deps.clock.now(), Arc::<Notify>::default());
            let settings = self.settings(&carrier, &vitals, drain_limit, deps);
            let since = now;
            self.stops.insert(carrier.clone(), Ward { stop, vitals, since });
            *last = Some(carrier.clone());
            let (deps, lease) = (deps.clone(), self.lease.clone());
            self.wards
                .spawn(async move { (carrier, hand_back(settings, deps, lease, stopped).await) });
        }
    }

    /// What the pump of a ward needs to know.
    fn settings(&self, carrier: &CarrierName, vitals: &Arc<Vitals>, drain_limit: Duration, deps: &Deps) -> Settings {
        Settings {
            link: format!("caretaker-{carrier}").into(),
            vitals: Arc::clone(vitals),
            carriers: vec![carrier.clone()],
            window: WINDOW,
            window_max: WINDOW,
            rate: None,
            configured: None,
            directive: directive::none(),
            account: Arc::default(),
            cutting: crate::parts::Cutting::default(),
            drain_limit,
            roster: None,
            log_time: self.log_time.clone(),
            returning: self.returning.clone(),
            inbound: Inbound::new(deps.clone()),
            is_absent: true,
        }
    }

    /// Whose turn it is after `last`; `None` = all are cared for.
    fn next(&self, forsaken: &BTreeSet<CarrierName>, last: Option<&CarrierName>) -> Option<CarrierName> {
        let is_later = |carrier: &&CarrierName| last.is_none_or(|last| *carrier > last);
        let in_turn = forsaken.iter().filter(is_later).chain(forsaken);
        in_turn
            .into_iter()
            .find(|carrier| !self.stops.contains_key(*carrier))
            .cloned()
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

impl Ward {
    /// Whether no order waits.
    fn is_idle(&self) -> bool {
        (0..LANES).all(|lane| self.vitals.queue(lane).orders == 0)
    }
}

/// Hands back the orders of a carrier until `stop`.
async fn hand_back(settings: Settings, deps: Deps, lease: Lease, stop: Stop) -> Abandoned {
    let (wire, plug) = link::wire();
    let mut helpers = Tasks::new();
    helpers.spawn(absent::run(plug));
    let abandoned = Pump::new(settings, &deps, lease, wire, &mut helpers).run(stop).await;
    helpers.join_all().await;
    abandoned
}

#[cfg(test)]
mod tests;

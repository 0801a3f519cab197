//! How one link is doing: written by its pump and intakes in passing, read by the heartbeat. Writing never waits.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use journey::LinkState;
use sms::{CarrierName, Lane, UnixMs};
use tokio::sync::{Notify, watch};

use crate::{
    directive::Conduct,
    trouble::{RoundTrips, Trouble},
};

/// Lanes of one carrier; intake number `carrier × LANES + lane` reads that lane of that carrier.
pub(crate) const LANES: usize = Lane::ALL.len();

/// The numbers of one link.
#[derive(Debug)]
pub(crate) struct Vitals {
    carriers: Vec<CarrierName>,
    state: Mutex<(LinkState, UnixMs)>,
    /// What the pump was ordered last, since when it heeds it, and whether a drain has come to its end.
    heeded: watch::Sender<Heeded>,
    /// Told when the state changes.
    news: Arc<Notify>,
    /// Whether nothing is claimed, for want of the store or of the lease.
    is_paused: AtomicBool,
    /// Connections that are up, where the link has several; above all that there are while it has not said.
    binds: AtomicU32,
    /// Parts a second that are this link's share of its account; 0 = not known.
    rate_limit: AtomicU32,
    /// Parts a second of the account, before it is shared; absent = no limit.
    rate: watch::Sender<Option<u32>>,
    window_slots: AtomicU32,
    window_used: AtomicU32,
    /// Orders claimed and not answered.
    in_flight: AtomicU64,
    /// Answers that no map knows.
    unmapped: AtomicU64,
    round_trips: Mutex<RoundTrips>,
    trouble: Mutex<Option<Trouble>>,
    /// Segments taken by each carrier.
    taken: Vec<AtomicU64>,
    /// One for each intake.
    lanes: Vec<LaneVitals>,
}

/// How far a link has come with what it was ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Heeded {
    /// What it was ordered.
    pub conduct: Conduct,
    /// Since when it does that.
    pub since: UnixMs,
    /// Whether it is disconnected after a drain.
    pub is_unplugged: bool,
}

/// The numbers of one lane of one carrier.
#[derive(Debug, Default)]
struct LaneVitals {
    /// Orders in the log that were not fetched, when they were last counted.
    unread: AtomicU64,
    /// Orders fetched since the start.
    fetched: AtomicU64,
    /// Orders that left the queue since the start, to be claimed.
    left: AtomicU64,
}

/// What waits in a lane, and how much has left it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Queue {
    /// Orders not claimed yet.
    pub orders: u64,
    /// Orders that left since the start.
    pub left: u64,
}

impl Vitals {
    /// A link that serves `carriers` and has been down since `now`; `news` is told when its state changes.
    pub(crate) fn new(carriers: Vec<CarrierName>, now: UnixMs, news: Arc<Notify>) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new((LinkState::Down, now)),
            heeded: watch::Sender::new(Heeded {
                conduct: Conduct::Open,
                since: now,
                is_unplugged: false,
            }),
            news,
            is_paused: AtomicBool::new(false),
            binds: AtomicU32::new(u32::MAX),
            rate_limit: AtomicU32::new(0),
            rate: watch::Sender::new(None),
            window_slots: AtomicU32::new(0),
            window_used: AtomicU32::new(0),
            in_flight: AtomicU64::new(0),
            unmapped: AtomicU64::new(0),
            round_trips: Mutex::default(),
            trouble: Mutex::default(),
            taken: carriers.iter().map(|_| AtomicU64::new(0)).collect(),
            lanes: (0..carriers.len() * LANES).map(|_| LaneVitals::default()).collect(),
            carriers,
        })
    }

    /// The link stands so from `now` on. One that drains never comes up again, and one that is gone stays so.
    pub(crate) fn stands(&self, state: LinkState, now: UnixMs) {
        let mut current = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_final = match current.0 {
            LinkState::Up | LinkState::Down => false,
            LinkState::Draining => state != LinkState::Gone,
            LinkState::Gone => true,
        };
        if current.0 != state && !is_final {
            *current = (state, now);
            self.news.notify_one();
        }
    }

    /// How the link stands for routers, and since when: one that an operator paused or drained takes nothing new, connected
    /// or not.
    pub(crate) fn state(&self) -> (LinkState, UnixMs) {
        let heeded = self.heeded();
        match self.connection() {
            (LinkState::Up | LinkState::Down, _) if heeded.conduct != Conduct::Open => {
                (LinkState::Draining, heeded.since)
            }
            stands => stands,
        }
    }

    /// How the link itself stands, whatever it was ordered, and since when.
    pub(crate) fn connection(&self) -> (LinkState, UnixMs) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The pump does what it was ordered from `now` on, or has disconnected.
    pub(crate) fn heeds(&self, conduct: Conduct, is_unplugged: bool, now: UnixMs) {
        let is_new = self.heeded.send_if_modified(|heeded| {
            let before = *heeded;
            if before.conduct != conduct || before.is_unplugged != is_unplugged {
                *heeded = Heeded {
                    conduct,
                    since: now,
                    is_unplugged,
                };
            }
            *heeded != before
        });
        if is_new {
            self.news.notify_one();
        }
    }

    /// What the pump was ordered last and does by now.
    pub(crate) fn heeded(&self) -> Heeded {
        *self.heeded.borrow()
    }

    /// Waits until the pump does as ordered.
    pub(crate) async fn until(&self, conduct: Conduct) {
        let mut heeded = self.heeded.subscribe();
        let _ = heeded.wait_for(|heeded| heeded.conduct == conduct).await;
    }

    /// The carriers served, in the order of their numbers.
    pub(crate) fn carriers(&self) -> &[CarrierName] {
        &self.carriers
    }

    /// Nothing is claimed until further notice, or is again.
    pub(crate) fn set_paused(&self, is_paused: bool) {
        self.is_paused.store(is_paused, Ordering::Relaxed);
    }

    /// Whether orders can leave the queue: the link is up, and they can be claimed.
    pub(crate) fn is_moving(&self) -> bool {
        self.state().0 == LinkState::Up && !self.is_paused.load(Ordering::Relaxed)
    }

    /// So many connections of several are up.
    pub(crate) fn set_binds(&self, binds: u32) {
        self.binds.store(binds, Ordering::Relaxed);
    }

    /// Connections that are up, of so many `wanted`.
    pub(crate) fn binds(&self, wanted: u32) -> u32 {
        self.binds.load(Ordering::Relaxed).min(wanted)
    }

    /// This link's share of its account is so many parts a second.
    pub(crate) fn set_rate_limit(&self, per_second: f64) {
        self.rate_limit.store((per_second as u32).max(1), Ordering::Relaxed);
    }

    /// The account bears so many parts a second at most; `None` = no limit.
    pub(crate) fn set_rate(&self, rate: Option<u32>) {
        self.rate_limit.store(0, Ordering::Relaxed);
        self.rate.send_replace(rate);
    }

    /// Parts a second that the account bears at most; `None` = no limit.
    pub(crate) fn rate(&self) -> Option<u32> {
        *self.rate.borrow()
    }

    /// Waits until the account bears so many.
    pub(crate) async fn until_rate(&self, rate: Option<u32>) {
        let _ = self.rate.subscribe().wait_for(|known| *known == rate).await;
    }

    /// Parts a second that the link may send; `None` = no limit.
    pub(crate) fn rate_limit(&self) -> Option<u32> {
        let rate = self.rate()?;
        Some(match self.rate_limit.load(Ordering::Relaxed) {
            0 => rate,
            share => share.min(rate),
        })
    }

    /// A part was answered so long after it was handed down.
    pub(crate) fn came_round(&self, after: Duration) {
        let mut round_trips = self.round_trips.lock().unwrap_or_else(PoisonError::into_inner);
        round_trips.count(after);
    }

    /// How long answers took of late.
    pub(crate) fn round_trips(&self) -> RoundTrips {
        self.round_trips.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Something went wrong.
    pub(crate) fn suffers(&self, trouble: Trouble) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(trouble);
    }

    /// What went wrong last.
    pub(crate) fn trouble(&self) -> Option<Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The carrier said something that no map knows.
    pub(crate) fn met_unmapped(&self) {
        self.unmapped.fetch_add(1, Ordering::Relaxed);
    }

    /// How often it did since the start.
    pub(crate) fn unmapped(&self) -> u64 {
        self.unmapped.load(Ordering::Relaxed)
    }

    /// So many orders are claimed and not answered.
    pub(crate) fn set_in_flight(&self, orders: usize) {
        self.in_flight.store(orders as u64, Ordering::Relaxed);
    }

    /// Orders that are claimed and not answered.
    pub(crate) fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Orders that wait in all lanes.
    pub(crate) fn queued(&self) -> u64 {
        (0..self.lanes.len()).map(|intake| self.queue(intake).orders).sum()
    }

    /// Segments that all carriers took since the start.
    pub(crate) fn taken_by_all(&self) -> u64 {
        self.taken.iter().map(|taken| taken.load(Ordering::Relaxed)).sum()
    }

    pub(crate) fn set_window(&self, slots: u32, used: u32) {
        self.window_slots.store(slots, Ordering::Relaxed);
        self.window_used.store(used, Ordering::Relaxed);
    }

    /// Slots of the window, and those in use.
    pub(crate) fn window(&self) -> (u32, u32) {
        (
            self.window_slots.load(Ordering::Relaxed),
            self.window_used.load(Ordering::Relaxed),
        )
    }

    /// The carrier of `intake` took a segment.
    pub(crate) fn took(&self, intake: usize) {
        self.taken[intake / LANES].fetch_add(1, Ordering::Relaxed);
    }

    /// Segments that carrier number `carrier` took since the start.
    pub(crate) fn taken(&self, carrier: usize) -> u64 {
        self.taken[carrier].load(Ordering::Relaxed)
    }

    /// The log holds this many orders that `intake` was not handed.
    pub(crate) fn set_unread(&self, intake: usize, orders: u64) {
        self.lanes[intake].unread.store(orders, Ordering::Relaxed);
    }

    /// `intake` fetched an order.
    pub(crate) fn fetched(&self, intake: usize) {
        self.lanes[intake].fetched.fetch_add(1, Ordering::Relaxed);
    }

    /// An order of `intake` left the queue.
    pub(crate) fn left(&self, intake: usize) {
        self.lanes[intake].left.fetch_add(1, Ordering::Relaxed);
    }

    /// What waits in a lane.
    pub(crate) fn queue(&self, intake: usize) -> Queue {
        let lane = &self.lanes[intake];
        // Read first, so that no order seems to have left before it came.
        let left = lane.left.load(Ordering::Relaxed);
        let fetched = lane.fetched.load(Ordering::Relaxed).saturating_sub(left);
        Queue {
            orders: lane.unread.load(Ordering::Relaxed) + fetched,
            left,
        }
    }
}

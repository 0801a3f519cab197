//! The pump of one link: takes orders from the log as fast as the carrier takes parts, claims them, sends them, and
//! reports what became of each.
//!
//! One task owns all of it and never waits for a single thing: reads, claims, publishes and the link itself answer when
//! they are ready, in batches. An order is claimed, and its claim safe, before a part of it reaches the link; its batch is
//! acked when the outcomes of all its orders are safe.

mod claiming;
mod conduct;
mod epochs;
mod groups;
mod intakes;
mod receipts;
mod sending;
mod tokens;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use bus::Topic;
use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use journey::{LinkState as Stand, OrderNumber};
use service::{
    Clock, Deps, LogTime, Stop, Tracer,
    time::{self, Instant},
};
use signalbox_proto::topics;
use sms::{Lane, MessageId, UnixMs};
use store::Store;
use tokio::sync::{mpsc, watch};
use tracing::{info, warn};

use crate::{
    account::Account,
    aside::Aside,
    correlations::Correlations,
    directive::{self, Conduct, Directive},
    flight::Flight,
    inbound::{Came, Inbound},
    intake::Fetched,
    lanes::Lanes,
    lease::Lease,
    link::{Command, Event, Line, Plug, Tag, Wire},
    metrics,
    outbox::Outbox,
    parts::{Cutting, Ready},
    rate::{Bucket, Share},
    receipts::Looked,
    roster::Roster,
    silence::Silence,
    trouble::Trouble,
    vitals::Vitals,
    window::Window,
};
use claiming::{Claimed, Hand, Pending};
use conduct::{Ordered, Plugged};
use epochs::Epochs;
use intakes::{Gate, Intake, Item};

pub(crate) use intakes::OPEN_MAX;

/// A link without a bind for so long answers orders as `LinkDown`; a shorter gap is waited out.
const DOWN_AFTER: Duration = Duration::from_secs(1);
/// Orders a second that a link without a bind hands back, or all wards of a caretaker together, urgent ones first as ever:
/// what a router decides anew in a small share of its time, so that the queue of one carrier holds up no traffic of the
/// others.
const RETURNS_PER_SECOND: u32 = 1_000;
/// How often a link without a bind looks whether somebody else serves its carriers.
const LOOK: Duration = Duration::from_millis(250);
/// Wait before looking again at what nothing will wake us for.
const IDLE: Duration = Duration::from_secs(3_600);
/// Least wait for rate tokens, so that a fast link sends batches.
const TOKENS_WAIT_MIN: Duration = Duration::from_millis(2);
/// The same where nothing waits but bulk.
const BULK_WAIT_MIN: Duration = Duration::from_millis(25);
/// Events taken from the link at once.
const EVENTS_MAX: usize = 64;

/// One order everywhere in the pump: message, number, and the intake, hence the carrier, it came by. Two carriers of one
/// link may be sent an order of the same number; what becomes of one says nothing about the other.
type OrderKey = (MessageId, OrderNumber, usize);

/// What a pump needs to know of its link.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Its name, for logs and metrics.
    pub link: Arc<str>,
    /// The carriers it serves.
    pub carriers: Vec<sms::CarrierName>,
    /// Parts that may be unanswered at once.
    pub window: u32,
    /// The same, whatever the rate is.
    pub window_max: u32,
    /// Parts a second on the carrier's account, over all connectors; absent = no limit.
    pub rate: Option<u32>,
    /// The same as configured: in force unless an operator orders another one.
    pub configured: Option<u32>,
    /// What operators order.
    pub directive: watch::Receiver<Directive>,
    /// Name of that account.
    pub account: Arc<str>,
    /// How messages are cut.
    pub cutting: Cutting,
    /// Longest wait for what is in flight when stopping.
    pub drain_limit: Duration,
    /// Where it tells how it is doing.
    pub vitals: Arc<Vitals>,
    /// What other connectors say of its carriers; absent = nobody else counts, and it never leaves a group.
    pub roster: Option<Roster>,
    /// The clock by which orders were stored.
    pub log_time: LogTime,
    /// The pumps that hand back at one rate altogether.
    pub returning: Share,
    /// The way in for messages from handsets.
    pub inbound: Inbound,
    /// Whether there is a link at all. Without one there is no gap to wait out.
    pub is_absent: bool,
}

/// Whether the link takes submissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LinkState {
    Up,
    Down { since: Instant },
}

/// Who learns that a record on its way to the log is safe.
#[derive(Clone, Copy, Debug)]
enum Safe {
    /// The order it answers.
    Order(OrderKey),
    /// The record of the log it stands for.
    Item(Item),
    /// Nobody.
    Nobody,
}

/// An order with the link, or about to be.
#[derive(Debug)]
struct Airborne {
    flight: Flight,
    key: OrderKey,
    /// Rate tokens taken with the claim and not used yet.
    prepaid: u32,
    /// When it was claimed at the earliest.
    since: UnixMs,
    is_queued: bool,
}

/// See the module.
pub(crate) struct Pump {
    settings: Settings,
    lease: Lease,
    store: Arc<dyn Store>,
    clock: Clock,
    tracer: Tracer,
    outcomes: Topic,
    dead: Topic,
    commands: Line,
    events: mpsc::UnboundedReceiver<Event>,
    /// Where the plug of a link goes that is begun anew; absent = it never is.
    plugs: Option<mpsc::UnboundedSender<Plug>>,
    ordered: Ordered,
    fetched: mpsc::UnboundedReceiver<Fetched>,
    intakes: Vec<Intake>,
    gate: Gate,
    waiting: Lanes<(Box<Ready>, Item)>,
    claiming: FuturesUnordered<BoxFuture<'static, Claimed>>,
    aside: Aside<Pending>,
    /// Every order from its claim until its outcome is safe, with all its records in the log.
    hands: HashMap<OrderKey, Hand>,
    epochs: Epochs,
    airborne: BTreeMap<u64, Airborne>,
    flight_next: u64,
    /// Orders reported as unknown that the carrier may still answer.
    late: BTreeMap<u64, Flight>,
    /// Orders whose parts may be sent, urgent ones and others: these never wait behind those.
    sendable: [VecDeque<u64>; 2],
    held: BTreeMap<(Instant, u64), ()>,
    window: Window,
    /// Parts that the link has room for at the moment.
    room: u32,
    silence: Silence,
    /// The part whose answer is timed, and since when.
    timed: Option<(Tag, Instant)>,
    bucket: Bucket,
    /// Where its tokens come from; absent = there is no limit.
    account: Option<Account>,
    /// Tokens of orders that may be handed back.
    returns: Bucket,
    state: LinkState,
    outbox: Outbox<Safe>,
    correlations: Correlations,
    receipts: mpsc::Sender<Vec<Looked>>,
    inbound: mpsc::Sender<Vec<Came>>,
    is_draining: bool,
}

/// What was left when a pump ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Abandoned {
    /// Orders claimed whose outcome is not safe; they are reported as unknown by whoever gets them next.
    pub orders: usize,
}

impl Pump {
    /// A pump over `wire`, with its receipts task in `tasks`.
    pub(crate) fn new(
        mut settings: Settings,
        deps: &Deps,
        lease: Lease,
        wire: Wire,
        tasks: &mut service::Tasks,
    ) -> Self {
        let now = time::now();
        let directive = *settings.directive.borrow_and_update();
        let plugged = match directive.conduct == Conduct::Drained && wire.plugs.is_some() {
            true => Plugged::Out,
            false => Plugged::In,
        };
        settings.vitals.set_rate(settings.rate);
        let (words, doubt) = lease.join();
        let (mut gate, fetched) = Gate::new(&settings, deps);
        let carriers = 0..settings.carriers.len();
        let intakes = carriers.flat_map(|number| gate.join(number, 0)).collect();
        let receipts = receipts::start(&settings, deps, wire.commands.clone(), tasks);
        let inbound = receipts::start_inbound(&settings, wire.commands.clone(), tasks);
        let mut pump = Self {
            window: Window::new(settings.window),
            room: u32::MAX,
            silence: Silence::default(),
            timed: None,
            plugs: wire.plugs,
            ordered: Ordered::nothing(settings.window_max, plugged),
            bucket: settings.rate.map_or(Bucket::new(None, now), |_| Bucket::leased(now)),
            account: tokens::account(&settings, &lease, &deps.store, &deps.clock),
            returns: Bucket::new(Some(RETURNS_PER_SECOND), now),
            outbox: Outbox::new(Arc::clone(&deps.bus)),
            aside: Aside::new(Arc::clone(&deps.store)),
            store: Arc::clone(&deps.store),
            clock: deps.clock.clone(),
            tracer: deps.tracer.clone(),
            outcomes: topics::outcomes(),
            dead: topics::dead(),
            commands: wire.commands,
            events: wire.events,
            fetched,
            intakes,
            gate,
            waiting: Lanes::default(),
            claiming: FuturesUnordered::new(),
            hands: HashMap::new(),
            epochs: Epochs::new(words, doubt),
            airborne: BTreeMap::new(),
            flight_next: 0,
            late: BTreeMap::new(),
            sendable: [VecDeque::new(), VecDeque::new()],
            held: BTreeMap::new(),
            state: LinkState::Down { since: now },
            correlations: Correlations::default(),
            receipts,
            inbound,
            is_draining: false,
            lease,
            settings,
        };
        pump.heed();
        pump.obey(directive);
        pump
    }

    /// Runs until `stop`, then drains: what is in flight is answered, reported and acked within the drain limit, and the
    /// link says goodbye.
    pub(crate) async fn run(mut self, stop: Stop) -> Abandoned {
        let (mut events, mut fetched) = (Vec::new(), Vec::new());
        let requested = stop.requested();
        tokio::pin!(requested);
        let mut give_up_at = None;
        self.advance();
        loop {
            let wake = give_up_at.unwrap_or_else(|| time::now() + IDLE).min(self.wake_at());
            tokio::select! {
                biased;
                safe = self.outbox.next() => self.on_safe(safe),
                word = self.epochs.word() => self.on_word(word),
                directive = directive::changed(&mut self.settings.directive) => self.obey(directive),
                claimed = next_of(&mut self.claiming) => self.on_claimed(claimed),
                lives = self.aside.looked() => self.on_looked(&lives),
                leased = tokens::answered(&mut self.account) => self.on_leased(leased),
                count = self.events.recv_many(&mut events, EVENTS_MAX), if self.ordered.plugged != Plugged::Out => {
                    events.drain(..).for_each(|event| self.on_event(event));
                    if count == 0 && !self.on_unplugged() {
                        break;
                    }
                }
                _ = self.fetched.recv_many(&mut fetched, EVENTS_MAX), if !self.is_draining => {
                    fetched.drain(..).for_each(|fetched| self.on_fetched(fetched));
                }
                () = &mut requested, if !self.is_draining => {
                    give_up_at = Some(time::now() + self.settings.drain_limit);
                    self.drain();
                }
                () = time::sleep_until(wake) => {}
            }
            self.advance();
            if self.is_draining && (self.is_quiet() || give_up_at.is_some_and(|at| time::now() >= at)) {
                break;
            }
        }
        self.leave().await
    }

    /// Everything that may be done now.
    fn advance(&mut self) {
        let (now, wall) = (time::now(), self.clock.now());
        self.bucket.fill(now);
        self.returns.fill(now);
        let is_returning = !self.waiting.is_empty() && self.is_down(now);
        self.settings.returning.set_used(is_returning);
        self.returns.set_rate(self.settings.returning.of(RETURNS_PER_SECOND));
        self.choose_groups(now);
        self.release_held(now);
        self.silence.look(now);
        self.window.set_overdue(self.silence.overdue());
        self.send(now, wall);
        self.start_claims(now, wall);
        self.unplug(now);
        self.lease_tokens(now);
        if self.epochs.is_paused() {
            self.fall_quiet();
        } else {
            self.aside.look(now);
        }
        self.outbox.flush(now);
        self.settle_intakes();
        let is_paused = self.epochs.is_paused() || !self.lease.is_held(wall);
        self.settings.vitals.set_paused(is_paused);
        self.settings.vitals.set_window(self.window.limit(), self.window.used());
        self.settings.vitals.set_in_flight(self.hands.len());
        metrics::load(&self.settings.link, self.window.limit(), self.hands.len());
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Up => {
                info!(link = %self.settings.link, "link is up");
                metrics::link_up(&self.settings.link, true);
                self.state = LinkState::Up;
                self.stands(Stand::Up);
            }
            Event::Down { reason } => {
                self.suffers(&reason);
                if self.state == LinkState::Up {
                    warn!(link = %self.settings.link, %reason, "link is down");
                    self.state = LinkState::Down { since: time::now() };
                    self.stands(Stand::Down);
                }
                metrics::link_up(&self.settings.link, false);
            }
            Event::Trouble { reason } => self.suffers(&reason),
            Event::Answers(answers) => self.on_answers(answers),
            Event::Room { binds, slots } => {
                self.room = slots;
                self.window.set_slots_max(slots.min(self.settings.window));
                self.settings.vitals.set_binds(binds);
            }
            Event::Receipts(arrived) => self.on_receipts(arrived),
            Event::Inbound(came) => self.on_inbound(came),
            Event::Congestion(state) => self.on_congestion(state),
        }
    }

    /// Lets people know what went wrong.
    fn suffers(&self, words: &str) {
        if self.ordered.plugged == Plugged::In && !self.is_draining {
            self.settings.vitals.suffers(Trouble::new(words, self.clock.now()));
        }
    }

    /// Lets routers know.
    fn stands(&self, state: Stand) {
        self.settings.vitals.stands(state, self.clock.now());
    }

    /// Records on their way to the log are safe: their orders are done.
    fn on_safe(&mut self, safe: Vec<Safe>) {
        for safe in safe {
            match safe {
                Safe::Order(key) => self.done(key),
                Safe::Item(item) => self.item_done(item),
                Safe::Nobody => {}
            }
        }
    }

    /// An order needs nothing more; every record of it in the log may be acked.
    fn done(&mut self, key: OrderKey) {
        let Some(Hand { items, claim, .. }) = self.hands.remove(&key) else {
            return;
        };
        items.into_iter().for_each(|item| self.item_done(item));
        if let Some(claim) = claim {
            self.epochs.answered(claim, self.clock.now(), self.lease.confirmed());
        }
    }

    /// Whether what waits is handed back: the link has been down for a while, or an operator drains it.
    fn is_down(&self, now: Instant) -> bool {
        if self.ordered.conduct == Conduct::Drained {
            return true;
        }
        let is_given_up = self.is_draining || self.settings.is_absent;
        matches!(self.state, LinkState::Down { since } if is_given_up || now.duration_since(since) >= DOWN_AFTER)
    }

    /// When to look again at the latest.
    fn wake_at(&self) -> Instant {
        let now = time::now();
        let waits = !self.is_held() && (!self.waiting.is_empty() || self.epochs.is_deferring());
        let has_work = waits || self.sendable.iter().any(|line| !line.is_empty());
        let is_watching = self.settings.roster.is_some();
        let is_returning = self.is_down(now);
        let link = match self.state {
            LinkState::Down { since } if (has_work || is_watching) && !is_returning => Some(since + DOWN_AFTER),
            _ if is_returning && waits && !self.returns.is_open(Lane::Bulk) => {
                Some(now + self.opens_in(&self.returns).max(TOKENS_WAIT_MIN))
            }
            _ if is_watching && (is_returning || self.is_held()) => Some(now + LOOK),
            LinkState::Up if has_work && !self.bucket.holds(BULK_WAIT_MIN) => {
                let least = if self.is_all_bulk() {
                    BULK_WAIT_MIN
                } else {
                    TOKENS_WAIT_MIN
                };
                Some(now + self.opens_in(&self.bucket).max(least))
            }
            _ => None,
        };
        let wall = self.clock.now();
        // It may lapse, or be there again, and nobody tells.
        let lease = waits.then(|| now + crate::lease::LEASE_RENEWAL);
        let doubt = self.epochs.doubt.lasts(wall);
        let settled = (self.epochs.is_deferring() && !doubt.is_zero()).then(|| now + doubt);
        let aside = self.aside.look_at().filter(|_| !self.epochs.is_paused());
        let held = self.held.first_key_value().map(|((at, _), ())| *at);
        let outbox = self.outbox.due();
        let tokens = self.leases_at();
        let is_full = has_work && self.window.is_cut() && self.window.free(Lane::Bulk) == 0;
        let silence = self.silence.look_at().filter(|_| is_full);
        let cut = self.ordered.cut_at.filter(|_| self.ordered.plugged == Plugged::In);
        [cut, link, lease, held, settled, aside, outbox, tokens, silence]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(now + IDLE)
    }

    /// How long until `bucket` has something for what waits: sooner where urgent orders are among it.
    fn opens_in(&self, bucket: &Bucket) -> Duration {
        let has_urgent = self.waiting.has_urgent() || !self.sendable[0].is_empty();
        let lane = match has_urgent && !bucket.is_open(Lane::Urgent) {
            true => Lane::Urgent,
            false => Lane::Bulk,
        };
        bucket.opens_in(lane)
    }

    /// Whether nothing waits to be claimed or sent but bulk.
    fn is_all_bulk(&self) -> bool {
        self.waiting.is_all_bulk() && self.sendable.iter().all(VecDeque::is_empty)
    }

    fn drain(&mut self) {
        self.is_draining = true;
        self.stands(Stand::Draining);
        self.waiting.clear();
        for key in self.epochs.forget_deferred() {
            self.hands.remove(&key);
        }
        self.stop_intakes();
        self.end_holds();
    }

    /// Whether nothing claimed is without a safe outcome.
    fn is_quiet(&self) -> bool {
        self.airborne.is_empty() && self.claiming.is_empty() && self.outbox.len() == 0
    }

    /// Closes the link; receipts are served until it is closed.
    async fn leave(mut self) -> Abandoned {
        let until = time::now() + self.settings.drain_limit;
        let abandoned = Abandoned {
            orders: self.hands.len() - self.aside.len(),
        };
        self.epochs.leave();
        // Intakes end once they acked what they were asked to.
        self.intakes.clear();
        self.fetched.close();
        self.commands.send(Command::Close);
        let closing = async {
            while let Some(event) = self.events.recv().await {
                self.on_event(event);
            }
        };
        if time::timeout(until.duration_since(time::now()), closing)
            .await
            .is_none()
        {
            warn!("a link did not close in time");
        }
        metrics::link_up(&self.settings.link, false);
        self.stands(Stand::Gone);
        if time::timeout(until.duration_since(time::now()), self.gate.closed())
            .await
            .is_none()
        {
            warn!("acks were not finished in time; what they concern comes again");
        }
        abandoned
    }
}

async fn next_of<T>(futures: &mut FuturesUnordered<BoxFuture<'static, T>>) -> T {
    match futures.next().await {
        Some(output) => output,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;

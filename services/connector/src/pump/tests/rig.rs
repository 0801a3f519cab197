//! A connector of one link, whose carrier is the test.

use std::{sync::Arc, time::Duration};

use journey::Order;
use service::{LogTime, Stop, StopHandle, Tasks, time};
use tokio::sync::{mpsc, watch};

use crate::{
    Incarnation, Rule,
    directive::{Conduct, Directive},
    epochs,
    fixture::{World, carrier},
    lease::Lease,
    link::{self, Answer, Command, Event, Job, Plug, Reply, Verdict},
    pump::{Abandoned, Pump, Settings},
    rate::Share,
    vitals::Vitals,
};

/// The lease of run number `run`, held.
pub(super) async fn held(world: &World, run: u64) -> Lease {
    let lease = Lease::new(Incarnation::new(run));
    epochs::begin(&lease, &world.deps.store, &world.deps.clock)
        .await
        .unwrap();
    lease
}

/// The keeper of `lease`.
pub(super) fn kept(world: &World, lease: &Lease) -> Tasks {
    let mut keeper = Tasks::new();
    let (store, clock) = (Arc::clone(&world.deps.store), world.deps.clock.clone());
    keeper.spawn(lease.clone().keep(store, clock));
    keeper
}

/// A connector of one link, whose carrier is the test.
pub(super) struct Rig {
    pub(super) world: World,
    pub(super) plug: Plug,
    /// Plugs of links that are begun anew.
    pub(super) plugs: mpsc::UnboundedReceiver<Plug>,
    pub(super) directive: watch::Sender<Directive>,
    pub(super) vitals: Arc<Vitals>,
    pub(super) stop: StopHandle,
    pub(super) pump: Tasks<Abandoned>,
    pub(super) _helpers: Tasks,
}

impl Rig {
    /// Run number `run` with a window of 10 and no rate; the link is up.
    pub(super) async fn up(world: &World, run: u64) -> Self {
        let rig = Self::down(world, run, |_| {}).await;
        rig.tell(Event::Up);
        rig
    }

    pub(super) async fn up_with(world: &World, change: impl FnOnce(&mut Settings)) -> Self {
        let rig = Self::down(world, 1, change).await;
        rig.tell(Event::Up);
        rig
    }

    pub(super) async fn down(world: &World, run: u64, change: impl FnOnce(&mut Settings)) -> Self {
        let lease = held(world, run).await;
        let keeper = kept(world, &lease);
        Self::of_lease(world, lease, keeper, change)
    }

    /// A pump that joins a lease that is kept already.
    pub(super) fn of_lease(
        world: &World,
        lease: Lease,
        mut helpers: Tasks,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let mut settings = Settings {
            link: "atlas".into(),
            carriers: vec![carrier("atlas")],
            window: 10,
            window_max: 10,
            rate: None,
            configured: None,
            directive: crate::directive::none(),
            account: "atlas".into(),
            cutting: crate::parts::Cutting::default(),
            drain_limit: Duration::from_secs(35),
            vitals: Vitals::new(Vec::new(), world.deps.clock.now(), Arc::default()),
            roster: None,
            log_time: log_time(world),
            returning: Share::default(),
            inbound: crate::inbound::Inbound::new(world.deps.clone()),
            is_absent: false,
        };
        let directive = watch::Sender::default();
        settings.directive = directive.subscribe();
        change(&mut settings);
        settings.vitals = Vitals::new(settings.carriers.clone(), world.deps.clock.now(), Arc::default());
        let (mut wire, plug) = link::wire();
        let (to_plugs, plugs) = mpsc::unbounded_channel();
        wire.plugs = Some(to_plugs);
        let vitals = Arc::clone(&settings.vitals);
        settings.configured = settings.rate;
        let pump = Pump::new(settings, &world.deps, lease, wire, &mut helpers);
        let (stop, stopped) = Stop::new();
        let mut tasks = Tasks::new();
        tasks.spawn(pump.run(stopped));
        Self {
            world: world.clone(),
            plug,
            plugs,
            directive,
            vitals,
            stop,
            pump: tasks,
            _helpers: helpers,
        }
    }

    /// An operator orders.
    pub(super) fn order(&self, conduct: Conduct) {
        self.directive.send_modify(|directive| directive.conduct = conduct);
    }

    pub(super) fn order_rate(&self, rate: Option<u32>) {
        self.directive.send_modify(|directive| directive.rate = rate);
    }

    pub(super) fn tell(&self, event: Event) {
        self.plug.events.send(event).unwrap();
    }

    /// The next parts handed to the link, within a minute.
    pub(super) async fn jobs(&mut self) -> Vec<Job> {
        match time::timeout(Duration::from_secs(60), self.plug.commands.recv()).await {
            Some(Some(Command::Submit(jobs))) => jobs,
            other => panic!("expected parts, got {other:?}"),
        }
    }

    pub(super) async fn job(&mut self) -> Job {
        let mut jobs = self.jobs().await;
        assert_eq!(jobs.len(), 1, "{jobs:?}");
        jobs.remove(0)
    }

    pub(super) async fn replies(&mut self) -> Vec<Reply> {
        match time::timeout(Duration::from_secs(60), self.plug.commands.recv()).await {
            Some(Some(Command::Reply(replies))) => replies,
            other => panic!("expected replies, got {other:?}"),
        }
    }

    /// Nothing reaches the link for a while.
    pub(super) async fn assert_silent(&mut self, seconds: u64) {
        let heard = time::timeout(Duration::from_secs(seconds), self.plug.commands.recv()).await;
        assert!(heard.is_none(), "{heard:?}");
    }

    pub(super) fn answer(&self, job: &Job, verdict: Verdict) {
        self.tell(Event::Answers(vec![Answer { tag: job.tag, verdict }]));
    }

    pub(super) async fn said(&self) -> Vec<String> {
        settle().await;
        self.world.said().await
    }
}

/// Lets everything that is ready happen.
pub(super) async fn settle() {
    time::sleep(Duration::from_millis(12)).await;
}

pub(super) fn taken(id: &str) -> Verdict {
    Verdict::Taken {
        charge: None,
        remote_id: id.to_owned(),
    }
}

pub(super) fn refused(action: &str) -> Verdict {
    Verdict::Refused {
        rule: Rule {
            action: action.parse().unwrap(),
            code: "word",
        },
        detail: "ESME_X".to_owned(),
        retry_after: None,
    }
}

pub(super) async fn world_with(orders: &[Order]) -> World {
    let world = World::new(&["atlas"]).await;
    world.publish(orders).await;
    world
}

/// The clock of the log of `world`.
fn log_time(world: &World) -> LogTime {
    let log_time = LogTime::default();
    log_time.hear(world.deps.clock.now(), time::now());
    log_time
}

//! What routers hear of a whole connector over a simulated carrier, under virtual time.

use std::sync::atomic::Ordering;

use service::{Stop, StopHandle, Tasks};

use super::*;
use crate::{
    Deps, Error, LinkKind,
    fixture::{World, carrier, connector_of, order},
    simulator::{Hub, SimulatorConfig},
};

/// A connector, and a router that hears it.
struct Heard {
    world: World,
    hub: Hub,
    stop: StopHandle,
    service: Tasks<Result<(), Error>>,
    reader: Box<dyn bus::Read>,
}

impl Heard {
    async fn start(world: &World, carriers: &[&str], change: impl FnOnce(&mut crate::Config)) -> Self {
        let kind = LinkKind::Simulator(SimulatorConfig::default());
        let link = LinkConfig::new("atlas", carriers.iter().map(|name| carrier(name)).collect(), kind);
        let mut config = connector_of(link);
        change(&mut config);
        let hub = Hub::recording();
        let deps = Deps {
            shell: world.deps.clone(),
            simulators: hub.clone(),
        };
        let topic = topics::carriers();
        let reader = world.deps.bus.read(&topic, bus::Position::End).await.unwrap();
        let (stop, stopped) = Stop::new();
        let mut service = Tasks::new();
        service.spawn(crate::run(config, deps, stopped));
        Self {
            world: world.clone(),
            hub,
            stop,
            service,
            reader,
        }
    }

    /// What was said within the next `millis`, with the time of each word.
    async fn after(&mut self, millis: u64) -> Vec<(CarrierReport, UnixMs)> {
        time::sleep(Duration::from_millis(millis)).await;
        let stored = self.reader.poll(1_000).await.unwrap();
        let read = |stored: &bus::Stored| {
            let report = record::carrier_from_bytes(&stored.value).unwrap();
            (report, UnixMs(stored.stored_at_ms))
        };
        stored.iter().map(read).collect()
    }

    /// The last word within the next `millis`.
    async fn last(&mut self, millis: u64) -> CarrierReport {
        self.after(millis).await.pop().expect("something was said").0
    }
}

#[tokio::test(start_paused = true)]
async fn every_carrier_is_spoken_of_every_second() {
    let world = World::new(&["atlas", "borealis"]).await;
    let mut heard = Heard::start(&world, &["atlas", "borealis"], |_| {}).await;
    heard.after(500).await;
    for _ in 0..3 {
        let said = heard.after(1_000).await;
        let names: Vec<_> = said.iter().map(|(report, _)| report.carrier.as_str()).collect();
        assert_eq!(names, ["atlas", "borealis"]);
        let report = &said[0].0;
        assert_eq!((report.state, report.link.as_str()), (LinkState::Up, "atlas"));
        assert_eq!(report.binds, Some(Binds { up: 1, wanted: 1 }));
        assert_eq!((report.window_slots, report.window_used), (10, 0));
        assert_eq!(
            report.lanes[0],
            LaneLoad {
                orders: 0,
                wait: Some(Duration::ZERO)
            }
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_link_that_changes_is_told_at_once_and_a_drain_ends_with_gone() {
    let world = World::new(&["atlas"]).await;
    let mut heard = Heard::start(&world, &["atlas"], |_| {}).await;
    heard.after(1_500).await;
    let change = world.deps.clock.now();
    heard.hub.cut("atlas");
    let (report, at) = heard.after(20).await.pop().expect("told before the next second");
    assert_eq!((report.state, report.since), (LinkState::Down, change));
    assert_eq!((at, report.lanes[1].wait), (change, None));
    heard.hub.mend("atlas");
    while heard.last(100).await.state != LinkState::Up {}
    heard.stop.request();
    heard.service.join_next().await.unwrap().unwrap().unwrap();
    let words: Vec<_> = heard
        .after(0)
        .await
        .into_iter()
        .map(|(report, _)| report.state)
        .collect();
    assert_eq!(words.last(), Some(&LinkState::Gone), "{words:?}");
}

#[tokio::test(start_paused = true)]
async fn a_drain_says_so_while_it_waits_for_answers() {
    let world = World::new(&["atlas"]).await;
    let mut heard = Heard::start(&world, &["atlas"], |config| {
        config.links[0].kind = LinkKind::Simulator(SimulatorConfig {
            latency: Duration::from_secs(5),
            ..SimulatorConfig::default()
        });
    })
    .await;
    world.publish(&[order(1)]).await;
    heard.after(1_500).await;
    heard.stop.request();
    let report = heard.last(20).await;
    assert_eq!((report.state, report.window_used), (LinkState::Draining, 1));
    assert_eq!(heard.last(2_000).await.state, LinkState::Draining);
    assert_eq!(heard.last(5_000).await.state, LinkState::Gone);
}

#[tokio::test(start_paused = true)]
async fn a_backlog_is_told_with_the_wait_behind_it() {
    let world = World::new(&["atlas"]).await;
    let orders: Vec<_> = (1..=1_000).map(order).collect();
    world.publish(&orders).await;
    let mut heard = Heard::start(&world, &["atlas"], |config| config.links[0].rate = Some(10)).await;
    let report = heard.last(6_100).await;
    let [urgent, normal, bulk] = report.lanes;
    assert_eq!((urgent, urgent.wait), (bulk, Some(Duration::ZERO)));
    assert!((930..=945).contains(&normal.orders), "{normal:?}");
    let seconds = normal.wait.unwrap().as_secs_f64();
    assert!((88.0..102.0).contains(&seconds), "{seconds}");
    assert!((9.0..=11.0).contains(&report.taken_per_second), "{report:?}");
    assert_eq!(report.rate_limit, Some(10));
}

#[tokio::test(start_paused = true)]
async fn a_carrier_that_takes_nothing_makes_the_wait_grow() {
    let world = World::new(&["atlas"]).await;
    let mut heard = Heard::start(&world, &["atlas"], |config| {
        config.links[0].kind = LinkKind::Simulator(SimulatorConfig {
            latency: Duration::from_secs(60),
            ..SimulatorConfig::default()
        });
    })
    .await;
    // Their answers are waited for longer than the test lasts.
    world.publish(&(1..=30).map(order).collect::<Vec<_>>()).await;
    heard.after(1_900).await;
    let [_, first, _] = heard.last(1_000).await.lanes;
    assert_eq!(first.orders, 21, "a window of them is with the carrier, but for a slot");
    let [_, later, _] = heard.last(10_000).await.lanes;
    assert!(later.wait > Some(Duration::from_secs(9)), "{first:?}, {later:?}");
}

#[tokio::test(start_paused = true)]
async fn a_log_that_is_away_costs_heartbeats_and_nothing_else() {
    let world = World::new(&["atlas"]).await;
    let mut heard = Heard::start(&world, &["atlas"], |_| {}).await;
    heard.after(1_500).await;
    heard.world.bus_away.store(true, Ordering::Relaxed);
    assert!(heard.after(5_000).await.is_empty());
    heard.world.bus_away.store(false, Ordering::Relaxed);
    assert_eq!(heard.last(1_000).await.state, LinkState::Up);
}

#[tokio::test(start_paused = true)]
async fn a_named_connector_keeps_one_word_for_each_carrier_over_restarts() {
    let world = World::new(&["atlas"]).await;
    for _ in 0..3 {
        let mut heard = Heard::start(&world, &["atlas"], |config| config.instance = Some("one".into())).await;
        heard.after(2_500).await;
        heard.stop.request();
        heard.service.join_next().await.unwrap().unwrap().unwrap();
    }
    let kept = world.values(&topics::carriers()).await;
    let states: Vec<_> = kept
        .iter()
        .map(|value| record::carrier_from_bytes(value).unwrap().state)
        .collect();
    assert_eq!(states, [LinkState::Gone]);
}

#[tokio::test(start_paused = true)]
async fn a_connector_waits_for_a_log_that_is_away_at_the_start() {
    let world = World::new(&["atlas"]).await;
    world.bus_away.store(true, Ordering::Relaxed);
    let mut heard = Heard::start(&world, &["atlas"], |_| ()).await;
    assert!(heard.after(7_000).await.is_empty());
    world.bus_away.store(false, Ordering::Relaxed);
    assert!(!heard.after(2_000).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_connector_without_topics_ends_when_asked_to() {
    let world = World::new(&["atlas"]).await;
    world.bus_away.store(true, Ordering::Relaxed);
    let mut heard = Heard::start(&world, &["atlas"], |_| ()).await;
    heard.after(1_000).await;
    heard.stop.request();
    heard.service.join_next().await.unwrap().unwrap().unwrap();
}

//! Two connectors of one carrier, one of which loses its link.

use std::collections::BTreeSet;

use service::{Stop, StopHandle, Tasks};

use super::*;
use crate::{
    Error, LinkConfig, LinkKind,
    fixture::connector_of,
    simulator::{Hub, SimulatorConfig},
};

/// Connectors `one` and `two` of atlas, each with a link of its name; `one` is first in the group and reads all there is.
struct Pair {
    world: World,
    hub: Hub,
    one: Option<Connector>,
    two: Option<Connector>,
}

/// It dies when it is dropped.
struct Connector {
    _stop: StopHandle,
    _tasks: Tasks<Result<(), Error>>,
}

impl Pair {
    /// The carrier behaves as told towards `one`, which has such a rate.
    async fn start(behaviour: &SimulatorConfig, rate: Option<u32>) -> Self {
        let mut pair = Self {
            world: World::new(&["atlas"]).await,
            hub: Hub::recording(),
            one: None,
            two: None,
        };
        pair.one = Some(pair.connector("one", behaviour, rate));
        settle().await;
        pair.two = Some(pair.connector("two", &SimulatorConfig::default(), None));
        pair.after(3.0).await;
        pair
    }

    fn connector(&self, name: &str, behaviour: &SimulatorConfig, rate: Option<u32>) -> Connector {
        let kind = LinkKind::Simulator(behaviour.clone());
        let config = connector_of(LinkConfig {
            rate,
            ..LinkConfig::new(name, vec![carrier("atlas")], kind)
        });
        let deps = crate::Deps {
            shell: self.world.process().deps,
            simulators: self.hub.clone(),
        };
        let (stop, stopped) = Stop::new();
        let mut tasks = Tasks::new();
        tasks.spawn(crate::run(config, deps, stopped));
        Connector {
            _stop: stop,
            _tasks: tasks,
        }
    }

    async fn publish(&self, ids: std::ops::RangeInclusive<u128>) {
        self.world.publish(&ids.map(order).collect::<Vec<_>>()).await;
    }

    async fn after(&self, seconds: f64) -> Vec<String> {
        time::sleep(Duration::from_secs_f64(seconds)).await;
        self.world.said().await
    }

    /// The links that messages `ids` went over.
    fn links_of(&self, ids: std::ops::RangeInclusive<u128>) -> BTreeSet<String> {
        let submitted = self.hub.submitted().into_iter();
        submitted
            .filter(|part| ids.contains(&part.message.0.as_u128()))
            .map(|part| part.link)
            .collect()
    }
}

fn links<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

#[tokio::test(start_paused = true)]
async fn a_link_that_is_down_leaves_what_waits_to_another_connector() {
    let pair = Pair::start(&SimulatorConfig::default(), None).await;
    pair.publish(1..=5).await;
    assert_eq!(pair.after(0.5).await.len(), 5);
    assert_eq!(pair.links_of(1..=5), links(["one"]));
    pair.hub.cut("one");
    pair.publish(11..=110).await;
    assert_eq!(pair.after(0.9).await.len(), 5, "a short gap is waited out");
    let said = pair.after(1.0).await;
    assert_eq!(said.len(), 105);
    assert!(said.iter().all(|said| said.contains("accepted")), "{said:?}");
    assert_eq!(pair.links_of(11..=110), links(["two"]));
    pair.hub.mend("one");
    pair.after(2.0).await;
    pair.hub.cut("two");
    pair.publish(111..=120).await;
    let said = pair.after(2.0).await;
    assert!(said[105..].iter().all(|said| said.contains("accepted")), "{said:?}");
    assert_eq!(
        (said.len(), pair.links_of(111..=120)),
        (115, links(["one"])),
        "it takes part again once its link is up"
    );
}

#[tokio::test(start_paused = true)]
async fn the_last_connector_hands_back_though_both_are_down() {
    let pair = Pair::start(&SimulatorConfig::default(), None).await;
    pair.hub.cut("one");
    pair.after(3.0).await;
    pair.hub.cut("two");
    pair.publish(1..=40).await;
    let said = pair.after(3.0).await;
    assert_eq!(said.len(), 40);
    assert!(said.iter().all(|said| said.ends_with("link_down no_link")), "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn a_connector_that_left_its_orders_to_one_that_died_hands_them_back() {
    let mut pair = Pair::start(&SimulatorConfig::default(), None).await;
    pair.hub.cut("one");
    pair.after(3.0).await;
    pair.two = None;
    pair.after(0.1).await;
    pair.publish(1..=40).await;
    assert_eq!(pair.after(7.0).await, [""; 0]);
    let said = pair.after(3.0).await;
    assert_eq!(said.len(), 40);
    assert!(said.iter().all(|said| said.ends_with("link_down no_link")), "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn what_was_claimed_is_answered_once_by_whoever_claimed_it() {
    let slow = SimulatorConfig {
        latency: Duration::from_millis(500),
        ..SimulatorConfig::default()
    };
    let pair = Pair::start(&slow, None).await;
    pair.publish(1..=30).await;
    settle().await;
    pair.hub.cut("one");
    let said = pair.after(100.0).await;
    let count = |word: &str| said.iter().filter(|said| said.contains(word)).count();
    assert_eq!(
        (said.len(), count("unknown"), count("accepted")),
        (30, 9, 21),
        "a window of them was with the carrier: {said:?}"
    );
    assert_eq!(pair.links_of(1..=30), links(["one", "two"]));
    assert_eq!(pair.hub.submitted().len(), 30, "nothing was sent twice");
    pair.hub.mend("one");
    pair.publish(31..=60).await;
    assert_eq!(pair.after(10.0).await.len(), 60);
    assert_eq!(pair.hub.submitted().len(), 60);
}

/// What the first had sent comes again at the second, which leaves it to the first for as long as to anybody who lives: what
/// the first has to say may not be out yet.
#[tokio::test(start_paused = true)]
async fn what_another_connector_claimed_is_left_to_it_though_its_link_is_down() {
    // Two of ten that were read together are sent.
    let mut pair = Pair::start(&SimulatorConfig::default(), Some(20)).await;
    pair.publish(1..=30).await;
    settle().await;
    pair.hub.cut("one");
    pair.after(2.0).await;
    pair.publish(31..=1_000).await;
    assert_eq!(pair.after(65.0).await.len(), 1_000);
    assert_eq!(pair.hub.submitted().len(), 1_000, "nothing was sent twice");
    pair.one = None;
    pair.two = Some(pair.connector("three", &SimulatorConfig::default(), None));
    assert_eq!(
        pair.after(10.0).await.len(),
        1_000,
        "all of it is acked, and does not come again"
    );
}

/// Its link has been down for long, and it dies before what it has to say is out.
#[tokio::test(start_paused = true)]
async fn what_a_connector_without_a_link_claimed_is_unknown_if_it_dies_within_a_minute() {
    let world = World::new(&["atlas"]).await;
    let owner = rig::held(&world, 2).await;
    let keeper = rig::kept(&world, &owner);
    let claim = crate::claims::claim(&order(1), owner.incarnation(), 0);
    world.deps.store.apply(vec![claim]).await.unwrap().1.await.unwrap();
    world.publish(&[order(1)]).await;
    let mut rig = Rig::up(&world, 1).await;
    rig.assert_silent(30).await;
    assert_eq!(rig.said().await, [""; 0]);
    drop(keeper);
    rig.assert_silent(7).await;
    assert_eq!(rig.said().await, ["1 unknown"]);
}

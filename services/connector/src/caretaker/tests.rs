//! The caretaker beside connectors over simulated carriers, under virtual time.

use journey::Order;
use sms::Class;

use super::*;
use crate::{
    Config, LinkConfig, LinkKind,
    fixture::{World, carrier, connector_of, order},
    simulator::{Hub, SimulatorConfig},
};

/// A connector of one carrier with a window of ten; it dies when it is dropped.
struct Served {
    stop: StopHandle,
    tasks: Tasks<Result<(), crate::Error>>,
}

/// Connectors and caretakers on one world.
struct Stage {
    world: World,
    hub: Hub,
    caretakers: Vec<(StopHandle, Tasks)>,
    _borealis: Served,
}

fn link(name: &str, config: SimulatorConfig) -> Config {
    connector_of(LinkConfig::new(name, vec![carrier(name)], LinkKind::Simulator(config)))
}

impl Stage {
    /// One caretaker for each of `tables`, which names carriers; borealis is served.
    async fn new(tables: &[&[&str]]) -> Self {
        let world = World::new(&["atlas", "borealis", "cirrus"]).await;
        let hub = Hub::recording();
        let borealis = serve(&world, &hub, link("borealis", SimulatorConfig::default()));
        let caretakers = tables.iter().map(|names| caretaker(&world, names)).collect();
        Self {
            world,
            hub,
            caretakers,
            _borealis: borealis,
        }
    }

    fn serve(&self, config: SimulatorConfig) -> Served {
        serve(&self.world, &self.hub, link("atlas", config))
    }

    async fn after(&self, seconds: f64) -> Vec<String> {
        time::sleep(Duration::from_secs_f64(seconds)).await;
        self.world.said().await
    }
}

fn serve(world: &World, hub: &Hub, config: Config) -> Served {
    let deps = crate::Deps {
        shell: world.process().deps,
        simulators: hub.clone(),
    };
    let (stop, stopped) = Stop::new();
    let mut tasks = Tasks::new();
    tasks.spawn(crate::run(config, deps, stopped));
    Served { stop, tasks }
}

fn caretaker(world: &World, named: &[&str]) -> (StopHandle, Tasks) {
    let named: Vec<_> = named.iter().map(|name| carrier(name)).collect();
    let (handle, stop) = Stop::new();
    let mut tasks = Tasks::new();
    let named: Named = Arc::new(move || named.clone());
    tasks.spawn(run(named, world.process().deps, Duration::from_secs(35), stop));
    (handle, tasks)
}

fn of_class(id: u128, class: Class) -> Order {
    let mut order = order(id);
    order.message.class = class;
    order
}

/// A carrier that does not answer within the tests.
fn mute() -> SimulatorConfig {
    SimulatorConfig {
        latency: Duration::from_secs(60),
        ..SimulatorConfig::default()
    }
}

#[tokio::test(start_paused = true)]
async fn the_queue_of_a_dead_connector_is_handed_back_within_ten_seconds() {
    let stage = Stage::new(&[&[]]).await;
    let dead = stage.serve(mute());
    stage.after(15.0).await;
    stage.world.publish(&(1..=30).map(order).collect::<Vec<_>>()).await;
    stage.after(0.9).await;
    drop(dead);
    assert_eq!(stage.after(8.0).await, [""; 0], "it may come back");
    let said = stage.after(2.0).await;
    let mut handed_back: Vec<_> = (10..=30).map(|id| format!("{id} link_down no_link")).collect();
    let mut unknown: Vec<_> = (1..=9).map(|id| format!("{id} unknown")).collect();
    handed_back.sort();
    unknown.sort();
    let of = |word: &str| {
        let mut found: Vec<_> = said.iter().filter(|said| said.contains(word)).cloned().collect();
        found.sort();
        found
    };
    assert_eq!(of("link_down"), handed_back, "what nobody claimed");
    assert_eq!(of("unknown"), unknown, "a window of them was with the carrier");
    assert_eq!(said.len(), 30);
    stage.world.publish(&[order(31)]).await;
    assert_eq!(stage.after(0.2).await.last().unwrap(), "31 link_down no_link");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_handed_back_once_a_connector_speaks_of_the_carrier() {
    let stage = Stage::new(&[&[]]).await;
    let dead = stage.serve(SimulatorConfig::default());
    stage.after(15.0).await;
    drop(dead);
    stage.after(12.0).await;
    let _back = stage.serve(SimulatorConfig::default());
    stage.after(0.5).await;
    stage.world.publish(&(1..=50).map(order).collect::<Vec<_>>()).await;
    let said = stage.after(20.0).await;
    assert_eq!(said.len(), 50);
    assert!(said.iter().all(|said| said.contains("accepted")), "{said:?}");
    let words = stage.world.values(&signalbox_proto::topics::carriers()).await;
    let runs: BTreeSet<_> = words
        .iter()
        .map(|word| signalbox_proto::record::carrier_from_bytes(word).unwrap().incarnation)
        .collect();
    assert_eq!(runs.len(), 3, "borealis, and atlas twice: the caretaker says nothing");
}

#[tokio::test(start_paused = true)]
async fn orders_wait_for_a_connector_that_starts_again_in_time() {
    let stage = Stage::new(&[&[]]).await;
    let mut left = stage.serve(SimulatorConfig::default());
    stage.after(15.0).await;
    left.stop.request();
    left.tasks.join_next().await.unwrap().unwrap().unwrap();
    stage.world.publish(&[order(1)]).await;
    assert_eq!(stage.after(8.0).await, [""; 0]);
    let _back = stage.serve(SimulatorConfig::default());
    assert_eq!(stage.after(5.0).await, ["1 accepted atlas-1"]);
}

#[tokio::test(start_paused = true)]
async fn with_every_connector_gone_orders_wait_as_nobody_could_take_them() {
    let mut stage = Stage::new(&[&["atlas", "cirrus"]]).await;
    let both = stage.serve(SimulatorConfig::default());
    stage.after(15.0).await;
    drop(both);
    stage._borealis.tasks = Tasks::new();
    stage.after(0.1).await;
    stage.world.publish(&[order(1)]).await;
    assert_eq!(stage.after(300.0).await, [""; 0]);
    let _back = stage.serve(SimulatorConfig::default());
    assert_eq!(stage.after(5.0).await, ["1 accepted atlas-1"]);
}

#[tokio::test(start_paused = true)]
async fn a_carrier_of_the_table_that_nobody_ever_served_is_handed_back() {
    let stage = Stage::new(&[&["cirrus"]]).await;
    let mut unserved = order(1);
    unserved.carrier = carrier("cirrus");
    stage.world.publish(&[unserved]).await;
    assert_eq!(stage.after(8.0).await, [""; 0]);
    assert_eq!(stage.after(3.0).await, ["1 link_down no_link"]);
}

#[tokio::test(start_paused = true)]
async fn a_long_queue_comes_back_at_a_bounded_rate_and_passwords_do_not_wait_behind_it() {
    let stage = Stage::new(&[&["atlas"]]).await;
    let bulk: Vec<_> = (1..=6_000).map(|id| of_class(id, Class::Promotional)).collect();
    stage.world.publish(&bulk).await;
    while stage.after(0.05).await.is_empty() {}
    let began = stage.world.said().await.len();
    for second in 1..=4 {
        let code = 10_000 + second;
        stage.world.publish(&[of_class(code, Class::Otp)]).await;
        let said = stage.after(0.02).await;
        let place = said.iter().position(|said| said.starts_with(&format!("{code} ")));
        assert!(place.is_some(), "a password waits for its own turn alone");
        let said = stage.after(0.98).await;
        let answered = said.len() - began;
        let bound = 1_000 * second as usize;
        assert!(
            (bound - 110..=bound + 110).contains(&answered),
            "{answered} after {second} s"
        );
    }
    let said = stage.after(4.0).await;
    assert_eq!(said.len(), 6_004);
}

fn to(name: &str, id: u128) -> Order {
    let mut order = of_class(id, Class::Promotional);
    order.carrier = carrier(name);
    order
}

#[tokio::test(start_paused = true)]
async fn the_queues_of_several_carriers_come_back_at_one_rate() {
    let stage = Stage::new(&[&["atlas", "cirrus"]]).await;
    let atlas: Vec<_> = (1..=3_000).map(|id| to("atlas", id)).collect();
    let cirrus: Vec<_> = (3_001..=6_000).map(|id| to("cirrus", id)).collect();
    stage.world.publish(&[atlas, cirrus].concat()).await;
    while stage.after(0.05).await.is_empty() {}
    let began = stage.world.said().await.len();
    let answered = stage.after(3.0).await.len() - began;
    assert!((2_800..=3_200).contains(&answered), "{answered} in three seconds");
    assert_eq!(stage.after(4.0).await.len(), 6_000);
}

#[tokio::test(start_paused = true)]
async fn carriers_beyond_the_wards_there_may_be_have_their_turn() {
    let names: Vec<_> = (0..2 * WARDS_MAX + 5).map(|number| format!("c{number}")).collect();
    let mut all: Vec<_> = names.iter().map(String::as_str).collect();
    all.push("borealis");
    let world = World::new(&all).await;
    let _borealis = serve(&world, &Hub::recording(), link("borealis", SimulatorConfig::default()));
    let _caretaker = caretaker(&world, &all);
    let orders: Vec<_> = names.iter().zip(1..).map(|(name, id)| to(name, id)).collect();
    world.publish(&orders).await;
    time::sleep(Duration::from_secs(15)).await;
    assert_eq!(world.said().await.len(), WARDS_MAX);
    time::sleep(Duration::from_secs(70)).await;
    assert_eq!(world.said().await.len(), names.len());
}

#[tokio::test(start_paused = true)]
async fn a_connector_that_comes_back_sends_the_rest() {
    let stage = Stage::new(&[&["atlas"]]).await;
    let bulk: Vec<_> = (1..=8_000).map(|id| of_class(id, Class::Promotional)).collect();
    stage.world.publish(&bulk).await;
    while stage.after(0.05).await.len() < 1_000 {}
    let back = stage.serve(SimulatorConfig::default());
    let said = stage.after(15.0).await;
    assert_eq!(said.len(), 8_000);
    let accepted = said.iter().filter(|said| said.contains("accepted")).count();
    assert!(accepted > 5_000, "{accepted}");
    assert_eq!(
        stage.hub.submitted().len(),
        accepted,
        "nothing that was handed back is sent"
    );
    drop(back);
    let _next = stage.serve(SimulatorConfig::default());
    let said = stage.after(10.0).await;
    assert_eq!(said.len(), 8_000, "all of it is acked, and does not come again");
}

#[tokio::test(start_paused = true)]
async fn two_caretakers_divide_the_partitions_and_answer_once() {
    let stage = Stage::new(&[&["atlas"], &["atlas"]]).await;
    stage.world.publish(&(1..=40).map(order).collect::<Vec<_>>()).await;
    let said = stage.after(30.0).await;
    assert_eq!(said.len(), 40, "{said:?}");
    assert!(said.iter().all(|said| said.ends_with("link_down no_link")), "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stop_finishes_what_is_in_hand_and_gives_the_lease_up() {
    let mut stage = Stage::new(&[&["atlas"]]).await;
    stage.world.publish(&(1..=3_000).map(order).collect::<Vec<_>>()).await;
    stage.after(11.0).await;
    let (handle, mut tasks) = stage.caretakers.remove(0);
    handle.request();
    let began = time::now();
    tasks.join_all().await;
    assert!(time::now().duration_since(began) < Duration::from_secs(1));
    let answered = stage.world.said().await.len();
    assert!((500..2_500).contains(&answered), "{answered}");
    stage.caretakers.push(caretaker(&stage.world, &["atlas"]));
    let said = stage.after(20.0).await;
    assert_eq!(said.len(), 3_000);
    assert!(
        said.iter().all(|said| said.ends_with("link_down no_link")),
        "none is in doubt"
    );
}

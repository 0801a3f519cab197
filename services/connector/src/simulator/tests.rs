//! The whole connector over simulated carriers, on log and store in memory, under virtual time.

mod window;

use std::collections::BTreeMap;

use journey::OrderAnswer;
use service::{Stop, StopHandle, Tasks};
use signalbox_proto::{record, topics};

use super::*;
use crate::{
    Deps, Error, LinkConfig, LinkKind,
    fixture::{World, carrier, connector_of, long_order, order},
};

struct Running {
    world: World,
    hub: Hub,
    stop: StopHandle,
    service: Tasks<Result<(), Error>>,
}

impl Running {
    fn start(world: &World, hub: &Hub, config: SimulatorConfig) -> Self {
        Self::with_window(world, hub, config, 100)
    }

    fn with_window(world: &World, hub: &Hub, config: SimulatorConfig, window: u32) -> Self {
        let mut link = LinkConfig::new("atlas", vec![carrier("atlas")], LinkKind::Simulator(config));
        link.window = window;
        let deps = Deps {
            shell: world.deps.clone(),
            simulators: hub.clone(),
        };
        let (stop, stopped) = Stop::new();
        let mut service = Tasks::new();
        service.spawn(crate::run(connector_of(link), deps, stopped));
        Self {
            world: world.clone(),
            hub: hub.clone(),
            stop,
            service,
        }
    }

    async fn stopped(mut self) -> Result<(), Error> {
        self.stop.request();
        self.service.join_next().await.unwrap().unwrap()
    }

    async fn receipts(&self) -> usize {
        self.world.values(&topics::receipts()).await.len() + self.world.values(&topics::unmatched()).await.len()
    }
}

/// The strongest outcome of every message.
fn by_message(answers: Vec<OrderAnswer>) -> BTreeMap<u128, &'static str> {
    let mut found = BTreeMap::new();
    for answer in answers {
        let word = answer.outcome.as_str();
        let entry = found.entry(answer.order.message.0.as_u128()).or_insert(word);
        if *entry == "unknown" {
            *entry = word;
        }
    }
    found
}

async fn run_for(seconds: u64) {
    time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn a_carrier_gets_exactly_what_was_ordered_and_its_receipts_come_back() {
    let world = World::new(&["atlas"]).await;
    let orders = [order(1), long_order(2, 3)];
    world.publish(&orders).await;
    let hub = Hub::recording();
    let running = Running::start(&world, &hub, SimulatorConfig::default());
    run_for(5).await;
    let seen = hub.submitted();
    assert_eq!(seen.len(), 4);
    for (order, parts) in orders.iter().zip([&seen[..1], &seen[1..]]) {
        let (content, encoding, _) = order.content();
        let number = crate::parts::short_id(order).to_be_bytes()[1];
        let wanted = sms::segment(content, encoding, sms::Reference::Short(number)).unwrap();
        let octets: Vec<_> = wanted.iter().map(|segment| segment.octets().clone()).collect();
        assert_eq!(parts.iter().map(|part| part.octets.clone()).collect::<Vec<_>>(), octets);
        assert!(
            parts
                .iter()
                .all(|part| part.message == order.message.id && &part.to == order.to())
        );
    }
    assert_eq!(running.receipts().await, 4);
    assert_eq!(hub.receipts_owed(), 0);
    running.stopped().await.unwrap();
}

/// Runs 500 orders against a carrier that does everything wrong, and kills the connector twice in the middle.
async fn rough_run(seed: u64) -> (Vec<Submitted>, BTreeMap<u128, &'static str>) {
    let world = World::new(&["atlas"]).await;
    world.publish(&(1..=500).map(order).collect::<Vec<_>>()).await;
    let hub = Hub::recording();
    let config = SimulatorConfig {
        seed: Some(seed),
        latency: Duration::from_millis(50),
        latency_spread: Duration::from_millis(100),
        error_rate: 0.05,
        throttle_rate: 0.05,
        drop_rate: 0.05,
        late_rate: 0.05,
        repeat_rate: 0.2,
        receipts: ReceiptRates {
            delay: Duration::from_millis(200),
            spread: Duration::from_secs(2),
            failed: 0.1,
            lost: 0.1,
            repeated: 0.1,
        },
    };
    for wait_ms in [130, 400] {
        let killed = Running::start(&world, &hub, config.clone());
        time::sleep(Duration::from_millis(wait_ms)).await;
        drop(killed);
    }
    let running = Running::start(&world, &hub, config);
    run_for(10).await;
    hub.cut("atlas");
    run_for(1).await;
    hub.mend("atlas");
    run_for(300).await;
    running.stopped().await.unwrap();
    (hub.submitted(), by_message(world.answers().await))
}

#[tokio::test(start_paused = true)]
async fn every_order_is_answered_and_taken_at_most_once_whatever_dies() {
    for seed in 1..=10 {
        let (submitted, outcomes) = rough_run(seed).await;
        assert_eq!(outcomes.len(), 500, "seed {seed}: every order is answered");
        let mut taken = BTreeMap::new();
        for part in submitted.iter().filter(|part| part.remote_id.is_some()) {
            *taken.entry(part.message.0.as_u128()).or_insert(0) += 1;
        }
        for (message, times) in &taken {
            assert_eq!(*times, 1, "seed {seed}: message {message} was taken twice");
            assert!(
                matches!(outcomes[message], "accepted" | "unknown"),
                "seed {seed}: {message} {}",
                outcomes[message]
            );
        }
        let accepted = outcomes.iter().filter(|(_, outcome)| **outcome == "accepted");
        assert!(
            accepted.clone().all(|(message, _)| taken.contains_key(message)),
            "seed {seed}"
        );
        assert!(accepted.count() > 200, "seed {seed}: the faults are the exception");
    }
}

#[tokio::test(start_paused = true)]
async fn equal_seeds_give_equal_runs() {
    assert_eq!(rough_run(3).await.0, rough_run(3).await.0);
}

#[tokio::test(start_paused = true)]
async fn receipts_of_a_connector_that_died_come_to_the_next_one() {
    let world = World::new(&["atlas"]).await;
    world.publish(&[order(1)]).await;
    let hub = Hub::recording();
    let killed = Running::start(&world, &hub, SimulatorConfig::default());
    time::sleep(Duration::from_millis(500)).await;
    drop(killed);
    let running = Running::start(&world, &hub, SimulatorConfig::default());
    run_for(3).await;
    let unmatched = world.values(&topics::unmatched()).await;
    let unmatched = record::unmatched_from_bytes(&unmatched[0]).unwrap();
    assert_eq!(unmatched.remote_id, hub.submitted()[0].remote_id.clone().unwrap());
    assert_eq!(running.hub.receipts_owed(), 0);
}

//! Clocks that are set, and those of other machines.

use std::{sync::Arc, time::Duration};

use bus::{Bus, MemoryBus};
use journey::{Delayed, EndState, OrderNumber, Outcome, Waiting};
use signalbox_proto::{record, topics};
use sms::{Class, Message};

use super::world::{World, cause};

const HOUR: Duration = Duration::from_secs(3_600);
const HOUR_MS: i64 = 3_600_000;

/// A world whose log is another machine's: it tells the time as its clock is set.
async fn on_a_log_apart() -> World {
    let mut world = World::new("a b", "").await;
    world.stop().await.unwrap();
    let clock = world.deps.clock.clone();
    let bus = MemoryBus::new(Arc::new(move || clock.of_next_process().now().0));
    world.bus = bus.clone();
    world.deps.bus = Arc::new(bus);
    world.bus.ensure(&topics::fixed(world.config.partitions)).await.unwrap();
    world.start().await;
    world
}

fn hold(seconds: u64) -> Outcome {
    Outcome::Hold {
        retry_after: Duration::from_secs(seconds),
        cause: cause("throttled"),
    }
}

async fn ends_as(world: &World, message: &Message) -> EndState {
    world.end(message).await.unwrap().0
}

/// One message of each state of life while the clock is set back an hour: held, silent, delivered, and accepted after it.
#[tokio::test(start_paused = true)]
async fn a_clock_set_back_delays_no_end_and_doubles_none() {
    for is_apart in [false, true] {
        let mut world = if is_apart {
            on_a_log_apart().await
        } else {
            World::new("a b", "").await
        };
        let held = world.accepted().await;
        let order = world.order("a").await.unwrap();
        world.answer(&order, hold(5)).await;
        let silent = world.accepted().await;
        let order = world.order("a").await.unwrap();
        world.takes(&order, "silent").await;
        let delivered = world.accepted().await;
        let waits = world.order("a").await.unwrap();
        world.takes(&waits, "delivered").await;

        world.deps.clock.set_machine(-HOUR_MS);
        let after = world.accepted().await;
        let order = world.order("a").await.unwrap();
        assert_eq!(order.message.id, after.id);
        world.takes(&order, "after").await;
        world.delivered(&order).await;
        world.delivered(&waits).await;
        world.pass(5_500).await;
        let order = world.order("a").await.expect("the hold is over after five seconds");
        assert_eq!((order.message.id, order.number), (held.id, OrderNumber(2)));
        world.takes(&order, "held").await;
        world.delivered(&order).await;
        for message in [&held, &delivered, &after] {
            assert_eq!(ends_as(&world, message).await, EndState::Delivered);
        }
        let left = 61_000 + u64::try_from(silent.class.grace().as_millis()).unwrap();
        // By a twentieth slower until the machine's clock has caught up.
        world.pass(left * 20 / 19).await;
        assert_eq!(ends_as(&world, &silent).await, EndState::Unknown);
        assert!(world.order("a").await.is_none() && world.order("b").await.is_none());
        assert_eq!(world.values(&topics::retry("5s")).await.len(), 1, "it waited once");
    }
}

/// The log's clock is behind: what is put on a delay topic reads as if it had waited for an hour.
#[tokio::test(start_paused = true)]
async fn a_receipt_waits_for_its_message_however_old_the_log_says_it_is() {
    let mut world = on_a_log_apart().await;
    world.deps.clock.set_machine(-HOUR_MS);
    world.unmatched("a", "early").await;
    world.pass(20_000).await;
    let waits = world.values(&topics::retry("5s")).await.len();
    assert!((1..=5).contains(&waits), "put aside {waits} times in 20 s");
    let message = world.accepted().await;
    let order = world.order("a").await.unwrap();
    world.takes(&order, "early").await;
    world.pass(31_000).await;
    assert_eq!(ends_as(&world, &message).await, EndState::Delivered);
}

/// The log's clock is behind, and more is written at once than a router reads at once.
#[tokio::test(start_paused = true)]
async fn a_router_that_had_caught_up_is_behind_since_then_at_the_most() {
    let mut world = on_a_log_apart().await;
    world.stop().await.unwrap();
    world.config.batch_records_max = 20;
    world.start().await;
    world.deps.clock.set_machine(-HOUR_MS);
    world.accepted().await;
    let burst: Vec<_> = (0..200)
        .map(|_| {
            let message = world.message(Class::Transactional, 7_200);
            bus::Record::new(message.key.0, record::accepted_to_bytes(&message))
        })
        .collect();
    let topic = topics::accepted(sms::Lane::Normal);
    world.bus.publish(&topic, burst).await.unwrap().await.unwrap();
    assert_eq!(super::pressure::words(&world, 3).await, []);
    let placed = world
        .values(&topics::dispatch(
            &sms::CarrierName::new("a").unwrap(),
            sms::Lane::Normal,
        ))
        .await;
    assert_eq!(placed.len(), 201);
}

#[tokio::test(start_paused = true)]
async fn what_a_router_with_a_clock_ahead_put_aside_waits_no_longer_for_that() {
    let mut world = World::new("a", "").await;
    let message = world.message(Class::Transactional, 60);
    let ahead = world.deps.clock.now() + HOUR;
    let waiting = Waiting {
        number: OrderNumber::FIRST,
        attempts: Vec::new(),
        until: ahead + Duration::from_secs(5),
        deadline: message.accepted_at + Duration::from_secs(60),
        stay: None,
        again: false,
        look_again: false,
        message: message.clone(),
    };
    let octets = record::delayed_to_bytes(&Delayed::Message(Box::new(waiting)), ahead);
    world.publish(&topics::retry("5s"), message.key.0, octets).await;
    world.pass(4_500).await;
    assert!(world.order("a").await.is_none());
    world.pass(1_000).await;
    assert_eq!(world.order("a").await.unwrap().message.id, message.id);
}

#[tokio::test(start_paused = true)]
async fn a_message_accepted_by_a_clock_ahead_lives_no_longer_for_that() {
    let mut world = World::new("a", "").await;
    let mut message = world.message(Class::Transactional, 60);
    let now = world.deps.clock.now();
    message.accepted_at = now + HOUR;
    world.accept(&message).await;
    let order = world.order("a").await.unwrap();
    assert!(
        order.terms.deadline <= now + Duration::from_secs(61),
        "{}",
        order.terms.deadline
    );
    let mut near = world.message(Class::Transactional, 60);
    near.accepted_at = near.accepted_at + Duration::from_secs(1);
    world.accept(&near).await;
    assert_eq!(world.order("a").await.unwrap().message.accepted_at, near.accepted_at);
}

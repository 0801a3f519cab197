//! Waiting: holds, carriers that are down, and receipts without a match.

use std::{sync::Arc, time::Duration};

use bus::{Bus, MemoryBus, PartitionId};
use journey::{Delayed, EndState, OrderNumber, Outcome, Waiting};
use signalbox_proto::{record, topics};
use sms::{CarrierName, Class, Lane, RecordKey, UnixMs};

use super::world::{World, cause, link_down, next};

#[tokio::test(start_paused = true)]
async fn a_hold_comes_back_to_the_same_carrier() {
    let mut world = World::new("a b", "").await;
    world.accepted().await;
    let order = world.order("a").await.unwrap();
    world
        .answer(
            &order,
            Outcome::Hold {
                retry_after: Duration::from_secs(5),
                cause: cause("throttled"),
            },
        )
        .await;
    world.pass(4_500).await;
    assert!(world.order("a").await.is_none());
    world.pass(1_000).await;
    let order = world.order("a").await.unwrap();
    assert_eq!((order.number.0, order.attempts[0].spent), (2, false));
}

#[tokio::test(start_paused = true)]
async fn a_long_hold_uses_the_longest_delays_that_fit() {
    let mut world = World::new("a b", "").await;
    let message = world.message(Class::Promotional, 600);
    world.accept(&message).await;
    let order = world.order("a").await.unwrap();
    world
        .answer(
            &order,
            Outcome::Hold {
                retry_after: Duration::from_secs(40),
                cause: cause("queue_full"),
            },
        )
        .await;
    world.pass(38_000).await;
    assert!(world.order("a").await.is_none());
    world.pass(3_000).await;
    assert!(world.order("a").await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_hold_past_spill_after_goes_to_the_next() {
    let mut world = World::new("a b", "").await;
    let message = world.message(Class::Otp, 60);
    world.accept(&message).await;
    let order = world.order("a").await.unwrap();
    world
        .answer(
            &order,
            Outcome::Hold {
                retry_after: Duration::from_secs(5),
                cause: cause("throttled"),
            },
        )
        .await;
    let order = world.order("b").await.unwrap();
    assert!(order.attempts[0].spent);
}

#[tokio::test(start_paused = true)]
async fn carriers_that_are_down_are_asked_again_until_the_deadline() {
    let mut world = World::new("a b", "").await;
    let message = world.message(Class::Otp, 30);
    world.accept(&message).await;
    let mut asked = Vec::new();
    for _ in 0..45 {
        for carrier in ["a", "b"] {
            if let Some(order) = world.order(carrier).await {
                asked.push((order.message.id, carrier, order.number.0));
                world.answer(&order, link_down()).await;
            }
        }
        world.pass(1_000).await;
    }
    assert_eq!(
        world.end(&message).await,
        Some((EndState::Expired, "deadline".to_owned()))
    );
    let per_carrier = |carrier| asked.iter().filter(|(_, name, _)| *name == carrier).count();
    assert!(
        (2..=7).contains(&per_carrier("a")) && (2..=7).contains(&per_carrier("b")),
        "{asked:?}"
    );
    assert!(
        asked.windows(2).all(|pair| pair[0].2 < pair[1].2),
        "numbers rise: {asked:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_dead_carrier_costs_later_messages_no_hop() {
    let mut world = World::new("a b", "").await;
    world.accepted().await;
    let order = world.order("a").await.unwrap();
    world.answer(&order, link_down()).await;
    assert!(world.order("b").await.is_some());
    world.accepted().await;
    assert!(world.order("a").await.is_none());
    assert!(world.order("b").await.is_some());
    world.pass(2_000).await;
    world.accepted().await;
    assert!(world.order("a").await.is_some(), "the hint lapses");
}

#[tokio::test(start_paused = true)]
async fn the_tried_ones_return_while_attempts_remain() {
    let mut world = World::new("a b", ", attempts = 4").await;
    let message = world.message(Class::Transactional, 300);
    world.accept(&message).await;
    let mut asked = String::new();
    for _ in 0..60 {
        for carrier in ["a", "b"] {
            if let Some(order) = world.order(carrier).await {
                asked.push_str(carrier);
                world.answer(&order, next("refused")).await;
            }
        }
        world.pass(1_000).await;
    }
    assert_eq!(asked, "abab", "each once a round");
    assert_eq!(
        world.end(&message).await,
        Some((EndState::Failed, "refused".to_owned()))
    );
}

#[tokio::test(start_paused = true)]
async fn an_unmatched_receipt_finds_its_message_later() {
    let mut world = World::new("a", "").await;
    let message = world.accepted().await;
    let order = world.order("a").await.unwrap();
    world.unmatched("a", "x").await;
    world.pass(3_000).await;
    world.takes(&order, "x").await;
    world.pass(6_000).await;
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Delivered);
}

/// A carrier that gives no id for a part gives none in its receipts either, and those could speak of any message.
#[tokio::test(start_paused = true)]
async fn a_receipt_without_an_id_finds_no_message() {
    let mut world = World::new("a", "").await;
    let message = world.accepted().await;
    let order = world.order("a").await.unwrap();
    let remote_ids = vec!["x".to_owned(), String::new()];
    world.answer(&order, Outcome::Accepted { remote_ids }).await;
    world.pass(1_000).await;
    for _ in 0..2 {
        world.unmatched("a", "").await;
    }
    world.unmatched("a", "x").await;
    world.pass(10_000).await;
    assert_eq!(
        world.end(&message).await,
        None,
        "the second part has no receipt of its own"
    );
}

#[tokio::test(start_paused = true)]
async fn an_unmatched_receipt_is_an_orphan_after_ten_minutes() {
    let world = World::new("a", "").await;
    world.unmatched("a", "nobody").await;
    world.pass(590_000).await;
    assert!(world.values(&topics::dead()).await.is_empty());
    world.pass(140_000).await;
    let dead = world.values(&topics::dead()).await;
    let dead = record::dead_from_bytes(&dead[0]).unwrap();
    assert_eq!(record::unmatched_from_bytes(&dead.octets).unwrap().remote_id, "nobody");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_waits_expires_to_the_second() {
    let mut world = World::new("a", "").await;
    let message = world.message(Class::Otp, 8);
    world.accept(&message).await;
    for _ in 0..2 {
        let order = world.order("a").await.unwrap();
        world.answer(&order, link_down()).await;
        world.pass(5_100).await;
        assert_eq!(
            world.end(&message).await.is_some(),
            world.deps.clock.now() > message.accepted_at + Duration::from_secs(8)
        );
    }
    let ended = world.ended(&message).await.unwrap();
    assert_eq!((ended.state, ended.attempts.len()), (EndState::Expired, 2));
    assert!(
        ended.ended_at.since(message.accepted_at) < Duration::from_millis(9_300),
        "{:?}",
        ended.ended_at
    );
}

/// One old message in the last of many partitions, and full partitions before it that were written much later.
#[tokio::test(start_paused = true)]
async fn what_is_due_is_not_kept_waiting_by_other_partitions() {
    let mut world = World::new("a", "").await;
    world.stop().await.unwrap();
    let partitions = 40;
    let bus = MemoryBus::new(world.deps.clock.as_millis_fn());
    world.bus = bus.clone();
    world.deps.bus = Arc::new(bus);
    world.bus.ensure(&topics::fixed(partitions)).await.unwrap();
    world.config.partitions = partitions;
    for partition in (0..partitions).rev() {
        let mut message = world.message(Class::Transactional, 600);
        let keys = (0_u64..).map(|n| RecordKey(n.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
        let mut keys = keys.filter(|key| PartitionId::of(key.0, partitions).0 == partition);
        message.key = keys.next().unwrap();
        let waiting = Waiting {
            number: OrderNumber::FIRST,
            attempts: Vec::new(),
            until: message.accepted_at,
            deadline: message.accepted_at + Duration::from_secs(600),
            stay: None,
            again: false,
            look_again: false,
            message,
        };
        let key = waiting.message.key;
        let value = record::delayed_to_bytes(&Delayed::Message(Box::new(waiting)), world.deps.clock.now());
        world.publish(&topics::retry("2m"), key.0, value).await;
        if partition == partitions - 1 {
            world.pass(110_000).await;
        }
    }
    world.start().await;
    world.pass(15_000).await;
    let dispatch = topics::dispatch(&CarrierName::new("a").unwrap(), Lane::Normal);
    assert_eq!(world.values(&dispatch).await.len(), 1);
}

/// Its connector started on a machine whose clock is an hour behind.
#[tokio::test(start_paused = true)]
async fn an_unmatched_receipt_of_a_connector_that_is_behind_waits_as_long_as_any() {
    let mut world = World::new("a", "").await;
    let message = world.accepted().await;
    let order = world.order("a").await.unwrap();
    let seen = UnixMs(world.deps.clock.now().0 - 3_600_000);
    world.unmatched_since("a", "x", seen).await;
    world.pass(20_000).await;
    world.takes(&order, "x").await;
    world.pass(20_000).await;
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Delivered);
}

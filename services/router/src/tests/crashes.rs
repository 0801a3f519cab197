//! Redelivery of every input, and a router that dies at any moment.

use std::{sync::atomic::Ordering, time::Duration};

use bus::Bus;
use journey::{EndState, Outcome};
use service::time;
use signalbox_proto::topics;
use sms::{Class, Lane, ReceiptFault, ReceiptState};

use super::world::{World, cause, next, table};

#[tokio::test(start_paused = true)]
async fn every_input_seen_twice_is_done_once() {
    let mut world = World::new("a b", "").await;
    let message = world.accepted().await;
    world.accept(&message).await;
    let order = world.order("a").await.unwrap();
    assert!(world.order("a").await.is_none(), "its claim is taken");
    world.answer(&order, next("refused")).await;
    world.answer(&order, next("refused")).await;
    world.accept(&message).await;
    assert!(world.order("a").await.is_none());
    let order = world.order("b").await.unwrap();
    assert!(world.order("b").await.is_none());
    world.takes(&order, "x").await;
    world.takes(&order, "x").await;
    world.delivered(&order).await;
    world.delivered(&order).await;
    world.takes(&order, "x").await;
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Delivered);
    assert!(world.order("a").await.is_none() && world.order("b").await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_rejection_does_not_end_what_an_earlier_run_ordered() {
    let mut world = World::new("a", "").await;
    let message = world.accepted().await;
    let order = world.order("a").await.unwrap();
    world.table.replace(table("a", ", max_price = \"0.01\""));
    world.accept(&message).await;
    assert_eq!(world.end(&message).await, None);
    world.takes(&order, "x").await;
    world.delivered(&order).await;
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Delivered);
}

#[tokio::test(start_paused = true)]
async fn an_end_seen_again_is_told_octet_for_octet() {
    let mut world = World::new("a", "").await;
    let mut message = world.message(Class::Otp, 60);
    message.to = sms::Msisdn::new("4915100000").unwrap();
    world.accept(&message).await;
    world.pass(3_000).await;
    world.accept(&message).await;
    let told = world.values(&topics::events()).await;
    assert_eq!(told.len(), 2);
    assert_eq!(told[0], told[1]);
}

/// Kills the router after a random number of polls of its tasks, over and over, while a scripted carrier answers; every
/// message must end exactly once, delivered.
#[tokio::test(start_paused = true)]
async fn a_router_that_keeps_dying_ends_every_message_once() {
    let mut world = World::new("a b", "").await;
    let mut messages = Vec::new();
    for round in 0..30_u32 {
        let message = world.message(Class::ALL[round as usize % 3], 600);
        let topic = topics::accepted(message.class.lane());
        let value = signalbox_proto::record::accepted_to_bytes(&message);
        world
            .bus
            .publish(&topic, vec![bus::Record::new(message.key.0, value)])
            .await
            .unwrap()
            .await
            .unwrap();
        messages.push(message);
        for _ in 0..round % 7 {
            tokio::task::yield_now().await;
        }
        world.crash().await;
        for carrier in ["a", "b"] {
            while let Some(order) = world.order(carrier).await {
                let outcome = match (carrier, order.message.id.0.as_u128() % 4) {
                    ("a", 0) => next("refused"),
                    ("a", 1) => Outcome::Hold {
                        retry_after: Duration::from_secs(6),
                        cause: cause("throttled"),
                    },
                    _ => Outcome::Accepted {
                        remote_ids: vec![format!("{}", order.message.id)],
                    },
                };
                let is_taken = matches!(outcome, Outcome::Accepted { .. });
                world.answer(&order, outcome).await;
                world.crash().await;
                if is_taken {
                    world.delivered(&order).await;
                }
            }
        }
    }
    for _ in 0..200 {
        world.pass(1_000).await;
        for carrier in ["a", "b"] {
            while let Some(order) = world.order(carrier).await {
                world.takes(&order, &format!("{}", order.message.id)).await;
                world.delivered(&order).await;
            }
        }
    }
    for message in &messages {
        assert_eq!(
            world.end(message).await.map(|end| end.0),
            Some(EndState::Delivered),
            "{message:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_timer_whose_router_died_is_looked_at_by_the_next() {
    let mut world = World::new("a b", ", receipt_within = \"10s\"").await;
    let message = world.message(Class::Otp, 60);
    world.accept(&message).await;
    let order = world.order("a").await.unwrap();
    world.takes(&order, "x").await;
    world.drain().await;
    world.pass(20_000).await;
    world.start().await;
    world.pass(5_000).await;
    let second = world.order("b").await.unwrap();
    assert_eq!(second.number.0, 2);
    world
        .receipt(&order, ReceiptState::Undeliverable, ReceiptFault::Route)
        .await;
    world.takes(&second, "y").await;
    world.delivered(&second).await;
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Delivered);
}

/// Nobody reads until long after the end of grace: by its timer each of these is over. What it takes to read them all is longer than
/// the time between two looks at the timers.
#[tokio::test(start_paused = true)]
async fn receipts_that_came_while_no_router_was_there_are_heard_before_the_timers() {
    let mut world = World::slow("a", "", 1).await;
    world.config.batch_records_max = 1;
    let mut messages = Vec::new();
    for _ in 0..30 {
        let message = world.message(Class::Otp, 600);
        world.accept(&message).await;
        messages.push(message);
    }
    world.pass(5_000).await;
    let mut orders = Vec::new();
    while let Some(order) = world.order("a").await {
        world.takes(&order, &order.message.id.to_string()).await;
        orders.push(order);
    }
    world.pass(5_000).await;
    world.drain().await;
    for order in &orders {
        world.delivered(order).await;
    }
    world.pass(1_000_000).await;
    world.start().await;
    world.pass(15_000).await;
    for message in &messages {
        assert_eq!(world.end(message).await.unwrap().0, EndState::Delivered);
    }
}

#[tokio::test(start_paused = true)]
async fn drain_acks_what_it_took() {
    let mut world = World::new("a", "").await;
    world.accepted().await;
    world.drain().await;
    let mut rest = world
        .bus
        .subscribe(
            &crate::intake::group_of(&topics::accepted(Lane::Normal)),
            &[topics::accepted(Lane::Normal)],
        )
        .await
        .unwrap();
    assert!(
        time::timeout(Duration::from_secs(1), rest.next_batch(10))
            .await
            .is_none(),
        "nothing comes again"
    );
}

#[tokio::test(start_paused = true)]
async fn what_comes_while_log_and_store_are_away_is_done_when_they_are_back() {
    let mut world = World::slow("a b", "", 1).await;
    let message = world.accepted().await;
    world.pass(200).await;
    let order = world.order("a").await.unwrap();
    world.is_away.store(true, Ordering::Relaxed);
    let other = world.accepted().await;
    world.takes(&order, "x").await;
    world.delivered(&order).await;
    world.pass(1_000).await;
    assert!(world.order("a").await.is_none() && world.events().await.is_empty());
    world.is_away.store(false, Ordering::Relaxed);
    world.pass(1_000).await;
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Delivered);
    assert_eq!(world.order("a").await.unwrap().message.id, other.id);
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_what_is_away() {
    let mut world = World::slow("a", "", 1).await;
    world.is_away.store(true, Ordering::Relaxed);
    let message = world.accepted().await;
    world.pass(1_000).await;
    assert!(world.stop().await.is_err());
    world.is_away.store(false, Ordering::Relaxed);
    world.start().await;
    world.pass(200).await;
    assert_eq!(world.order("a").await.unwrap().message.id, message.id, "it came again");
}

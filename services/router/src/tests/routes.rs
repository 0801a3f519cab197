//! Each outcome and what the router does about it.

use std::time::Duration;

use bus::Bus;
use journey::{EndState, Event, Outcome};
use signalbox_proto::{keys, record, topics};
use sms::{CarrierName, Class, ReceiptFault, ReceiptState};
use store::Store;

use super::world::{World, cause, link_down, next, table};

#[tokio::test(start_paused = true)]
async fn a_message_is_ordered_taken_and_delivered() {
    let mut world = World::new("a b", "").await;
    let message = world.accepted().await;
    let order = world.order("a").await.unwrap();
    assert_eq!(
        (order.message.clone(), order.number.0, order.policy.as_str()),
        (message.clone(), 1, "all")
    );
    assert_eq!(order.price.as_ref().unwrap().cost_micros, 40_000);
    assert_eq!(order.table, world.table.snapshot().version());
    world.takes(&order, "x1").await;
    let carrier = CarrierName::new("a").unwrap();
    let found = world
        .store
        .get(vec![keys::correlation(&carrier, "x1"), keys::state(message.id)])
        .await
        .unwrap();
    let correlation = record::correlation_from_bytes(&found[0].as_ref().unwrap().value).unwrap();
    assert_eq!(
        (correlation.order, correlation.segment, correlation.segments),
        (order.order_ref(), 0, 1)
    );
    assert!(found[1].is_some());
    assert_eq!(world.end(&message).await, None);
    world.delivered(&order).await;
    let ended = world.ended(&message).await.unwrap();
    assert_eq!((ended.state, ended.carrier), (EndState::Delivered, Some(carrier)));
    assert_eq!(
        (ended.attempts.len(), ended.attempts[0].remote_ids.as_slice()),
        (1, &["x1".to_owned()][..])
    );
}

#[tokio::test(start_paused = true)]
async fn next_and_link_down_go_to_the_next_candidate() {
    let mut world = World::new("a b c", "").await;
    let message = world.accepted().await;
    let order = world.order("a").await.unwrap();
    world.answer(&order, next("refused")).await;
    let order = world.order("b").await.unwrap();
    assert_eq!((order.number.0, order.attempts.len()), (2, 1));
    world.answer(&order, link_down()).await;
    let order = world.order("c").await.unwrap();
    let spent: Vec<_> = order.attempts.iter().map(|attempt| attempt.spent).collect();
    assert_eq!((order.number.0, spent), (3, vec![true, false]));
    let states = world.store.get(vec![keys::state(message.id)]).await.unwrap();
    assert_eq!(states, [None], "what no carrier took needs no state");
    world.takes(&order, "x").await;
    world.delivered(&order).await;
    assert_eq!(world.ended(&message).await.unwrap().attempts.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn attempts_run_out_and_fail() {
    let mut world = World::new("a b c", ", attempts = 2").await;
    let message = world.accepted().await;
    let order = world.order("a").await.unwrap();
    world.answer(&order, next("refused")).await;
    let order = world.order("b").await.unwrap();
    world.answer(&order, next("refused_too")).await;
    assert_eq!(
        world.end(&message).await,
        Some((EndState::Failed, "refused_too".to_owned()))
    );
    assert!(world.order("c").await.is_none());
}

#[tokio::test(start_paused = true)]
async fn fail_ends_at_once() {
    let mut world = World::new("a b", "").await;
    let message = world.accepted().await;
    let order = world.order("a").await.unwrap();
    world
        .answer(
            &order,
            Outcome::Fail {
                cause: cause("bad_number"),
            },
        )
        .await;
    assert_eq!(
        world.end(&message).await,
        Some((EndState::Failed, "bad_number".to_owned()))
    );
}

#[tokio::test(start_paused = true)]
async fn a_late_order_comes_back_and_expires() {
    let mut world = World::new("a b", "").await;
    let message = world.accepted().await;
    let order = world.order("a").await.unwrap();
    world.pass(60_000).await;
    world.answer(&order, next(journey::CODE_DEADLINE)).await;
    assert_eq!(
        world.end(&message).await,
        Some((EndState::Expired, "deadline".to_owned()))
    );
}

#[tokio::test(start_paused = true)]
async fn no_route_and_a_rejection_end_rejected() {
    let mut world = World::new("a", "").await;
    let mut message = world.message(Class::Otp, 60);
    message.to = sms::Msisdn::new("4915100000").unwrap();
    world.accept(&message).await;
    assert_eq!(
        world.end(&message).await,
        Some((EndState::Rejected, "no_route".to_owned()))
    );
    let mut message = world.message(Class::Promotional, 60);
    message.account = sms::AccountId::new("barred").unwrap();
    world.accept(&message).await;
    let ended = world.ended(&message).await.unwrap();
    assert_eq!(
        (ended.state, ended.cause.detail.as_str()),
        (EndState::Rejected, "account barred")
    );
    assert_eq!(
        (ended.policy.as_str(), ended.table.as_str()),
        ("barred", world.table.snapshot().version())
    );
}

#[tokio::test(start_paused = true)]
async fn no_answer_means_what_the_class_says() {
    let mut world = World::new("a b", "").await;
    for class in Class::ALL {
        let message = world.message(class, 60);
        world.accept(&message).await;
        let order = world.order("a").await.unwrap();
        world
            .answer(
                &order,
                Outcome::Unknown {
                    since: message.accepted_at,
                },
            )
            .await;
        let other = world.order("b").await;
        assert_eq!(other.is_some(), class == Class::Otp, "{class}");
        let is_over = world.end(&message).await.is_some();
        assert_eq!(is_over, class == Class::Promotional, "{class}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_ok_calls_off_the_failover_in_the_queue() {
    let mut world = World::new("a b", "").await;
    let message = world.message(Class::Otp, 60);
    world.accept(&message).await;
    let order = world.order("a").await.unwrap();
    world
        .answer(
            &order,
            Outcome::Unknown {
                since: message.accepted_at,
            },
        )
        .await;
    world.takes(&order, "x").await;
    let failover = world.order("b").await;
    assert!(failover.is_none(), "the router has claimed it");
    world.delivered(&order).await;
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Delivered);
}

#[tokio::test(start_paused = true)]
async fn the_route_s_fault_fails_over_with_the_content_kept_for_it() {
    let mut world = World::new("a b", "").await;
    let message = world.accepted().await;
    let order = world.order("a").await.unwrap();
    world.takes(&order, "x").await;
    world
        .receipt(&order, ReceiptState::Undeliverable, ReceiptFault::Route)
        .await;
    let order = world.order("b").await.unwrap();
    assert_eq!((order.number.0, &order.message), (2, &message));
    world.takes(&order, "y").await;
    world
        .receipt(&order, ReceiptState::Undeliverable, ReceiptFault::Handset)
        .await;
    let ended = world.ended(&message).await.unwrap();
    assert_eq!((ended.state, ended.attempts[0].receipts.len()), (EndState::Failed, 1));
}

#[tokio::test(start_paused = true)]
async fn silence_past_receipt_within_fails_over() {
    let mut world = World::new("a b", ", receipt_within = \"10s\"").await;
    let message = world.message(Class::Otp, 60);
    world.accept(&message).await;
    let order = world.order("a").await.unwrap();
    world.takes(&order, "x").await;
    world.pass(9_000).await;
    assert!(world.order("b").await.is_none());
    world.pass(2_500).await;
    let second = world.order("b").await.unwrap();
    world.takes(&second, "y").await;
    world.delivered(&order).await;
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Delivered);
    world.delivered(&second).await;
    let events = world.events().await;
    assert!(matches!(events.last().unwrap(), Event::Late(late) if late.order == second.order_ref()));
}

#[tokio::test(start_paused = true)]
async fn silence_to_the_end_of_grace_is_unknown() {
    let mut world = World::new("a b", "").await;
    let message = world.accepted().await;
    let order = world.order("a").await.unwrap();
    world.takes(&order, "x").await;
    let grace = message.class.grace() + Duration::from_secs(60);
    world.pass(u64::try_from(grace.as_millis()).unwrap() - 1_000).await;
    assert_eq!(world.end(&message).await, None);
    world.pass(2_500).await;
    assert_eq!(
        world.end(&message).await,
        Some((EndState::Unknown, "no_receipt".to_owned()))
    );
    let ends = world.events().await.len();
    world.pass(5_000).await;
    assert_eq!(
        world.events().await.len(),
        ends,
        "the timer is gone once the end was told"
    );
    world.delivered(&order).await;
    assert!(matches!(world.events().await.last().unwrap(), Event::Late(_)));
}

#[tokio::test(start_paused = true)]
async fn a_receipt_before_its_answer_is_not_lost() {
    let mut world = World::new("a", "").await;
    let message = world.accepted().await;
    let order = world.order("a").await.unwrap();
    world.delivered(&order).await;
    assert_eq!(world.end(&message).await, None);
    world.takes(&order, "x").await;
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Delivered);
}

#[tokio::test(start_paused = true)]
async fn without_receipts_acceptance_is_the_end() {
    let mut world = World::new("a", "").await;
    let mut message = world.message(Class::Promotional, 60);
    message.receipt = false;
    world.accept(&message).await;
    let order = world.order("a").await.unwrap();
    world.takes(&order, "x").await;
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Sent);
}

#[tokio::test(start_paused = true)]
async fn undecodable_records_die_with_their_octets_and_stall_nobody() {
    let mut world = World::new("a", "").await;
    let garbage = bytes::Bytes::from_static(b"\xff\xff");
    let fed = [
        topics::accepted(sms::Lane::Normal),
        topics::outcomes(),
        topics::receipts(),
        topics::unmatched(),
    ];
    for topic in &fed {
        world.publish(topic, 7, garbage.clone()).await;
    }
    world.publish(&topics::retry("5s"), 7, garbage.clone()).await;
    world.pass(5_500).await;
    let dead = world.values(&topics::dead()).await;
    let dead: Vec<_> = dead.iter().map(|dead| record::dead_from_bytes(dead).unwrap()).collect();
    assert_eq!(dead.len(), 5);
    assert!(
        dead.iter()
            .all(|dead| dead.octets == garbage && !dead.reason.is_empty())
    );
    assert_eq!(dead[1].topic, "signalbox.outcomes");
    world.accepted().await;
    assert!(world.order("a").await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_new_table_decides_the_next_attempt_and_brings_its_carriers() {
    let mut world = World::new("a", "").await;
    let message = world.accepted().await;
    let order = world.order("a").await.unwrap();
    let old = order.table.clone();
    world.table.replace(table("new a", ""));
    world.pass(200).await;
    world.answer(&order, next("refused")).await;
    let second = world.order("new").await.unwrap();
    assert_ne!(second.table, old);
    world.takes(&second, "x").await;
    world.delivered(&second).await;
    let ended = world.ended(&message).await.unwrap();
    assert_eq!(
        (ended.attempts[0].table.as_str(), ended.table.as_str()),
        (old.as_str(), second.table.as_str())
    );
}

#[tokio::test(start_paused = true)]
async fn two_receipts_of_one_batch_call_off_the_failover_and_end() {
    let mut world = World::new("a b", ", receipt_within = \"10s\"").await;
    let message = world.accepted().await;
    let order = world.order("a").await.unwrap();
    world
        .answer(
            &order,
            Outcome::Accepted {
                remote_ids: vec!["x".to_owned(), "y".to_owned()],
            },
        )
        .await;
    world.pass(11_000).await;
    let record = |segment| {
        let receipt = journey::ReceiptRecord {
            order: order.order_ref(),
            segment,
            segments: Some(2),
            receipt: super::world::receipt(ReceiptState::Delivered, ReceiptFault::Handset),
            at: message.accepted_at,
        };
        bus::Record::new(message.key.0, record::receipt_to_bytes(&receipt))
    };
    let commit = world
        .bus
        .publish(&topics::receipts(), vec![record(0), record(1)])
        .await
        .unwrap();
    commit.await.unwrap();
    world.pass(20).await;
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Delivered);
    assert!(world.order("b").await.is_none(), "the failover is taken back");
}

//! The store is lost, and rebuilt from the log.

use journey::{EndState, Outcome};
use signalbox_proto::{
    keys,
    record::{self, KeyEntry, KeyMark},
    topics,
};
use sms::{AccountId, Class, ReceiptFault, ReceiptState};
use store::{Applied, Op, Store, StoreError};

use super::world::{World, cause, link_down, next};

/// `order` as history, refused.
fn answered(order: &journey::Order) -> journey::Attempt {
    journey::Attempt {
        number: order.number,
        carrier: order.carrier.clone(),
        network: String::new(),
        looked_up: None,
        price: None,
        table: order.table.clone(),
        policy: String::new(),
        issued_at: order.issued_at,
        answer: journey::Answer {
            charge: None,
            outcome: "next".to_owned(),
            code: "throttled".to_owned(),
            detail: String::new(),
            at: order.issued_at,
        },
        spent: true,
        remote_ids: Vec::new(),
        receipts: Vec::new(),
    }
}

/// Long enough for a rebuild, and for what must wait after it.
const SETTLED: u64 = 20_000;

async fn lost() -> World {
    let world = World::new("atlas borealis", "").await;
    world.pass(300).await;
    // The first loss is noted on the log, so that the second is known to follow on something.
    world.store.lose();
    world.pass(500).await;
    world
}

async fn lose(world: &World) {
    world.store.lose();
    world.pass(5_000).await;
    assert!(world.store.epoch().await.is_ok(), "the store is back");
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_receipt_still_finds_it() {
    let mut world = lost().await;
    let message = world.accepted().await;
    let order = world.order("atlas").await.unwrap();
    world.takes(&order, "r1").await;
    lose(&world).await;
    world.unmatched("atlas", "r1").await;
    world.pass(2_000).await;
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Delivered);
}

#[tokio::test(start_paused = true)]
async fn an_end_stands_octet_for_octet() {
    let mut world = lost().await;
    let message = world.accepted().await;
    let order = world.order("atlas").await.unwrap();
    world.takes(&order, "r1").await;
    world.delivered(&order).await;
    lose(&world).await;
    world.delivered(&order).await;
    world.takes(&order, "r1").await;
    world.pass(SETTLED).await;
    assert!(world.events().await.len() > 1, "the end was told again");
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Delivered);
}

#[tokio::test(start_paused = true)]
async fn an_answered_order_is_claimed_for_good() {
    let mut world = lost().await;
    world.accepted().await;
    let order = world.order("atlas").await.unwrap();
    world.answer(&order, next("throttled")).await;
    let second = world.peek("borealis").await.unwrap();
    lose(&world).await;
    let claim = |order: &journey::Order| Op::Claim {
        key: keys::claim(order.message.id, order.number),
        owner: "borealis/me/1".into(),
        expires_at_ms: u64::MAX,
    };
    let (applied, _) = world.store.apply(vec![claim(&order), claim(&second)]).await.unwrap();
    let answered = keys::answered_owner(&order.carrier).into();
    assert_eq!(applied[0], Applied::Held { owner: answered }, "the first was answered");
    assert_eq!(applied[1], Applied::Claimed, "the second was not");
}

/// A third order stands on the log, which was decided after the first alone had been answered: the second was called off.
#[tokio::test(start_paused = true)]
async fn an_order_that_was_called_off_is_claimed_for_good() {
    let mut world = lost().await;
    let message = world.message(Class::Otp, 60);
    world.accept(&message).await;
    let order = world.order("atlas").await.unwrap();
    let claim = |number: u32| Op::Claim {
        key: keys::claim(message.id, journey::OrderNumber(number)),
        owner: "borealis/me/1".into(),
        expires_at_ms: u64::MAX,
    };
    let mut third = order.clone();
    third.number = journey::OrderNumber(3);
    third.attempts = vec![answered(&order)];
    let topic = topics::dispatch(&third.carrier, sms::Lane::Urgent);
    let octets = record::order_to_bytes(&third);
    world.publish(&topic, message.key.0, octets).await;
    lose(&world).await;
    let claims = vec![claim(1), claim(2), claim(3)];
    let (applied, _) = world.store.apply(claims).await.unwrap();
    let called_off = Applied::Held {
        owner: keys::CALLED_OFF_OWNER.into(),
    };
    assert_eq!(applied, [Applied::Claimed, called_off, Applied::Claimed]);
}

#[tokio::test(start_paused = true)]
async fn a_message_known_to_the_store_alone_ends_in_time() {
    let mut world = lost().await;
    let message = world.message(Class::Transactional, 30);
    world.accept(&message).await;
    let order = world.order("atlas").await.unwrap();
    // The wait would end after the deadline: the message is parked, of which the log knows nothing.
    let hold = Outcome::Hold {
        retry_after: std::time::Duration::from_secs(600),
        cause: cause("throttled"),
    };
    world.answer(&order, hold).await;
    lose(&world).await;
    world.pass(30_000 + 600_000 + 10_000).await;
    assert!(world.end(&message).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_message_still_to_be_asked_about_goes_on() {
    let mut world = lost().await;
    let message = world.accepted().await;
    let order = world.order("atlas").await.unwrap();
    world.store.lose();
    world.answer(&order, link_down()).await;
    world.pass(SETTLED).await;
    let order = world.order("borealis").await.unwrap();
    assert_eq!(order.number.0, 2);
    world.takes(&order, "r2").await;
    world
        .receipt(&order, ReceiptState::Delivered, ReceiptFault::Handset)
        .await;
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Delivered);
}

#[tokio::test(start_paused = true)]
async fn an_order_from_before_the_loss_is_not_called_off_at_once() {
    let mut world = lost().await;
    let message = world.message(Class::Otp, 60);
    world.accept(&message).await;
    let order = world.order("atlas").await.unwrap();
    let since = world.deps.clock.now();
    world.answer(&order, Outcome::Unknown { since }).await;
    let second = world.peek("borealis").await.unwrap();
    lose(&world).await;
    world.delivered(&order).await;
    world.takes(&order, "r1").await;
    world.pass(3_000).await;
    assert_eq!(world.end(&message).await, None, "the second may be with its carrier");
    world.pass(SETTLED).await;
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Delivered);
    let claim = keys::claim(second.message.id, second.number);
    let claimed = world.store.get(vec![claim]).await.unwrap();
    assert_eq!(claimed[0].as_ref().unwrap().value, keys::ROUTER_OWNER);
}

#[tokio::test(start_paused = true)]
async fn an_idempotency_key_is_known_again() {
    let mut world = lost().await;
    let message = world.message(Class::Transactional, 60);
    let mark = KeyMark {
        key_hash: [7; 32],
        digest: [9; 32],
    };
    let octets = record::accepted_with_key_to_bytes(&message, &mark);
    world
        .publish(&topics::accepted(message.class.lane()), message.key.0, octets)
        .await;
    lose(&world).await;
    let key = keys::idempotency(&message.account, &mark.hex());
    let found = world.store.get(vec![key]).await.unwrap();
    let entry = KeyEntry::from_bytes(&found[0].as_ref().unwrap().value).unwrap();
    assert_eq!(
        (entry.is_final, entry.id, entry.digest),
        (true, message.id, mark.digest)
    );
}

#[tokio::test(start_paused = true)]
async fn the_first_store_is_there_at_once_and_doubts_nothing() {
    let mut world = World::new("atlas", "").await;
    world.store.lose();
    world.accepted().await;
    world.pass(400).await;
    assert!(world.store.epoch().await.is_ok());
    assert_eq!(world.store.get(vec![keys::doubt()]).await.unwrap(), [None]);
    lose(&world).await;
    let doubt = world.store.get(vec![keys::doubt()]).await.unwrap();
    assert!(doubt[0].is_some(), "orders may have been started under the first");
}

#[tokio::test(start_paused = true)]
async fn another_router_rebuilds_where_one_died_at_it() {
    let mut world = lost().await;
    let message = world.accepted().await;
    let order = world.order("atlas").await.unwrap();
    world.takes(&order, "r1").await;
    world.store.lose();
    let dead = world.store.rebuild().await.unwrap();
    assert!(dead.is_some());
    world.pass(4_000).await;
    assert_eq!(
        world.store.epoch().await,
        Err(StoreError::Lost),
        "the first may be alive"
    );
    world.pass(6_000).await;
    world.delivered(&order).await;
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Delivered);
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_heard_once_however_long_the_store_is_lost() {
    let mut world = lost().await;
    world.accepted().await;
    let order = world.order("atlas").await.unwrap();
    let since = world.deps.clock.now();
    world.pass(1_000).await;
    world.store.lose();
    // A router that died at the rebuild keeps others waiting: the answer is tried anew many times meanwhile.
    let dead = world.store.rebuild().await.unwrap();
    assert!(dead.is_some());
    world.answer(&order, Outcome::Unknown { since }).await;
    world.pass(10_000).await;
    assert!(world.store.epoch().await.is_ok(), "the store is back");
    let words = world.values(&topics::carriers()).await;
    assert!(words.is_empty(), "one failure ejects nobody");
}

/// The accepted record comes again when the time of its message is over, as it does after a publisher that died.
#[tokio::test(start_paused = true)]
async fn a_message_that_comes_again_too_late_does_not_call_off_its_order_from_before_the_loss() {
    let mut world = lost().await;
    let message = world.message(Class::Otp, 5);
    world.accept(&message).await;
    let order = world.order("atlas").await.unwrap();
    world.pass(6_000).await;
    lose(&world).await;
    world.accept(&message).await;
    world.pass(500).await;
    let put_back = Op::Claim {
        key: keys::claim(message.id, order.number),
        owner: "atlas/me/1".into(),
        expires_at_ms: u64::MAX,
    };
    let (applied, commit) = world.store.apply(vec![put_back]).await.unwrap();
    commit.await.unwrap();
    assert_eq!(applied, [Applied::Claimed], "its connector puts its claim back");
    world.takes(&order, "r1").await;
    world.delivered(&order).await;
    world.pass(SETTLED).await;
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Delivered);
}

/// Its connector died with the store and nobody has answered for it: winning the claim does not show that nothing was sent.
#[tokio::test(start_paused = true)]
async fn a_message_whose_order_from_before_the_loss_is_called_off_is_not_said_to_have_expired() {
    let mut world = lost().await;
    let message = world.message(Class::Otp, 5);
    world.accept(&message).await;
    world.order("atlas").await.unwrap();
    world.pass(6_000).await;
    lose(&world).await;
    world.accept(&message).await;
    world
        .pass(SETTLED + u64::try_from(Class::Otp.grace().as_millis()).unwrap())
        .await;
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Unknown);
}

/// Rejected: whether nobody sent it before, only the store can say.
#[tokio::test(start_paused = true)]
async fn a_message_that_would_end_while_the_store_is_lost_holds_up_nobody() {
    let mut world = lost().await;
    world.store.lose();
    let rebuilder = world.store.rebuild().await.unwrap();
    assert!(rebuilder.is_some(), "who died at it keeps the others waiting");
    world.pass(2_000).await;
    let mut doomed = world.message(Class::Transactional, 60);
    doomed.account = AccountId::new("barred").unwrap();
    for _ in 0..20 {
        world.accept(&doomed).await;
    }
    let message = world.accepted().await;
    let order = world.peek("atlas").await;
    assert_eq!(order.map(|order| order.message.id), Some(message.id));
    world.pass(10_000).await;
    assert!(world.store.epoch().await.is_ok(), "the store is back");
    assert_eq!(world.end(&doomed).await, None);
    world.pass(SETTLED).await;
    assert_eq!(world.end(&doomed).await.unwrap().0, EndState::Rejected);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_comes_again_too_late_after_a_loss_holds_up_nobody() {
    let mut world = lost().await;
    let doomed = world.message(Class::Transactional, 5);
    world.accept(&doomed).await;
    world.order("atlas").await.unwrap();
    world.pass(6_000).await;
    lose(&world).await;
    for _ in 0..20 {
        world.accept(&doomed).await;
    }
    let message = world.accepted().await;
    let order = world.order("atlas").await;
    assert_eq!(order.map(|order| order.message.id), Some(message.id));
    assert_eq!(world.end(&doomed).await, None);
    world
        .pass(SETTLED + u64::try_from(doomed.class.grace().as_millis()).unwrap())
        .await;
    assert_eq!(world.end(&doomed).await.unwrap().0, EndState::Unknown);
}

/// Its accepted record comes again, and the table says another carrier by now: the first may have sent it and died.
#[tokio::test(start_paused = true)]
async fn a_message_that_comes_again_after_the_loss_is_left_to_its_order() {
    let mut world = lost().await;
    let message = world.accepted().await;
    let order = world.order("atlas").await.unwrap();
    lose(&world).await;
    world.pass(SETTLED).await;
    world.accept(&message).await;
    assert!(world.order("atlas").await.is_none() && world.order("borealis").await.is_none());
    world.answer(&order, next("throttled")).await;
    let second = world.order("borealis").await.unwrap();
    world.takes(&second, "r2").await;
    world.delivered(&second).await;
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Delivered);
}

/// Its accepted record comes again while nobody can say whether it was ordered: it waits, and whatever was accepted since does not.
#[tokio::test(start_paused = true)]
async fn a_message_from_before_the_loss_is_not_ordered_again_while_the_store_is_lost() {
    let mut world = lost().await;
    let message = world.accepted().await;
    let order = world.order("atlas").await.unwrap();
    world.store.lose();
    let rebuilder = world.store.rebuild().await.unwrap();
    assert!(rebuilder.is_some(), "who died at it keeps the others waiting");
    world.pass(2_000).await;
    world.table.replace(super::world::table("borealis atlas", ""));
    world.accept(&message).await;
    assert!(world.peek("atlas").await.is_none() && world.peek("borealis").await.is_none());
    let fresh = world.accepted().await;
    let second = world.peek("borealis").await;
    assert_eq!(second.map(|order| order.message.id), Some(fresh.id));
    world.pass(SETTLED).await;
    assert!(world.peek("atlas").await.is_none() && world.peek("borealis").await.is_none());
    world.takes(&order, "r1").await;
    world.delivered(&order).await;
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Delivered);
}

/// The answer that led to its second order comes again after a loss: that order stands on the log.
#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_again_after_the_loss_leads_to_no_second_order() {
    let mut world = lost().await;
    world.accepted().await;
    let order = world.order("atlas").await.unwrap();
    world.answer(&order, next("throttled")).await;
    assert_eq!(world.order("borealis").await.unwrap().number, order.number.next());
    lose(&world).await;
    world.table.replace(super::world::table("cirrus borealis atlas", ""));
    world.pass(SETTLED).await;
    world.answer(&order, next("throttled")).await;
    assert!(world.peek("borealis").await.is_none() && world.peek("cirrus").await.is_none());
}

/// The state was made again from a log that held the answer, and by somebody who left its ids to whoever reads it.
#[tokio::test(start_paused = true)]
async fn an_answer_that_the_state_knows_enters_its_ids_all_the_same() {
    let mut world = lost().await;
    let message = world.accepted().await;
    let order = world.order("atlas").await.unwrap();
    world.takes(&order, "r1").await;
    lose(&world).await;
    let key = keys::correlation(&order.carrier, "r1");
    let there = world.store.get(vec![key.clone()]).await.unwrap().remove(0).unwrap();
    let forget = Op::Swap {
        key,
        expected: Some(there.version),
        value: None,
        expires_at_ms: u64::MAX,
        due: None,
    };
    world.store.apply(vec![forget]).await.unwrap().1.await.unwrap();
    world.takes(&order, "r1").await;
    world.unmatched("atlas", "r1").await;
    world.pass(1_000).await;
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Delivered);
}

/// The router that ended it died before the end was on the log: the accepted record comes again, and tells it.
#[tokio::test(start_paused = true)]
async fn a_message_that_comes_again_after_the_loss_and_its_end_tells_the_end() {
    let mut world = lost().await;
    let message = world.accepted().await;
    let order = world.order("atlas").await.unwrap();
    world.takes(&order, "r1").await;
    lose(&world).await;
    world.delivered(&order).await;
    let told = world.events().await.len();
    world.accept(&message).await;
    assert_eq!(world.events().await.len(), told + 1);
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Delivered);
    assert!(world.order("atlas").await.is_none() && world.order("borealis").await.is_none());
}

//! A store that gives back other octets than it was given, or those of a later version.

use bytes::Bytes;
use journey::EndState;
use signalbox_proto::{
    keys,
    record::{self, Fault, dead_from_bytes},
    topics,
};
use sms::{Class, Message};
use store::{Op, Store};

use super::world::World;

impl World {
    /// Changes the octets of the message's state, and leaves its timer as it is.
    async fn spoil(&self, message: &Message, change: impl FnOnce(Bytes) -> Bytes) {
        let key = keys::state(message.id);
        let there = self.store.get(vec![key.clone()]).await.unwrap().remove(0).unwrap();
        let state = record::state_from_bytes(&there.value).unwrap();
        let partition = bus::PartitionId::of(message.key.0, self.config.partitions).0;
        let due = state.timer.map(|at| store::Due {
            partition,
            second: at.second_ceil(),
        });
        let swap = Op::Swap {
            key,
            expected: Some(there.version),
            value: Some(change(there.value)),
            expires_at_ms: u64::MAX,
            due,
        };
        self.store.apply(vec![swap]).await.unwrap().1.await.unwrap();
    }

    async fn faults(&self) -> Vec<(String, Fault)> {
        let dead = self.values(&topics::dead()).await.into_iter();
        dead.map(|octets| dead_from_bytes(&octets).unwrap())
            .map(|dead| (dead.topic, dead.fault))
            .collect()
    }
}

fn flipped(octets: Bytes) -> Bytes {
    let mut octets = octets.to_vec();
    *octets.last_mut().unwrap() ^= 1;
    octets.into()
}

async fn sent(world: &mut World) -> (Message, journey::Order) {
    let message = world.message(Class::Transactional, 60);
    world.accept(&message).await;
    let order = world.order("a").await.unwrap();
    world.takes(&order, "x").await;
    (message, order)
}

#[tokio::test(start_paused = true)]
async fn a_receipt_whose_state_is_damaged_is_put_aside_and_ends_its_message_all_the_same() {
    let mut world = World::new("a", "").await;
    let (message, order) = sent(&mut world).await;
    world.spoil(&message, flipped).await;
    world.delivered(&order).await;
    assert_eq!(
        world.faults().await,
        [("signalbox.receipts".to_owned(), Fault::Checksum)]
    );
    world.pass(40_000).await;
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Delivered);
}

#[tokio::test(start_paused = true)]
async fn a_message_whose_state_is_damaged_ends_though_nothing_more_is_heard_of_it() {
    let mut world = World::new("a", "").await;
    let (message, _) = sent(&mut world).await;
    world.spoil(&message, flipped).await;
    let grace = u64::try_from(message.class.grace().as_millis()).unwrap();
    world.pass(61_000 + grace + 40_000).await;
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Unknown);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_ended_before_its_state_was_damaged_ends_no_second_time() {
    let mut world = World::new("a", "").await;
    let (message, order) = sent(&mut world).await;
    world.delivered(&order).await;
    let end = world.ended(&message).await.unwrap();
    world.spoil(&message, flipped).await;
    world.delivered(&order).await;
    world.pass(3_600_000).await;
    assert_eq!(world.ended(&message).await, Some(end));
    let there = world
        .store
        .get(vec![keys::state(message.id)])
        .await
        .unwrap()
        .remove(0)
        .unwrap();
    assert!(record::state_from_bytes(&there.value).unwrap().ended.is_some());
}

/// An outcome tells what the message is, and not what became of it since.
#[tokio::test(start_paused = true)]
async fn an_outcome_that_comes_again_for_a_damaged_state_begins_nothing_anew() {
    let mut world = World::new("a b", "").await;
    let (message, order) = sent(&mut world).await;
    world.delivered(&order).await;
    let end = world.ended(&message).await.unwrap();
    world.spoil(&message, flipped).await;
    world.takes(&order, "x").await;
    assert_eq!(
        world.faults().await,
        [("signalbox.outcomes".to_owned(), Fault::Checksum)]
    );
    world.pass(3_600_000).await;
    assert!(world.order("b").await.is_none(), "it has ended");
    world.delivered(&order).await;
    assert_eq!(world.ended(&message).await, Some(end));
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_a_damaged_state_is_not_lost_with_the_ids_by_which_receipts_come() {
    let mut world = World::new("a", "").await;
    let message = world.message(Class::Transactional, 60);
    world.accept(&message).await;
    let order = world.order("a").await.unwrap();
    // Nothing of it stands in the store yet: only octets that are no state.
    let put = Op::Put {
        key: keys::state(message.id),
        value: Bytes::new(),
        expires_at_ms: u64::MAX,
    };
    world.store.apply(vec![put]).await.unwrap().1.await.unwrap();
    world.takes(&order, "x").await;
    world.pass(30_000).await;
    let id = keys::correlation(&order.carrier, "x");
    assert!(world.store.get(vec![id]).await.unwrap()[0].is_some());
    world.delivered(&order).await;
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Delivered);
}

/// Who accepted it was far ahead of the log's clock: its id is younger than its records.
#[tokio::test(start_paused = true)]
async fn a_damaged_state_is_made_again_whatever_clock_its_id_was_drawn_by() {
    let mut world = World::new("a", "").await;
    let mut message = world.message(Class::Transactional, 60);
    let ahead = message.id.instant().0 + 3_600_000;
    let hex = format!("{ahead:012x}{}", &message.id.0.simple().to_string()[12..]);
    message.id = sms::MessageId(hex.parse().unwrap());
    world.accept(&message).await;
    let order = world.order("a").await.unwrap();
    world.takes(&order, "x").await;
    world.spoil(&message, flipped).await;
    world.delivered(&order).await;
    world.pass(40_000).await;
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Delivered);
}

#[tokio::test(start_paused = true)]
async fn a_state_of_a_later_version_is_never_written_over_and_what_comes_for_it_can_be_replayed() {
    let mut world = World::new("a b", "").await;
    let (message, order) = sent(&mut world).await;
    let mut before = Bytes::new();
    world
        .spoil(&message, |octets| {
            before = octets;
            record::of_a_later_format(&before)
        })
        .await;
    world.takes(&order, "x").await;
    world.delivered(&order).await;
    world.pass(30_000).await;
    let faults = world.faults().await;
    let newer = |topic: &str| (topic.to_owned(), Fault::Newer);
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults.contains(&newer("signalbox.receipts")) && faults.contains(&newer("signalbox.outcomes")));
    let there = world
        .store
        .get(vec![keys::state(message.id)])
        .await
        .unwrap()
        .remove(0)
        .unwrap();
    assert_eq!(there.value, record::of_a_later_format(&before));
    let upgraded = Op::Put {
        key: keys::state(message.id),
        value: before,
        expires_at_ms: u64::MAX,
    };
    world.store.apply(vec![upgraded]).await.unwrap().1.await.unwrap();
    for octets in world.values(&topics::dead()).await {
        let dead = dead_from_bytes(&octets).unwrap();
        world
            .publish(&bus::Topic::new(dead.topic), message.key.0, dead.octets)
            .await;
    }
    world.pass(1_000).await;
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Delivered);
}

/// A minute to live, grace, and what a message may end late by, in milliseconds.
fn until_over(message: &Message) -> u64 {
    60_000 + u64::try_from(message.class.grace().as_millis()).unwrap() + 10_000
}

/// As a connector does that cannot read the order: it is on the dead topic, acked, and in nobody's hands.
async fn put_aside(world: &World, message: &Message) {
    let topic = topics::dispatch(&sms::CarrierName::new("a").unwrap(), message.class.lane());
    put_aside_from(world, &topic, message, Fault::Truncated).await;
}

async fn put_aside_from(world: &World, topic: &bus::Topic, message: &Message, fault: Fault) {
    let dead = record::DeadRecord::new(topic.as_str(), Bytes::from_static(b"x"), fault, "not to be read");
    world
        .publish(&topics::dead(), message.key.0, record::dead_to_bytes(&dead))
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_message_whose_order_nobody_can_read_expires() {
    let mut world = World::new("a", "").await;
    let message = world.accepted().await;
    world.peek("a").await.unwrap();
    put_aside(&world, &message).await;
    world.pass(until_over(&message)).await;
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Expired);
}

/// What it waited in may be lost as well, and a later version that can read it may come too late.
#[tokio::test(start_paused = true)]
async fn a_message_ends_whichever_of_its_records_nobody_can_read() {
    for (topic, fault) in [
        (topics::retry("5s"), Fault::Checksum),
        (topics::lookup(sms::Lane::Normal), Fault::Invalid),
        (topics::outcomes(), Fault::Newer),
    ] {
        let mut world = World::new("a", "").await;
        let message = world.accepted().await;
        world.peek("a").await.unwrap();
        put_aside_from(&world, &topic, &message, fault).await;
        world.pass(until_over(&message)).await;
        let end = world.end(&message).await;
        assert_eq!(end.map(|(state, _)| state), Some(EndState::Expired), "{topic}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_whose_answer_nobody_can_read_ends_as_unknown() {
    let mut world = World::new("a", "").await;
    let message = world.accepted().await;
    world.order("a").await.unwrap();
    world
        .publish(&topics::outcomes(), message.key.0, Bytes::from_static(b"\x00x"))
        .await;
    world.pass(until_over(&message)).await;
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Unknown);
}

#[tokio::test(start_paused = true)]
async fn a_message_whose_answer_nobody_can_read_is_delivered_if_its_receipts_say_so() {
    let mut world = World::new("a", "").await;
    let message = world.accepted().await;
    let order = world.order("a").await.unwrap();
    world
        .publish(&topics::outcomes(), message.key.0, Bytes::from_static(b"\x00x"))
        .await;
    world.delivered(&order).await;
    world.pass(until_over(&message)).await;
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Delivered);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_goes_on_is_not_held_up_by_a_lost_record_of_its_key() {
    let mut world = World::new("a b", "").await;
    let message = world.accepted().await;
    put_aside(&world, &message).await;
    let order = world.order("a").await.unwrap();
    world.pass(30_000).await;
    world.answer(&order, super::world::next("busy")).await;
    let order = world.order("b").await.unwrap();
    world.takes(&order, "x").await;
    world.delivered(&order).await;
    world.pass(until_over(&message)).await;
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Delivered);
}

/// A router that dies before it has made the states reads again what was put aside.
#[tokio::test(start_paused = true)]
async fn a_message_whose_order_nobody_can_read_ends_though_the_router_dies() {
    let mut world = World::new("a", "").await;
    let message = world.accepted().await;
    world.peek("a").await.unwrap();
    put_aside(&world, &message).await;
    world.crash().await;
    world.start().await;
    world.pass(until_over(&message)).await;
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Expired);
}

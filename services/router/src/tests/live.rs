//! Decisions on how carriers stand, as their connectors say.

use std::time::Duration;

use journey::{CarrierReport, EndState, LaneLoad, LinkState};
use signalbox_proto::{record, topics};
use sms::{CarrierName, Class};

use super::world::{World, link_down, next};

impl World {
    /// The connector of each carrier says how its link stands and how many seconds a password waits there.
    async fn say(&self, words: &[(&str, LinkState, u64)]) {
        for (name, state, wait) in words {
            let carrier = CarrierName::new(name).unwrap();
            let key = record::carrier_key(&carrier, "test");
            let now = self.deps.clock.now();
            let report = CarrierReport {
                carrier,
                incarnation: "test".into(),
                link: (*name).into(),
                state: *state,
                since: now - Duration::from_secs(2),
                said_at: now,
                binds: None,
                window_slots: 10,
                window_used: 0,
                rate_limit: None,
                taken_per_second: 0.0,
                lanes: [LaneLoad {
                    orders: 1,
                    wait: Some(Duration::from_secs(*wait)),
                }; 3],
            };
            self.publish(&topics::carriers(), key.0, record::carrier_to_bytes(&report))
                .await;
        }
    }

    /// Says so every second, for so many of them.
    async fn keep_saying(&self, words: &[(&str, LinkState, u64)], seconds: u64) {
        for _ in 0..seconds {
            self.say(words).await;
            self.pass(1_000 - 20 * words.len() as u64).await;
        }
    }

    /// Who is asked about a new message of `class`, if anybody.
    async fn asked(&mut self, class: Class) -> Option<&'static str> {
        let message = self.message(class, 600);
        self.accept(&message).await;
        for carrier in ["a", "b"] {
            if self.order(carrier).await.is_some() {
                return Some(carrier);
            }
        }
        None
    }
}

#[tokio::test(start_paused = true)]
async fn a_carrier_that_is_down_is_passed_over_until_it_is_back() {
    let mut world = World::new("a b", "").await;
    assert_eq!(world.asked(Class::Otp).await, Some("a"), "nobody said a word");
    world.say(&[("a", LinkState::Down, 0), ("b", LinkState::Up, 0)]).await;
    assert_eq!(world.asked(Class::Otp).await, Some("b"));
    world.say(&[("a", LinkState::Up, 0)]).await;
    assert_eq!(world.asked(Class::Otp).await, Some("a"), "at once");
}

#[tokio::test(start_paused = true)]
async fn a_router_that_starts_late_knows_before_its_first_decision() {
    let mut world = World::new("a b", "").await;
    world.drain().await;
    world.say(&[("a", LinkState::Down, 0), ("b", LinkState::Up, 0)]).await;
    let message = world.message(Class::Otp, 60);
    world.accept(&message).await;
    world.start().await;
    world.pass(20).await;
    assert!(world.order("a").await.is_none());
    assert!(world.order("b").await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_carrier_whose_connector_fell_silent_is_down() {
    let mut world = World::new("a b", "").await;
    world.say(&[("a", LinkState::Up, 0)]).await;
    world.keep_saying(&[("b", LinkState::Up, 0)], 9).await;
    assert_eq!(world.asked(Class::Otp).await, Some("a"));
    world.keep_saying(&[("b", LinkState::Up, 0)], 2).await;
    assert_eq!(world.asked(Class::Otp).await, Some("b"));
}

#[tokio::test(start_paused = true)]
async fn a_busy_carrier_spills_to_the_next_what_cannot_wait_so_long() {
    let mut world = World::new("a b", "").await;
    world.say(&[("a", LinkState::Up, 3), ("b", LinkState::Up, 0)]).await;
    assert_eq!(world.asked(Class::Otp).await, Some("b"), "two seconds are its limit");
    assert_eq!(world.asked(Class::Transactional).await, Some("a"), "thirty are");
    assert_eq!(world.asked(Class::Promotional).await, Some("a"));
    world.say(&[("a", LinkState::Up, 31)]).await;
    assert_eq!(world.asked(Class::Transactional).await, Some("b"));
    assert_eq!(world.asked(Class::Promotional).await, Some("a"), "never spilled");
}

#[tokio::test(start_paused = true)]
async fn where_all_are_down_the_message_waits_and_costs_nobody_a_hop() {
    let mut world = World::new("a b", "").await;
    let dark = [("a", LinkState::Down, 0), ("b", LinkState::Down, 0)];
    world.say(&dark).await;
    assert_eq!(world.asked(Class::Transactional).await, None);
    world.keep_saying(&dark, 30).await;
    assert!(world.order("a").await.is_none() && world.order("b").await.is_none());
    world
        .keep_saying(&[("a", LinkState::Down, 0), ("b", LinkState::Up, 0)], 8)
        .await;
    let order = world.order("b").await.unwrap();
    assert_eq!((order.number.0, order.attempts.len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn where_all_stay_down_the_message_expires() {
    let mut world = World::new("a", "").await;
    world.say(&[("a", LinkState::Down, 0)]).await;
    let message = world.message(Class::Otp, 30);
    world.accept(&message).await;
    world.keep_saying(&[("a", LinkState::Down, 0)], 33).await;
    assert_eq!(
        world.end(&message).await,
        Some((EndState::Expired, "deadline".to_owned()))
    );
    assert!(world.order("a").await.is_none());
}

#[tokio::test(start_paused = true)]
async fn where_all_are_busy_the_message_waits_until_one_is_not() {
    let mut world = World::new("a b", "").await;
    world.say(&[("a", LinkState::Up, 10), ("b", LinkState::Up, 10)]).await;
    assert_eq!(world.asked(Class::Otp).await, None);
    world.say(&[("b", LinkState::Up, 1)]).await;
    world.pass(5_000).await;
    assert!(world.order("b").await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_carrier_not_tried_goes_before_one_that_refused_once_it_is_back() {
    let mut world = World::new("a b", ", attempts = 4").await;
    world.say(&[("a", LinkState::Up, 0), ("b", LinkState::Down, 0)]).await;
    world.accepted().await;
    let order = world.order("a").await.unwrap();
    world.answer(&order, super::world::next("refused")).await;
    assert!(world.order("a").await.is_none());
    world.say(&[("b", LinkState::Up, 0)]).await;
    world.pass(5_100).await;
    assert!(world.order("b").await.is_some());
    assert!(world.order("a").await.is_none());
}

/// A restart of everything: the words kept are all old, and nobody is refused for what it said before.
#[tokio::test(start_paused = true)]
async fn what_was_said_long_ago_holds_no_message_back() {
    let mut world = World::new("a", "").await;
    world.say(&[("a", LinkState::Gone, 0)]).await;
    world.drain().await;
    world.pass(60_000).await;
    world.start().await;
    assert_eq!(world.asked(Class::Otp).await, Some("a"));
}

#[tokio::test(start_paused = true)]
async fn traffic_returns_as_soon_as_a_link_is_back() {
    let mut world = World::new("a b", "").await;
    world.say(&[("a", LinkState::Up, 0), ("b", LinkState::Up, 0)]).await;
    world.accepted().await;
    let order = world.order("a").await.unwrap();
    world.answer(&order, link_down()).await;
    assert!(world.order("b").await.is_some());
    world.say(&[("a", LinkState::Down, 0)]).await;
    assert_eq!(world.asked(Class::Otp).await, Some("b"));
    world.say(&[("a", LinkState::Up, 0)]).await;
    assert_eq!(world.asked(Class::Otp).await, Some("a"), "the hint went with it");
}

#[tokio::test(start_paused = true)]
async fn a_carrier_without_any_connector_gets_no_orders_and_its_messages_end() {
    let mut world = World::new("a b", "").await;
    let others = [("b", LinkState::Up, 0)];
    world.keep_saying(&others, 11).await;
    assert_eq!(world.asked(Class::Otp).await, Some("b"));
    world.table.replace(super::world::table("a", ""));
    world.keep_saying(&others, 1).await;
    let message = world.message(Class::Otp, 30);
    world.accept(&message).await;
    world.keep_saying(&others, 33).await;
    assert_eq!(
        world.end(&message).await,
        Some((EndState::Expired, "deadline".to_owned()))
    );
    assert!(world.order("a").await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_message_waits_for_a_busy_carrier_rather_than_ask_one_that_fails() {
    let mut world = World::new("a b", "").await;
    for _ in 0..10 {
        world.accepted().await;
        let order = world.order("a").await.unwrap();
        world.answer(&order, next("system_error")).await;
        while world.order("b").await.is_some() {}
    }
    world.say(&[("a", LinkState::Up, 0), ("b", LinkState::Up, 1_000)]).await;
    assert_eq!(world.asked(Class::Otp).await, None);
    world.say(&[("b", LinkState::Down, 0)]).await;
    assert_eq!(world.asked(Class::Otp).await, Some("a"), "nobody else is left");
}

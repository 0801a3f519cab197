//! Tables that bring carriers whose topics cannot be made.

use std::sync::atomic::Ordering;

use bus::Bus;
use journey::EndState;
use signalbox_proto::topics;
use sms::{CarrierName, Class, Message};
use store::Store;

use super::{
    slow::BARRED,
    world::{World, table},
};

impl World {
    /// A world that runs on carrier `a`, whose log refuses the topics of [`BARRED`].
    async fn barring() -> Self {
        let world = Self::slow("a", "", 1).await;
        world.is_barring.store(true, Ordering::Relaxed);
        world
    }

    /// Puts a table of `carriers` in force, and gives the router time to see it.
    async fn reload(&self, carriers: &str) {
        self.table.replace(table(carriers, ""));
        self.pass(500).await;
    }

    async fn accepted_and_passed(&mut self) -> Message {
        let message = self.accepted().await;
        self.pass(500).await;
        message
    }
}

#[tokio::test(start_paused = true)]
async fn a_carrier_whose_topics_are_refused_holds_nobody_up() {
    let mut world = World::barring().await;
    world.reload(&format!("{BARRED} a")).await;
    for _ in 0..2 {
        world.accepted_and_passed().await;
        assert!(world.order("a").await.is_some());
        assert!(world.order(BARRED).await.is_none());
    }
    world.is_barring.store(false, Ordering::Relaxed);
    world.pass(3_000).await;
    world.accepted_and_passed().await;
    assert!(world.order(BARRED).await.is_some(), "its topics are there now");
    assert!(world.order("a").await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_router_starts_without_a_carrier_whose_topics_are_refused() {
    let mut world = World::barring().await;
    world.reload(&format!("{BARRED} b a")).await;
    world.crash().await;
    world.accepted_and_passed().await;
    assert!(world.order("b").await.is_some(), "another new one is not held back");
}

#[tokio::test(start_paused = true)]
async fn messages_wait_for_topics_and_end_at_their_deadline_without() {
    let mut world = World::barring().await;
    world.reload(BARRED).await;
    let dead = world.message(Class::Transactional, 20);
    world.accept(&dead).await;
    world.pass(25_000).await;
    let expired = Some((EndState::Expired, "deadline".to_owned()));
    assert_eq!(world.end(&dead).await, expired);
    world.accepted_and_passed().await;
    world.is_barring.store(false, Ordering::Relaxed);
    world.pass(20_000).await;
    assert!(world.order(BARRED).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_lost_store_is_rebuilt_without_topics_that_are_refused() {
    let mut world = World::barring().await;
    world.reload(&format!("{BARRED} a")).await;
    world.store.lose();
    world.pass(5_000).await;
    assert!(world.store.epoch().await.is_ok());
    world.accepted_and_passed().await;
    assert!(world.order("a").await.is_some());
}

#[tokio::test(start_paused = true)]
async fn topics_with_other_partitions_keep_only_their_carrier_from_orders() {
    let mut world = World::new("a", "").await;
    let odd = CarrierName::new("odd").unwrap();
    world.bus.ensure(&topics::of_carrier(&odd, 3)).await.unwrap();
    world.reload("odd a").await;
    world.accepted_and_passed().await;
    assert!(world.order("a").await.is_some());
    world.reload("b").await;
    world.accepted_and_passed().await;
    assert!(world.order("b").await.is_some(), "the next table is seen");
    world.drain().await;
}

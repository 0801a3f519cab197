//! Decisions on how carriers delivered of late.

use sms::{Class, Message, ReceiptFault, ReceiptState};

use super::world::{World, next, table_with};

/// A best-value route over carriers that charge the same: who is not known to deliver worse goes by name.
const BEST: &str = "[[policy]]\nname = \"best\"\nroute = { strategy = \"best_value\" }\n";
/// Until a span of attempts is read: it may have begun just now, and the next one has to pass.
const READ_AFTER_MS: u64 = 11 * 60 * 1_000;

impl World {
    async fn best() -> Self {
        let world = Self::new("a b", "").await;
        world.table.replace(table_with("a b", "", BEST));
        world
    }

    /// A message with an hour to live that `a` is asked about and takes.
    async fn taken(&mut self) -> journey::Order {
        let message = self.message(Class::Transactional, 3_600);
        self.accept(&message).await;
        let order = self.order("a").await.expect("a is asked");
        self.takes(&order, &message.id.to_string()).await;
        order
    }

    /// Who is asked about a new message.
    async fn best_now(&mut self) -> &'static str {
        let message = self.message(Class::Transactional, 60);
        self.asked_about(message).await
    }

    async fn asked_about(&mut self, message: Message) -> &'static str {
        self.accept(&message).await;
        if self.order("a").await.is_some() {
            return "a";
        }
        assert!(self.order("b").await.is_some(), "nobody is asked");
        "b"
    }
}

#[tokio::test(start_paused = true)]
async fn a_carrier_that_falls_silent_loses_its_traffic() {
    let mut world = World::best().await;
    for _ in 0..30 {
        world.taken().await;
    }
    assert_eq!(world.best_now().await, "a", "receipts may still come");
    world.pass(READ_AFTER_MS).await;
    assert_eq!(world.best_now().await, "b");
    world.crash().await;
    assert_eq!(world.best_now().await, "a", "a restart begins with nothing");
}

#[tokio::test(start_paused = true)]
async fn a_carrier_that_delivers_is_preferred_to_one_that_is_not_known() {
    let mut world = World::best().await;
    for _ in 0..40 {
        world.accepted().await;
        let order = world.order("a").await.expect("a is asked");
        world.answer(&order, next("refused")).await;
        let order = world.order("b").await.expect("b is next");
        world.takes(&order, &order.message.id.to_string()).await;
        world.delivered(&order).await;
    }
    world.pass(READ_AFTER_MS).await;
    assert_eq!(world.best_now().await, "b", "40 of 40 prove more than 0.90");
}

#[tokio::test(start_paused = true)]
async fn a_handset_that_is_off_counts_as_not_delivered() {
    let mut world = World::best().await;
    for at in 0..40 {
        let order = world.taken().await;
        if at < 25 {
            world.delivered(&order).await;
        } else {
            world
                .receipt(&order, ReceiptState::Expired, ReceiptFault::Handset)
                .await;
        }
    }
    world.pass(READ_AFTER_MS).await;
    assert_eq!(world.best_now().await, "b");
}

/// Copies of answers and receipts, as after a crash of whoever published them.
#[tokio::test(start_paused = true)]
async fn repeats_count_once() {
    let mut world = World::best().await;
    for at in 0..29 {
        let order = world.taken().await;
        world.takes(&order, &order.message.id.to_string()).await;
        if at < 10 {
            for _ in 0..2 {
                world.receipt(&order, ReceiptState::Enroute, ReceiptFault::Route).await;
            }
        }
    }
    world.pass(READ_AFTER_MS).await;
    assert_eq!(world.best_now().await, "a", "29 attempts tell nothing");
}

#[tokio::test(start_paused = true)]
async fn messages_without_receipts_are_not_counted() {
    let mut world = World::best().await;
    for _ in 0..40 {
        let mut message = world.message(Class::Transactional, 3_600);
        message.receipt = false;
        world.accept(&message).await;
        let order = world.order("a").await.expect("a is asked");
        world.takes(&order, "id").await;
    }
    world.pass(READ_AFTER_MS).await;
    assert_eq!(world.best_now().await, "a");
}

#[tokio::test(start_paused = true)]
async fn orders_and_attempts_name_the_network() {
    let mut world = World::best().await;
    let order = world.taken().await;
    assert_eq!(order.network, "20801");
    world.delivered(&order).await;
    let ended = world.ended(&order.message).await.expect("it was delivered");
    assert_eq!(ended.attempts[0].network, "20801");
}

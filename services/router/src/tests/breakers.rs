//! Carriers whose links are up and that fail what they are asked.

use journey::Order;

use super::world::{World, next};

impl World {
    /// A new message and the order it becomes, for `a` or `b`.
    async fn ordered(&mut self) -> Order {
        self.accepted().await;
        for carrier in ["a", "b"] {
            if let Some(order) = self.order(carrier).await {
                return order;
            }
        }
        panic!("nobody is asked")
    }

    /// So many messages of which `a` fails each.
    async fn fail(&mut self, count: usize) {
        for _ in 0..count {
            let order = self.ordered().await;
            assert_eq!(order.carrier.as_str(), "a");
            self.answer(&order, next("system_error")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_carrier_that_fails_is_passed_over_and_comes_back_by_probes() {
    let mut world = World::new("a b", "").await;
    world.fail(9).await;
    while world.order("b").await.is_some() {}
    world.fail(1).await;
    while world.order("b").await.is_some() {}
    assert_eq!(world.ordered().await.carrier.as_str(), "b", "ten failed");
    world.pass(5_200).await;
    for _ in 0..5 {
        let probe = world.ordered().await;
        assert_eq!(probe.carrier.as_str(), "a");
        assert_eq!(world.ordered().await.carrier.as_str(), "b", "one probe at a time");
        world.takes(&probe, &probe.message.id.to_string()).await;
        world.pass(200).await;
    }
    for _ in 0..3 {
        assert_eq!(world.ordered().await.carrier.as_str(), "a");
    }
}

#[tokio::test(start_paused = true)]
async fn a_carrier_that_fails_is_asked_where_nobody_else_is_left() {
    let mut world = World::new("a", "").await;
    world.fail(30).await;
    assert_eq!(world.ordered().await.carrier.as_str(), "a");
}

#[tokio::test(start_paused = true)]
async fn refusals_of_messages_eject_nobody() {
    let mut world = World::new("a b", "").await;
    for _ in 0..40 {
        let order = world.ordered().await;
        assert_eq!(order.carrier.as_str(), "a");
        world.answer(&order, next("bad_sender")).await;
        while world.order("b").await.is_some() {}
    }
}

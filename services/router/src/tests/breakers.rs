//! Carriers whose links are up and that fail what they are asked.

use std::time::Duration;

use journey::{CarrierWord, Ejection, Ejections, Order, Pressure, RouterReport};
use signalbox_proto::{record, topics};
use sms::CarrierName;

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

/// The last word of the only router.
async fn said(world: &World) -> Ejections {
    let words = world.values(&topics::carriers()).await;
    let words = words.iter().map(|word| record::carrier_word_from_bytes(word).unwrap());
    let words = words.filter_map(|word| match word {
        CarrierWord::Router(said) => Some(said.ejections),
        CarrierWord::Link(_) => None,
    });
    words.last().expect("it spoke")
}

#[tokio::test(start_paused = true)]
async fn routers_say_whom_they_eject_and_that_it_is_over() {
    let mut world = World::new("a b", "").await;
    world.fail(10).await;
    world.pass(200).await;
    let ejection = Ejection {
        carrier: CarrierName::new("a").unwrap(),
        network: "20801".to_owned(),
    };
    let first = said(&world).await;
    assert_eq!(first.ejected, [ejection]);
    world.pass(2_000).await;
    let again = said(&world).await;
    assert_eq!(again.ejected, first.ejected);
    assert!(
        again.said_at.since(first.said_at) >= Duration::from_secs(1),
        "every second"
    );
    while world.order("b").await.is_some() {}
    world.pass(3_000).await;
    for _ in 0..5 {
        let probe = world.ordered().await;
        assert_eq!(probe.carrier.as_str(), "a", "its own words are not held against it");
        world.takes(&probe, &probe.message.id.to_string()).await;
        world.pass(200).await;
    }
    assert_eq!(said(&world).await.ejected, []);
}

#[tokio::test(start_paused = true)]
async fn a_router_spares_whom_another_one_ejects() {
    let mut world = World::new("a b", "").await;
    assert_eq!(world.ordered().await.carrier.as_str(), "a");
    let word = Ejections {
        router: "another".to_owned(),
        said_at: world.deps.clock.now(),
        ejected: vec![Ejection {
            carrier: CarrierName::new("a").unwrap(),
            network: "20801".to_owned(),
        }],
    };
    let key = record::router_key(&word.router);
    let report = RouterReport {
        ejections: word,
        pressure: Pressure::default(),
    };
    world
        .publish(&topics::carriers(), key.0, record::router_report_to_bytes(&report))
        .await;
    assert_eq!(world.ordered().await.carrier.as_str(), "b");
    world.pass(3_200).await;
    assert_eq!(world.ordered().await.carrier.as_str(), "a", "it said nothing more");
}

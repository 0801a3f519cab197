//! What a router says of what it has before it.

use std::time::Duration;

use journey::{CarrierReport, CarrierWord, LaneLoad, LinkState, Pressure};
use service::time;
use signalbox_proto::{record, topics};
use sms::{CarrierName, Class};

use super::world::World;

/// Every word of the only router, oldest first; the topic is compacted, so they are taken as they come.
pub(super) async fn words(world: &World, seconds: u64) -> Vec<Pressure> {
    let mut reader = world
        .deps
        .bus
        .read(&topics::carriers(), bus::Position::End)
        .await
        .unwrap();
    let until = time::now() + Duration::from_secs(seconds);
    let mut words = Vec::new();
    while let Some(stored) = time::timeout(until - time::now(), reader.next(1)).await {
        let stored = stored.unwrap();
        if let Ok(CarrierWord::Router(said)) = record::carrier_word_from_bytes(&stored[0].value) {
            words.push(said.pressure);
        }
    }
    words
}

/// Says that an order of the bulk lane waits for `seconds` at carrier `a`.
async fn queue(world: &World, seconds: u64) {
    let name = CarrierName::new("a").unwrap();
    let now = world.deps.clock.now();
    let bulk = LaneLoad {
        orders: seconds * 10,
        wait: Some(Duration::from_secs(seconds)),
    };
    let report = CarrierReport {
        carrier: name.clone(),
        incarnation: "test".to_owned(),
        link: "a".to_owned(),
        state: LinkState::Up,
        since: now,
        said_at: now,
        binds: None,
        window_slots: 10,
        window_used: 10,
        rate_limit: Some(10),
        taken_per_second: 10.0,
        lanes: [LaneLoad::default(), LaneLoad::default(), bulk],
    };
    let key = record::carrier_key(&name, "test");
    world
        .publish(&topics::carriers(), key.0, record::carrier_to_bytes(&report))
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_router_names_numbers_that_would_wait_and_says_when_it_is_over() {
    let mut world = World::new("a", "").await;
    queue(&world, 700).await;
    for _ in 0..200 {
        let message = world.message(Class::Promotional, 86_400);
        world.accept(&message).await;
    }
    queue(&world, 700).await;
    let said = words(&world, 3).await;
    assert!((2..=4).contains(&said.len()), "every second: {said:?}");
    let congested = said.last().unwrap().congested.clone();
    assert_eq!((congested.len(), congested[0].head.to_string().as_str()), (1, "336"));
    assert!((600..=700).contains(&congested[0].wait.as_secs()), "{congested:?}");
    queue(&world, 200).await;
    let said = words(&world, 5).await;
    assert_eq!(said.last(), Some(&Pressure::default()));
    assert!(said.iter().filter(|word| word.is_none()).count() == 1, "once: {said:?}");
}

#[tokio::test(start_paused = true)]
async fn a_router_says_how_far_it_is_behind() {
    let mut world = World::new("a", "").await;
    world.drain().await;
    world.config.batch_records_max = 20;
    for _ in 0..200 {
        let message = world.message(Class::Transactional, 3_600);
        world.accept(&message).await;
    }
    world.pass(16_000).await;
    world.start().await;
    let said = words(&world, 3).await;
    let lags = said.first().expect("it was behind").lags.map(|lag| lag.as_secs());
    assert_eq!((lags[0], lags[2]), (0, 0));
    assert!((16..=21).contains(&lags[1]), "{lags:?}");
    assert!(said.last().unwrap().is_none(), "it is no more: {said:?}");
}

/// One message waited for a router; a log whose clock is behind looks the same.
#[tokio::test(start_paused = true)]
async fn a_router_that_has_caught_up_is_not_behind_however_old_what_it_reads() {
    let mut world = World::new("a", "").await;
    world.drain().await;
    let message = world.message(Class::Transactional, 7_200);
    world.accept(&message).await;
    world.pass(3_600_000).await;
    world.start().await;
    assert_eq!(words(&world, 3).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_router_says_nothing_while_all_is_well() {
    let mut world = World::new("a", "").await;
    queue(&world, 20).await;
    for _ in 0..20 {
        world.accepted().await;
    }
    assert_eq!(words(&world, 5).await, []);
}

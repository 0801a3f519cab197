//! What waits a moment for others, and what does not: claims at a rate, and answers.

use std::time::Duration;

use journey::Order;
use service::time;
use sms::Class;

use super::rig::{Rig, taken, world_with};
use crate::fixture::order;

/// Orders of `class` by their numbers.
fn orders(ids: std::ops::RangeInclusive<u128>, class: Class) -> Vec<Order> {
    let of = |id| {
        let mut order = order(id);
        order.message.class = class;
        order
    };
    ids.map(of).collect()
}

/// The sizes of the batches that get to a link of 1,000 parts a second once its bucket is empty, and the milliseconds between them.
async fn paced(orders: &[Order]) -> Vec<(usize, u128)> {
    let world = world_with(orders).await;
    let with_rate = |settings: &mut crate::pump::Settings| {
        settings.window = 1_000;
        settings.rate = Some(1_000);
    };
    let mut rig = Rig::up_with(&world, with_rate).await;
    let mut left = 100_usize;
    while left > 0 {
        left = left.saturating_sub(rig.jobs().await.len());
    }
    let mut batches = Vec::new();
    for _ in 0..4 {
        let began = time::now();
        let parts = rig.jobs().await.len();
        batches.push((parts, time::now().duration_since(began).as_millis()));
    }
    batches
}

#[tokio::test(start_paused = true)]
async fn a_campaign_at_its_rate_is_claimed_in_batches_of_25_milliseconds() {
    assert_eq!(paced(&orders(1..=300, Class::Promotional)).await, [(25, 25); 4]);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_waits_for_is_claimed_as_soon_as_there_is_a_token_or_two() {
    let batches = paced(&orders(1..=300, Class::Transactional)).await;
    assert!(batches.iter().all(|(_, millis)| *millis <= 2), "{batches:?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_waits_for_waits_five_milliseconds_for_others() {
    for (class, waits) in [
        (Class::Promotional, true),
        (Class::Transactional, false),
        (Class::Otp, false),
    ] {
        let world = world_with(&orders(1..=1, class)).await;
        let mut rig = Rig::up(&world, 1).await;
        let job = rig.job().await;
        rig.answer(&job, taken("a1"));
        time::sleep(Duration::from_millis(4)).await;
        assert_eq!(world.said().await.is_empty(), waits, "{class:?}");
        time::sleep(Duration::from_millis(2)).await;
        assert_eq!(world.said().await, ["1 accepted a1"], "{class:?}");
    }
}

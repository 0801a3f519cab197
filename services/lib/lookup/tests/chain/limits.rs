//! When a provider is not asked.

use std::sync::Arc;

use futures::future::join_all;
use lookup::{BreakerConfig, Failure, Source};
use service::time;

use crate::scene::{Scene, Scripted, ms, network, number, numbers, secs, served_by};

fn scene(failures: u32) -> Scene {
    let mut scene = Scene::default();
    scene.limits.breaker = BreakerConfig {
        failures,
        pause: secs(5),
        pause_max: secs(15),
    };
    scene
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_fails_is_left_alone_and_tried_by_one_call_at_a_time() {
    let provider = Arc::new(Scripted::away("one"));
    let chain = scene(3).chain([&provider]);
    for at in 0..10 {
        chain.look_up(&[number(at)], secs(2)).await;
    }
    assert_eq!(provider.asked(), 3, "three failures open the breaker");
    for (pause, asked) in [(5, 4), (10, 5), (15, 6), (15, 7)] {
        time::sleep(secs(pause)).await;
        let numbers: Vec<_> = (0..10).map(|at| number(100 * asked + at)).collect();
        let callers = numbers
            .iter()
            .map(|number| chain.look_up(std::slice::from_ref(number), secs(2)));
        join_all(callers).await;
        assert_eq!(provider.asked(), asked, "one probe, after {pause} s");
    }
    provider.turns_to(|_| Ok(served_by("20810")));
    time::sleep(secs(15)).await;
    let answers = chain.look_up(&numbers(1), secs(2)).await;
    assert_eq!(answers[0].source, Source::Provider);
    let more: Vec<_> = (10..20).map(number).collect();
    chain.look_up(&more, secs(2)).await;
    assert_eq!(provider.asked(), 18, "it is well again");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_answers_some_of_a_batch_is_not_left_alone() {
    let provider = Arc::new(
        Scripted::new("one", |number| match number.digits().ends_with('0') {
            true => Ok(served_by("20810")),
            false => Err(Failure::Garbled("nonsense".to_owned())),
        })
        .in_batches_of(10),
    );
    let chain = scene(2).chain([&provider]);
    for at in 0..5 {
        let batch: Vec<_> = (0..10).map(|of| number(10 * at + of)).collect();
        chain.look_up(&batch, secs(2)).await;
    }
    assert_eq!(provider.asked(), 50);
}

#[tokio::test(start_paused = true)]
async fn a_busy_provider_is_left_alone_for_as_long_as_it_says() {
    let busy = || Failure::Busy {
        why: "slow down".to_owned(),
        retry_after: Some(secs(7)),
    };
    let provider = Arc::new(Scripted::new("one", move |_| Err(busy())).after_ms(0));
    let chain = scene(100).chain([&provider]);
    chain.look_up(&[number(1)], secs(2)).await;
    provider.turns_to(|_| Ok(served_by("20810")));
    time::sleep(ms(6_900)).await;
    chain.look_up(&[number(2)], secs(2)).await;
    assert_eq!(provider.asked(), 1);
    time::sleep(ms(200)).await;
    chain.look_up(&[number(3)], secs(2)).await;
    assert_eq!(provider.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn no_second_sees_more_numbers_than_the_rate() {
    let provider = Arc::new(Scripted::knows("one", "20810"));
    let mut scene = Scene::default();
    scene.limits.rate = Some(50);
    let chain = scene.chain([&provider]);
    let answers = chain.look_up(&numbers(500), secs(2)).await;
    let times = provider.times();
    for from in &times {
        let seen = times.iter().filter(|at| *at >= from && **at < *from + secs(1)).count();
        assert!(seen <= 50, "{seen}");
    }
    let known = answers
        .iter()
        .filter(|answer| answer.source == Source::Provider)
        .count();
    assert!((90..=100).contains(&known), "the budget is enough for {known}");
    assert_eq!(provider.asked(), 100, "nobody is asked after the budget");
}

#[tokio::test(start_paused = true)]
async fn what_one_provider_may_not_be_asked_another_is() {
    let slow = Arc::new(Scripted::knows("slow", "20810"));
    let fast = Arc::new(Scripted::knows("fast", "20815"));
    let mut scene = Scene::default();
    scene.limits.calls_max = 1;
    scene.limits.rate = Some(1);
    let chain = scene.chain([&slow, &fast]);
    let answers = chain.look_up(&numbers(2), ms(500)).await;
    let networks: Vec<_> = answers.iter().map(|answer| answer.network.unwrap()).collect();
    assert_eq!(networks, [network("20810"), network("20815")]);
}

#[tokio::test(start_paused = true)]
async fn no_more_calls_are_under_way_than_may_be() {
    let provider = Arc::new(Scripted::knows("one", "20810"));
    let mut scene = Scene::default();
    scene.limits.calls_max = 4;
    let chain = scene.chain([&provider]);
    chain.look_up(&numbers(20), secs(2)).await;
    let times = provider.times();
    for from in &times {
        let under_way = times.iter().filter(|at| *at >= from && **at < *from + ms(100)).count();
        assert!(under_way <= 4, "{under_way}");
    }
    assert_eq!(times.len(), 20);
}

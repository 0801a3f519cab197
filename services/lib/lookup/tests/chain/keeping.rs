//! How long answers are kept, and what is given meanwhile.

use std::{collections::BTreeSet, sync::Arc};

use lookup::{Chain, Confidence, Failure, Reach, Reply, Source};
use service::time;
use sms::Msisdn;

use crate::scene::{START, Scene, Scripted, ms, network, number, numbers, secs, served_by};

const DAY: u64 = 24 * 3_600;

async fn ask(chain: &Chain, number: &Msisdn) -> lookup::Answer {
    chain.look_up(std::slice::from_ref(number), secs(2)).await.remove(0)
}

#[tokio::test(start_paused = true)]
async fn times_to_live_differ_by_a_tenth_at_the_most_and_hardly_two_are_alike() {
    let provider = Arc::new(Scripted::knows("one", "20810").in_batches_of(500));
    let chain = Scene::default().chain([&provider]);
    let answers = chain.look_up(&numbers(1_000), secs(2)).await;
    let ttls: BTreeSet<_> = answers
        .iter()
        .map(|answer| (answer.expires_at.0 - answer.asked_at.0) / 1_000)
        .collect();
    let (least, most) = (*ttls.first().unwrap(), *ttls.last().unwrap());
    let percent = |of: u64| 7 * DAY * of / 100;
    assert!((percent(90)..percent(92)).contains(&least), "{least}");
    assert!((percent(108)..=percent(110)).contains(&most), "{most}");
    assert!(ttls.len() > 150, "{}", ttls.len());
}

#[tokio::test(start_paused = true)]
async fn who_says_for_how_long_is_asked_again_no_later() {
    let provider = Arc::new(Scripted::new("one", |_| {
        Ok(Reply {
            ttl: Some(secs(300)),
            ..served_by("20810")
        })
    }));
    let chain = Scene::default().chain([&provider]);
    for at in 0..20 {
        let answer = ask(&chain, &number(at)).await;
        let ttl = (answer.expires_at.0 - answer.asked_at.0) / 1_000;
        assert!((270..=300).contains(&ttl), "{ttl}");
    }
}

#[tokio::test(start_paused = true)]
async fn whether_a_handset_can_be_reached_is_forgotten_before_its_network() {
    let provider = Arc::new(Scripted::new("one", |_| {
        Ok(Reply {
            reach: Reach::Connected,
            roaming: Some(true),
            ported: Some(true),
            ..served_by("20810")
        })
    }));
    let chain = Scene::default().chain([&provider]);
    let number = number(1);
    ask(&chain, &number).await;
    time::sleep(secs(500)).await;
    let known = chain.known(&number).unwrap();
    assert_eq!((known.reach, known.roaming), (Reach::Connected, Some(true)));
    time::sleep(secs(200)).await;
    let known = chain.known(&number).unwrap();
    assert_eq!((known.reach, known.roaming), (Reach::Unknown, None));
    assert_eq!((known.network, known.ported), (Some(network("20810")), Some(true)));
    assert_eq!(known.asked_at, START);
}

#[tokio::test(start_paused = true)]
async fn a_stale_network_is_given_at_once_and_asked_anew_behind() {
    let provider = Arc::new(Scripted::knows("one", "20810"));
    let chain = Scene::default().chain([&provider]);
    let number = number(1);
    ask(&chain, &number).await;
    time::sleep(secs(8 * DAY)).await;
    provider.turns_to(|_| Ok(served_by("20815")));
    let began = time::now();
    for _ in 0..100 {
        let known = chain.known(&number).unwrap();
        assert_eq!(known.network, Some(network("20810")));
        assert_eq!(ask(&chain, &number).await.network, Some(network("20810")));
    }
    assert_eq!(time::now(), began, "nobody waits");
    time::sleep(ms(200)).await;
    assert_eq!(chain.known(&number).unwrap().network, Some(network("20815")));
    assert_eq!(provider.asked(), 2, "one query behind");
}

#[tokio::test(start_paused = true)]
async fn a_network_older_than_twice_its_time_is_not_given() {
    let provider = Arc::new(Scripted::knows("one", "20810"));
    let chain = Scene::default().chain([&provider]);
    ask(&chain, &number(1)).await;
    time::sleep(secs(16 * DAY)).await;
    assert_eq!(chain.known(&number(1)), None);
}

#[tokio::test(start_paused = true)]
async fn a_stale_network_outlives_a_provider_that_fails_and_is_not_asked_for_each_time() {
    let provider = Arc::new(Scripted::knows("one", "20810"));
    let chain = Scene::default().chain([&provider]);
    let number = number(1);
    ask(&chain, &number).await;
    provider.turns_to(|_| Err(Failure::Undecided("cannot say".to_owned())));
    time::sleep(secs(8 * DAY)).await;
    for _ in 0..100 {
        assert_eq!(chain.known(&number).unwrap().network, Some(network("20810")));
        time::sleep(ms(900)).await;
    }
    // Once at first, and once after each 40 to 50 s.
    assert!((4..=5).contains(&provider.asked()), "{}", provider.asked());
}

#[tokio::test(start_paused = true)]
async fn no_more_stale_numbers_are_asked_about_than_may_be() {
    let provider = Arc::new(Scripted::knows("one", "20810").in_batches_of(500));
    let mut scene = Scene::default();
    scene.config.refreshes_max = 30;
    let chain = scene.chain([&provider]);
    let numbers = numbers(100);
    chain.look_up(&numbers, secs(2)).await;
    time::sleep(secs(8 * DAY)).await;
    chain.look_up(&numbers, secs(2)).await;
    time::sleep(secs(1)).await;
    assert_eq!(provider.calls(), [100, 30], "together, and no more");
    chain.look_up(&numbers, secs(2)).await;
    time::sleep(secs(1)).await;
    assert_eq!(provider.calls(), [100, 30, 30], "there is room again");
}

#[tokio::test(start_paused = true)]
async fn a_dead_number_is_asked_about_again_after_a_day() {
    let provider = Arc::new(Scripted::new("one", |_| {
        Ok(Reply {
            reach: Reach::Dead,
            ..Reply::default()
        })
    }));
    let chain = Scene::default().chain([&provider]);
    let number = number(1);
    ask(&chain, &number).await;
    time::sleep(secs(21 * 3_600)).await;
    assert_eq!(chain.known(&number).unwrap().reach, Reach::Dead);
    time::sleep(secs(6 * 3_600)).await;
    assert_eq!(chain.known(&number), None);
}

#[tokio::test(start_paused = true)]
async fn that_asking_failed_is_remembered_for_less_than_a_minute() {
    let provider = Arc::new(Scripted::away("one"));
    let chain = Scene::default().chain([&provider]);
    let number = number(1);
    for _ in 0..10 {
        let answer = ask(&chain, &number).await;
        assert_eq!((answer.network, answer.confidence), (None, Confidence::Low));
    }
    assert_eq!(provider.asked(), 1);
    time::sleep(secs(39)).await;
    ask(&chain, &number).await;
    assert_eq!(provider.asked(), 1);
    time::sleep(secs(12)).await;
    ask(&chain, &number).await;
    assert_eq!(provider.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn that_nobody_knows_is_remembered_for_an_hour() {
    let provider = Arc::new(Scripted::new("one", |_| Ok(Reply::default())));
    let chain = Scene::default().chain([&provider]);
    let number = number(1);
    assert_eq!(ask(&chain, &number).await.source, Source::Plan);
    time::sleep(secs(50 * 60)).await;
    assert_eq!(ask(&chain, &number).await.source, Source::Memory);
    time::sleep(secs(20 * 60)).await;
    ask(&chain, &number).await;
    assert_eq!(provider.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn that_nobody_knows_is_remembered_for_long_only_where_everybody_was_asked() {
    let first = Arc::new(Scripted::new("first", |_| Ok(Reply::default())).after_ms(500));
    let second = Arc::new(Scripted::knows("second", "20810"));
    let chain = Scene::default().chain([&first, &second]);
    let number = number(1);
    chain.look_up(std::slice::from_ref(&number), ms(300)).await;
    time::sleep(secs(1)).await;
    assert_eq!(second.asked(), 0, "nobody waited");
    assert_eq!(chain.known(&number).unwrap().confidence, Confidence::Low);
    time::sleep(secs(50)).await;
    assert_eq!(ask(&chain, &number).await.network, Some(network("20810")));
}

#[tokio::test(start_paused = true)]
async fn the_list_speaks_where_asking_failed() {
    let provider = Arc::new(Scripted::away("one"));
    let mut scene = Scene::default();
    scene.book.0.insert(number(1), network("20815"));
    let chain = scene.chain([&provider]);
    let known = chain.known(&number(1)).unwrap();
    assert_eq!((known.source, known.ported), (Source::Ported, Some(true)));
    assert_eq!(provider.asked(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_forgotten_is_asked_for_again() {
    let provider = Arc::new(Scripted::knows("one", "20810"));
    let chain = Scene::default().chain([&provider]);
    let number = number(1);
    ask(&chain, &number).await;
    provider.turns_to(|_| Ok(served_by("20815")));
    chain.forget(&number).await;
    assert_eq!(chain.known(&number), None);
    let answer = ask(&chain, &number).await;
    assert_eq!(
        (answer.source, answer.network),
        (Source::Provider, Some(network("20815")))
    );
}

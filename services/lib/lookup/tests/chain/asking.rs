//! Who is asked, and who waits for it.

use std::sync::Arc;

use futures::future::join_all;
use lookup::{Confidence, Failure, Found, Reach, Reply, Seen, Skip, Source};
use service::time;
use table::Micros;

use crate::scene::{PRICE, Scene, Scripted, ms, network, number, numbers, secs, served_by};

#[tokio::test(start_paused = true)]
async fn a_thousand_who_want_to_know_cost_one_query() {
    let provider = Arc::new(Scripted::knows("one", "20810"));
    let chain = Scene::default().chain([&provider]);
    let number = [number(1)];
    let callers = (0..1_000).map(|_| chain.look_up(&number, secs(2)));
    let answers: Vec<_> = join_all(callers).await.into_iter().flatten().collect();
    assert_eq!(provider.calls(), [1]);
    assert!(answers.iter().all(|answer| answer.network == Some(network("20810"))));
    let cost: i64 = answers.iter().map(|answer| answer.cost.0).sum();
    assert_eq!(Micros(cost), PRICE, "one of them bears the cost");
    let known = chain.known(&number[0]).unwrap();
    assert_eq!(
        (known.source, &*known.provider, known.cost),
        (Source::Memory, "one", Micros(0))
    );
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_leaves_it_to_the_plan_and_the_answer_comes_for_the_next() {
    let provider = Arc::new(Scripted::knows("slow", "20810").after_ms(1_500));
    let chain = Scene::default().chain([&provider]);
    let number = number(1);
    let began = time::now();
    let answers = chain.look_up(std::slice::from_ref(&number), ms(300)).await;
    assert_eq!(time::now() - began, ms(300));
    assert_eq!(
        (answers[0].source, answers[0].confidence),
        (Source::Plan, Confidence::Low)
    );
    assert_eq!(answers[0].network, None);
    assert_eq!(chain.known(&number), None);
    // Who comes meanwhile waits for the same call.
    let answers = chain.look_up(std::slice::from_ref(&number), secs(2)).await;
    assert_eq!(time::now() - began, ms(1_500));
    assert_eq!((answers[0].source, answers[0].cost), (Source::Provider, PRICE));
    assert_eq!(provider.calls(), [1]);
    assert_eq!(chain.known(&number).unwrap().network, Some(network("20810")));
}

#[tokio::test(start_paused = true)]
async fn a_look_up_that_is_dropped_takes_the_answer_from_nobody() {
    let provider = Arc::new(Scripted::knows("one", "20810"));
    let chain = Scene::default().chain([&provider]);
    let number = number(1);
    let dropped = time::timeout(ms(10), chain.look_up(std::slice::from_ref(&number), secs(2))).await;
    assert!(dropped.is_none());
    time::sleep(ms(100)).await;
    assert_eq!(chain.known(&number).unwrap().network, Some(network("20810")));
}

#[tokio::test(start_paused = true)]
async fn providers_are_asked_in_order_and_each_for_what_is_left() {
    let first = Arc::new(
        Scripted::new("first", |number| match number.digits().as_bytes().last() {
            Some(b'0') => Ok(served_by("20810")),
            Some(b'1') => Ok(Reply::default()),
            Some(b'2') => Ok(served_by("31012")),
            Some(b'3') => Err(Failure::Garbled("nonsense".to_owned())),
            _ => Err(Failure::Undecided("cannot say".to_owned())),
        })
        .in_batches_of(100),
    );
    let second = Arc::new(Scripted::knows("second", "20815").in_batches_of(3));
    let chain = Scene::default().chain([&first, &second]);
    let answers = chain.look_up(&numbers(5), secs(2)).await;
    let by: Vec<_> = answers.iter().map(|answer| &*answer.provider).collect();
    assert_eq!(by, ["first", "second", "second", "second", "second"]);
    assert_eq!(answers[0].network, Some(network("20810")));
    assert!(
        answers[1..]
            .iter()
            .all(|answer| answer.network == Some(network("20815")))
    );
    assert_eq!((first.calls(), second.calls()), (vec![5], vec![3, 1]));
    // Who answered and did not know charged as well.
    assert_eq!((answers[1].cost, answers[3].cost), (Micros(2 * PRICE.0), PRICE));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_takes_too_long_is_given_up_for_the_next_provider() {
    let first = Arc::new(Scripted::knows("first", "20810").after_ms(60_000));
    let second = Arc::new(Scripted::knows("second", "20815"));
    let mut scene = Scene::default();
    scene.limits.timeout = ms(500);
    let chain = scene.chain([&first, &second]);
    let trace = chain.trace(&number(1), secs(2)).await;
    assert_eq!((trace.took, &*trace.answer.provider), (ms(600), "second"));
}

#[tokio::test(start_paused = true)]
async fn nobody_else_is_asked_for_whom_nobody_waits() {
    let first = Arc::new(Scripted::away("first").after_ms(1_000));
    let second = Arc::new(Scripted::knows("second", "20815"));
    let chain = Scene::default().chain([&first, &second]);
    chain.look_up(&numbers(1), ms(300)).await;
    time::sleep(secs(5)).await;
    assert_eq!((first.asked(), second.asked()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_dead_number_is_believed_from_those_with_authority_alone() {
    let dead = || Reply {
        reach: Reach::Dead,
        ..Reply::default()
    };
    let first = Arc::new(Scripted::new("first", move |_| Ok(dead())).without_authority());
    let second = Arc::new(Scripted::new("second", move |_| Ok(dead())));
    let scene = Scene::default();
    let answer = &scene.chain([&first]).look_up(&numbers(1), secs(2)).await[0];
    assert_eq!((answer.reach, answer.confidence), (Reach::Unknown, Confidence::Low));
    let answer = &scene.chain([&second]).look_up(&[number(2)], secs(2)).await[0];
    assert_eq!(
        (answer.reach, answer.confidence, &*answer.provider),
        (Reach::Dead, Confidence::High, "second")
    );
}

#[tokio::test(start_paused = true)]
async fn more_queries_than_may_be_under_way_are_left_to_the_plan() {
    let provider = Arc::new(Scripted::knows("one", "20810"));
    let mut scene = Scene::default();
    scene.config.queries_max = 10;
    let chain = scene.chain([&provider]);
    let answers = chain.look_up(&numbers(15), secs(2)).await;
    let known = answers
        .iter()
        .filter(|answer| answer.source == Source::Provider)
        .count();
    assert_eq!((known, provider.asked()), (10, 10));
}

#[tokio::test(start_paused = true)]
async fn a_chain_without_providers_leaves_all_to_the_plan_at_once() {
    let mut scene = Scene::default();
    scene.book.0.insert(number(3), network("20815"));
    let chain = scene.chain([]);
    let began = time::now();
    let answers = chain.look_up(&numbers(4), secs(2)).await;
    let sources: Vec<_> = answers.iter().map(|answer| answer.source).collect();
    assert_eq!(sources, [Source::Plan, Source::Plan, Source::Plan, Source::Ported]);
    assert_eq!(time::now(), began);
}

#[tokio::test(start_paused = true)]
async fn answers_are_learnt_from() {
    let provider = Arc::new(Scripted::knows("one", "20810").in_batches_of(100));
    let scene = Scene::default();
    let chain = scene.chain([&provider]);
    chain.look_up(&numbers(100), secs(2)).await;
    let learnt = scene.portability.rates(number(1).digits(), Some(network("20801")));
    assert_eq!(learnt.answers, 100, "{:?}", Seen::Ported);
    assert!(learnt.ported.get() > 500_000, "{learnt:?}");
}

#[tokio::test(start_paused = true)]
async fn a_trace_names_every_step() {
    let first = Arc::new(Scripted::away("first"));
    let second = Arc::new(Scripted::knows("second", "20815").after_ms(50));
    let mut scene = Scene::default();
    scene.limits.breaker.failures = 1;
    let chain = scene.chain([&first, &second]);
    let trace = chain.trace(&number(1), secs(2)).await;
    let steps: Vec<_> = trace
        .steps
        .iter()
        .map(|step| (step.source, &*step.provider, step.took))
        .collect();
    assert_eq!(
        steps,
        [
            (Source::Memory, "", ms(0)),
            (Source::Ported, "", ms(0)),
            (Source::Store, "", ms(0)),
            (Source::Provider, "first", ms(100)),
            (Source::Provider, "second", ms(50)),
        ]
    );
    assert_eq!((trace.took, trace.answer.network), (ms(150), Some(network("20815"))));
    let trace = chain.trace(&number(2), secs(2)).await;
    assert!(
        matches!(trace.steps[3].found, Found::Skipped(Skip::Breaker)),
        "{trace:?}"
    );
    let trace = chain.trace(&number(2), secs(2)).await;
    assert_eq!((trace.steps.len(), trace.answer.source), (1, Source::Memory));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_panics_takes_nobody_with_it() {
    let provider = Arc::new(Scripted::new("one", |_| panic!("a provider panics")));
    let chain = Scene::default().chain([&provider]);
    let began = time::now();
    let answers = chain.look_up(&numbers(1), secs(2)).await;
    assert_eq!((answers[0].source, time::now() - began), (Source::Plan, ms(100)));
    provider.turns_to(|_| Ok(served_by("20810")));
    let answers = chain.look_up(&numbers(1), secs(2)).await;
    assert_eq!(answers[0].source, Source::Provider);
}

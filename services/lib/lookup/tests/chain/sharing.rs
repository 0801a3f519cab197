//! What processes know together, and what nobody learns from it.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use lookup::{Chain, Reach, Reply, Source};
use service::time;
use store::{Applied, Commit, DueEntry, Epoch, Key, Op, Rebuild, Store, StoreError, Versioned};

use crate::scene::{Scene, Scripted, ms, network, number, numbers, secs, served_by};

const DAY: u64 = 24 * 3_600;

async fn source(chain: &Chain, at: usize) -> Source {
    chain.look_up(&[number(at)], secs(2)).await[0].source
}

#[tokio::test(start_paused = true)]
async fn what_one_process_found_out_another_need_not() {
    let provider = Arc::new(Scripted::new("one", |_| {
        Ok(Reply {
            ported: Some(true),
            reach: Reach::Absent,
            roaming: Some(false),
            ..served_by("20810")
        })
    }));
    let scene = Scene::default();
    let (first, second) = (scene.chain([&provider]), scene.chain([&provider]));
    let asked = first.look_up(&numbers(1), secs(2)).await.remove(0);
    time::sleep(ms(1)).await;
    let shared = second.look_up(&numbers(1), secs(2)).await.remove(0);
    assert_eq!(provider.asked(), 1);
    let expected = lookup::Answer {
        source: Source::Store,
        cost: table::Micros(0),
        ..asked
    };
    assert_eq!(shared, expected);
    assert_eq!(second.known(&number(0)).unwrap().source, Source::Memory, "for good");
    assert_eq!(first.known(&number(0)).unwrap().asked_at, shared.asked_at);
}

#[tokio::test(start_paused = true)]
async fn neither_keys_nor_values_tell_a_number() {
    let provider = Arc::new(Scripted::knows("one", "20810").in_batches_of(100));
    let scene = Scene::default();
    scene.chain([&provider]).look_up(&numbers(200), secs(2)).await;
    time::sleep(ms(1)).await;
    let kept = scene.store.scan("", None, 1_000).await.unwrap();
    assert_eq!(kept.len(), 200);
    for (key, value) in &kept {
        let key = std::str::from_utf8(&key.0).unwrap();
        assert!(key.starts_with("number/") && key.len() == 39, "{key}");
        assert!(value.value.len() <= 48, "{} octets", value.value.len());
        for number in numbers(200) {
            let end = &number.digits()[3..];
            assert!(!key.contains(end), "{key}");
            assert!(!value.value.windows(end.len()).any(|octets| octets == end.as_bytes()));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn another_secret_finds_nothing() {
    let provider = Arc::new(Scripted::knows("one", "20810"));
    let mut scene = Scene::default();
    source(&scene.chain([&provider]), 1).await;
    time::sleep(ms(1)).await;
    scene.config.secret = Some(source::Secret::new("another"));
    assert_eq!(source(&scene.chain([&provider]), 1).await, Source::Provider);
    time::sleep(ms(1)).await;
    scene.config.secret = None;
    assert_eq!(source(&scene.chain([&provider]), 1).await, Source::Provider);
    assert_eq!(
        scene.store.scan("", None, 10).await.unwrap().len(),
        2,
        "without a secret nothing is kept"
    );
}

#[tokio::test(start_paused = true)]
async fn what_the_store_keeps_is_stale_as_what_memory_keeps() {
    let provider = Arc::new(Scripted::knows("one", "20810"));
    let scene = Scene::default();
    source(&scene.chain([&provider]), 1).await;
    time::sleep(secs(8 * DAY)).await;
    let late = scene.chain([&provider]);
    let began = time::now();
    assert_eq!(source(&late, 1).await, Source::Store);
    assert_eq!(time::now(), began);
    time::sleep(ms(200)).await;
    assert_eq!(provider.asked(), 2, "it is asked anew behind");
    time::sleep(secs(16 * DAY)).await;
    assert_eq!(source(&scene.chain([&provider]), 1).await, Source::Provider);
}

#[tokio::test(start_paused = true)]
async fn what_failed_is_not_shared_and_what_nobody_knows_is() {
    let provider = Arc::new(Scripted::away("one"));
    let scene = Scene::default();
    source(&scene.chain([&provider]), 1).await;
    time::sleep(ms(1)).await;
    assert!(scene.store.scan("", None, 10).await.unwrap().is_empty());
    provider.turns_to(|_| Ok(Reply::default()));
    source(&scene.chain([&provider]), 1).await;
    time::sleep(ms(1)).await;
    assert_eq!(source(&scene.chain([&provider]), 1).await, Source::Store);
}

#[tokio::test(start_paused = true)]
async fn what_one_process_forgets_the_store_forgets() {
    let provider = Arc::new(Scripted::knows("one", "20810"));
    let scene = Scene::default();
    let chain = scene.chain([&provider]);
    source(&chain, 1).await;
    time::sleep(ms(1)).await;
    chain.forget(&number(1)).await;
    assert!(scene.store.scan("", None, 10).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn values_that_cannot_be_read_are_as_good_as_none_and_are_written_over() {
    let provider = Arc::new(Scripted::knows("one", "20810"));
    let scene = Scene::default();
    source(&scene.chain([&provider]), 1).await;
    time::sleep(ms(1)).await;
    let (key, sound) = scene.store.scan("", None, 1).await.unwrap().remove(0);
    for at in 0..sound.value.len() {
        let mut octets = sound.value.to_vec();
        octets[at] ^= 0x10;
        put(&*scene.store, &key, octets.into()).await;
        let answer = scene.chain([&provider]).look_up(&[number(1)], secs(2)).await.remove(0);
        assert_eq!(
            (answer.source, answer.network),
            (Source::Provider, Some(network("20810")))
        );
        time::sleep(ms(1)).await;
        assert_eq!(source(&scene.chain([&provider]), 1).await, Source::Store);
    }
}

async fn put(store: &dyn Store, key: &Key, value: Bytes) {
    let op = Op::Put {
        key: key.clone(),
        value,
        expires_at_ms: u64::MAX,
    };
    let (_, commit) = store.apply(vec![op]).await.unwrap();
    commit.await.unwrap();
}

/// Never answers.
struct Hangs;

impl Store for Hangs {
    fn apply(&self, _: Vec<Op>) -> BoxFuture<'_, Result<(Vec<Applied>, Commit), StoreError>> {
        Box::pin(std::future::pending())
    }

    fn get(&self, _: Vec<Key>) -> BoxFuture<'_, Result<Vec<Option<Versioned>>, StoreError>> {
        Box::pin(std::future::pending())
    }

    fn due(&self, _: u32, _: u64, _: usize) -> BoxFuture<'_, Result<Vec<DueEntry>, StoreError>> {
        Box::pin(std::future::pending())
    }

    fn scan<'a>(
        &'a self,
        _: &'a str,
        _: Option<&'a Key>,
        _: usize,
    ) -> BoxFuture<'a, Result<Vec<(Key, Versioned)>, StoreError>> {
        Box::pin(std::future::pending())
    }

    fn epoch(&self) -> BoxFuture<'_, Result<Epoch, StoreError>> {
        Box::pin(std::future::pending())
    }

    fn adopt(&self, _: &Epoch) {}

    fn rebuild(&self) -> BoxFuture<'_, Result<Option<Box<dyn Rebuild>>, StoreError>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_holds_nobody_up_for_long() {
    let provider = Arc::new(Scripted::knows("one", "20810"));
    let scene = Scene {
        store: Arc::new(Hangs),
        ..Scene::default()
    };
    let chain = scene.chain([&provider]);
    let mut took = Vec::new();
    for at in 0..10 {
        let began = time::now();
        let answers = chain.look_up(&[number(at)], ms(300)).await;
        assert_eq!(answers[0].source, Source::Provider);
        took.push(time::now() - began);
    }
    assert!(took.iter().all(|took| *took <= ms(201)), "{took:?}");
    assert!(
        took[5..].iter().all(|took| *took <= ms(101)),
        "it is left alone: {took:?}"
    );
}

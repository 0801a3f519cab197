//! A Redis that forgot something, or may have: nobody goes on unawares, and a restart that lost nothing costs nothing.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

#[path = "rig/fixture.rs"]
mod fixture;

use backing::{RedisOptions, RedisPersistence};
use fixture::{OnRedis, begin, durable};
use store::{Key, Op, RedisStore, Store, StoreError};

fn keys() -> Vec<Key> {
    (0..50).map(|id| Key::new("loss", id.to_string())).collect()
}

async fn write(store: &RedisStore) -> Result<(), StoreError> {
    let put = |key| Op::Put {
        key,
        value: "v".into(),
        expires_at_ms: u64::MAX,
    };
    let (_, commit) = store.apply(keys().into_iter().map(put).collect()).await?;
    commit.await
}

/// Asks again while the answer is that the server is away, which it is right after it broke a connection.
async fn settled(store: &RedisStore) -> Result<(), StoreError> {
    loop {
        match store.get(keys()).await {
            Err(StoreError::Away(_)) => tokio::task::yield_now().await,
            other => return other.map(drop),
        }
    }
}

#[tokio::test]
async fn a_restart_that_kept_nothing_ends_the_epoch() {
    let on = OnRedis::new(RedisOptions::default()).await;
    write(&on.store).await.unwrap();
    on.server.restart().unwrap();
    assert_eq!(settled(&on.store).await, Err(StoreError::Lost));
    assert_eq!(on.handle().epoch().await, Err(StoreError::Lost));
}

/// The data is there again, and one second of writes may be missing from it.
#[tokio::test]
async fn a_restart_that_may_lack_the_last_writes_ends_the_epoch() {
    let on = OnRedis::new(RedisOptions {
        persistence: RedisPersistence::EverySecond,
        ..RedisOptions::default()
    })
    .await;
    write(&on.store).await.unwrap();
    on.server.stop().unwrap();
    on.server.restart().unwrap();
    assert_eq!(settled(&on.handle()).await, Err(StoreError::Lost), "who comes first");
    assert_eq!(settled(&on.store).await, Err(StoreError::Lost), "and everybody else");
    // What is left is there for the one who rebuilds.
    let rebuilder = on.store.rebuild().await.unwrap().unwrap();
    let left = rebuilder.store().get(keys()).await.unwrap();
    assert!(left.iter().all(Option::is_some));
    on.store.adopt(&rebuilder.finish().await.unwrap());
    assert_eq!(settled(&on.store).await, Ok(()));
}

#[tokio::test]
async fn a_restart_that_lost_nothing_keeps_the_epoch() {
    let on = OnRedis::new(durable()).await;
    let epoch = on.store.epoch().await.unwrap();
    write(&on.store).await.unwrap();
    for _ in 0..2 {
        on.server.restart().unwrap();
        assert_eq!(settled(&on.store).await, Ok(()));
        assert_eq!(on.store.epoch().await.unwrap(), epoch);
    }
}

/// What counts is how the last writes were synced, and not how they were when a connection was made.
#[tokio::test]
async fn a_server_that_synced_less_for_a_while_may_lack_writes() {
    for less in [["appendfsync", "everysec"], ["no-appendfsync-on-rewrite", "yes"]] {
        let on = OnRedis::new(durable()).await;
        let epoch = on.store.epoch().await.unwrap();
        let set = |setting: [&str; 2]| on.server.command(&[&["CONFIG", "SET"], &setting[..]].concat()).unwrap();
        set(less);
        assert_eq!(
            on.store.epoch().await,
            Ok(epoch.clone()),
            "as long as it runs, nothing is gone"
        );
        write(&on.store).await.unwrap();
        // Its configuration file still says that every write is synced.
        on.server.restart().unwrap();
        assert_eq!(settled(&on.store).await, Err(StoreError::Lost), "{less:?}");
    }
}

#[tokio::test]
async fn a_server_that_syncs_every_write_again_keeps_its_epoch() {
    let on = OnRedis::new(durable()).await;
    let epoch = on.store.epoch().await.unwrap();
    for fsync in ["everysec", "always"] {
        on.server.command(&["CONFIG", "SET", "appendfsync", fsync]).unwrap();
        assert_eq!(on.store.epoch().await, Ok(epoch.clone()));
    }
    write(&on.store).await.unwrap();
    on.server.restart().unwrap();
    assert_eq!(settled(&on.store).await, Ok(()));
}

#[tokio::test]
async fn a_store_emptied_under_use_is_lost_at_the_next_call() {
    let on = OnRedis::new(RedisOptions::default()).await;
    write(&on.store).await.unwrap();
    on.server.flush().unwrap();
    assert_eq!(write(&on.store).await, Err(StoreError::Lost));
    assert_eq!(
        on.server.command(&["DBSIZE"]).unwrap(),
        ":0",
        "and nothing is written to it"
    );
}

/// As where one server of a cluster lost what it held.
#[tokio::test]
async fn a_store_half_lost_is_lost() {
    let on = OnRedis::new(RedisOptions::default()).await;
    write(&on.store).await.unwrap();
    on.server.command(&["DEL", "signalbox:{b03}:epoch"]).unwrap();
    assert_eq!(write(&on.store).await, Err(StoreError::Lost));
    assert_eq!(on.server.command(&["EXISTS", "signalbox:{b00}:epoch"]).unwrap(), ":0");
    for key in keys() {
        assert_eq!(on.store.get(vec![key]).await, Err(StoreError::Lost));
    }
}

#[tokio::test]
async fn a_new_handle_takes_the_epoch_it_finds_and_keeps_to_it() {
    let on = OnRedis::new(RedisOptions::default()).await;
    let other = on.handle();
    write(&other).await.unwrap();
    on.server.flush().unwrap();
    begin(&on.store).await;
    write(&on.store).await.unwrap();
    assert_eq!(write(&other).await, Err(StoreError::Lost), "not its epoch");
    assert_eq!(write(&on.store).await, Ok(()), "and it disturbs nobody");
    other.adopt(&other.epoch().await.unwrap());
    write(&other).await.unwrap();
}

/// Scripts are part of no backup and can be emptied by hand.
#[tokio::test]
async fn scripts_that_the_server_forgot_are_sent_again() {
    let on = OnRedis::new(RedisOptions::default()).await;
    on.server.command(&["SCRIPT", "FLUSH"]).unwrap();
    write(&on.store).await.unwrap();
    assert!(on.store.get(keys()).await.unwrap().iter().all(Option::is_some));
}

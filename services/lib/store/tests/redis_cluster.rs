//! The store in a cluster keeps every guarantee. The one server here refuses, as any does in a cluster, a script whose keys
//! are in different slots, so the suite also shows that no script of ours is such a one.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

#[path = "rig/fixture.rs"]
mod fixture;

use std::sync::{Arc, atomic::AtomicU64};

use backing::{Redis, RedisOptions};
use fixture::{OnRedis, begin, config, durable};
use store::{Due, Key, Op, RedisStore, Store, StoreError};

fn clustered() -> RedisOptions {
    RedisOptions {
        cluster: true,
        ..durable()
    }
}

store::conformance_suite!(OnRedis::new(clustered()));

#[test]
fn a_cluster_refuses_a_script_across_slots() {
    let server = Redis::start(clustered()).unwrap();
    let refused = |words: &[&str]| server.command(words).unwrap_err().to_string();
    let both = ["EVAL", "return 0", "2", "signalbox:{b00}:due", "signalbox:{b01}:due"];
    assert!(refused(&both).contains("CROSSSLOT"));
    // Newer servers hold a script to the slot of the keys it names, if its first line says so.
    let reach = "#!lua\nreturn redis.call('GET', 'signalbox:{b01}:due')";
    let undeclared = refused(&["EVAL", reach, "1", "signalbox:{b00}:due"]);
    assert!(undeclared.contains("same slot"), "{undeclared}");
}

async fn connect(server: &Redis) -> redis::aio::MultiplexedConnection {
    let client = redis::Client::open(server.url()).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

async fn ask(server: &Redis, words: &[&str]) -> String {
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    command.query_async(&mut connect(server).await).await.unwrap()
}

/// A cluster of three, each with a third of the slots.
async fn three() -> [Redis; 3] {
    let options = || RedisOptions {
        cluster: true,
        ..RedisOptions::default()
    };
    let servers = [0; 3].map(|_| Redis::start(options()).unwrap());
    let slots = [("0", "5460"), ("5461", "10922"), ("10923", "16383")];
    for (index, (server, (first, last))) in servers.iter().zip(slots).enumerate() {
        server.command(&["CLUSTER", "RESET", "HARD"]).unwrap();
        server.command(&["CLUSTER", "ADDSLOTSRANGE", first, last]).unwrap();
        let epoch = (index + 1).to_string();
        server.command(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch]).unwrap();
    }
    let nodes = ask(&servers[0], &["CLUSTER", "NODES"]).await;
    let address = nodes.split(' ').nth(1).unwrap().split(',').next().unwrap();
    let (port, bus) = address.rsplit_once(':').unwrap().1.split_once('@').unwrap();
    for server in &servers[1..] {
        server.command(&["CLUSTER", "MEET", "127.0.0.1", port, bus]).unwrap();
    }
    for server in &servers {
        loop {
            let info = ask(server, &["CLUSTER", "INFO"]).await;
            if info.contains("cluster_state:ok") && info.contains("cluster_size:3") {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    servers
}

fn keys() -> Vec<Key> {
    (0..100).map(|id| Key::new("three", id.to_string())).collect()
}

async fn write(store: &RedisStore) -> Result<(), StoreError> {
    let op = |(second, key)| Op::Swap {
        key,
        expected: None,
        value: Some("v".into()),
        expires_at_ms: u64::MAX,
        due: Some(Due { partition: 1, second }),
    };
    let applied = store.apply((0..).zip(keys()).map(op).collect()).await?;
    applied.1.await
}

/// Asks again while a server is away, or another is yet to be found.
async fn settled(store: &RedisStore) -> Result<(), StoreError> {
    loop {
        match store.get(keys()).await {
            Err(StoreError::Away(_)) => tokio::task::yield_now().await,
            other => return other.map(drop),
        }
    }
}

/// Any server of the cluster leads to the others, and each holds a part of the store.
#[tokio::test]
async fn a_store_is_spread_over_the_servers_of_a_cluster() {
    let servers = three().await;
    let now_ms = Arc::new(AtomicU64::new(1_000_000));
    let open = |server: &Redis| RedisStore::new(config(server.url(), &now_ms)).unwrap().on_own_clock();
    let [store, other, third] = [0, 1, 2].map(|index| open(&servers[index]));
    begin(&store).await;
    write(&store).await.unwrap();
    for server in &servers {
        assert_ne!(server.command(&["DBSIZE"]).unwrap(), ":0");
    }
    assert!(other.get(keys()).await.unwrap().iter().all(Option::is_some));
    let due = other.due(1, 1_000, 60).await.unwrap();
    assert_eq!(
        due.iter().map(|entry| entry.second).collect::<Vec<_>>(),
        (0..60).collect::<Vec<_>>()
    );
    let mut sorted = keys();
    sorted.sort();
    let scanned = third.scan("three/", None, 1_000).await.unwrap();
    assert_eq!(scanned.into_iter().map(|(key, _)| key).collect::<Vec<_>>(), sorted);

    // A bucket that moves empty, as all that was in it is lost with the server it was on.
    let slot = ask(
        &servers[0],
        &[
            "EVAL",
            "return tostring(redis.call('CLUSTER', 'KEYSLOT', '{b00}'))",
            "0",
        ],
    )
    .await;
    let slot: u16 = slot.parse().unwrap();
    let owner = [5_460, 10_922, 16_383].iter().position(|last| slot <= *last).unwrap();
    servers[owner].command(&["FLUSHALL"]).unwrap();
    let target = &servers[(owner + 1) % 3];
    let id = ask(target, &["CLUSTER", "MYID"]).await;
    for server in [target, &servers[owner]] {
        server
            .command(&["CLUSTER", "SETSLOT", &slot.to_string(), "NODE", &id])
            .unwrap();
    }
    assert_eq!(
        settled(&store).await,
        Err(StoreError::Lost),
        "followed, and found empty"
    );
    begin(&store).await;
    assert_eq!(settled(&store).await, Ok(()));
    assert_eq!(settled(&other).await, Err(StoreError::Lost));

    // One server loses all: the store is lost for everybody, also where the others are whole.
    other.adopt(&store.epoch().await.unwrap());
    assert_eq!(settled(&other).await, Ok(()));
    target.command(&["FLUSHALL"]).unwrap();
    assert_eq!(settled(&store).await, Err(StoreError::Lost));
    assert_eq!(settled(&other).await, Err(StoreError::Lost));
    assert_eq!(store.epoch().await, Err(StoreError::Lost));
}

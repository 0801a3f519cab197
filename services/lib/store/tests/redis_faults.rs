//! A Redis that cannot be used says what to do about it, soon, and is used again as soon as it can.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

#[path = "rig/fixture.rs"]
mod fixture;

use std::sync::{Arc, atomic::AtomicU64};

use backing::{Redis, RedisOptions};
use fixture::{OnRedis, begin, config};
use store::{Key, Op, RedisConfig, RedisStore, Store, StoreError};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

fn settings(url: impl Into<String>) -> RedisConfig {
    config(url.into(), &Arc::new(AtomicU64::new(1_000_000)))
}

/// What a handle with these settings says of a server that cannot be used.
async fn refusal(config: RedisConfig) -> String {
    match RedisStore::new(config).unwrap().epoch().await {
        Err(error @ StoreError::Away(_)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

fn wrong(config: RedisConfig) -> String {
    match RedisStore::new(config) {
        Err(error @ StoreError::Settings(_)) => error.to_string(),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("they are wrong"),
    }
}

fn put(id: usize, octets: usize) -> Op {
    Op::Put {
        key: Key::new("fault", id.to_string()),
        value: vec![0; octets].into(),
        expires_at_ms: u64::MAX,
    }
}

#[test]
fn wrong_settings_are_told_at_once() {
    assert!(wrong(settings("http://127.0.0.1")).contains("redis://host:6379"));
    let tls = |url: &str| RedisConfig {
        ca: Some("no/such/file.pem".into()),
        ..settings(url)
    };
    assert!(wrong(tls("redis://127.0.0.1")).contains("write rediss://"));
    assert!(wrong(tls("rediss://127.0.0.1")).contains("no/such/file.pem"));
    let half = RedisConfig {
        certificate: Some("client.pem".into()),
        ..settings("rediss://127.0.0.1")
    };
    assert!(wrong(half).contains("a certificate and no key"));
}

#[test]
fn a_password_is_shown_nowhere() {
    let shown = format!("{:?}", settings("redis://user:hush@127.0.0.1:6379/1"));
    assert!(
        shown.contains("redis://***@127.0.0.1:6379/1") && !shown.contains("hush"),
        "{shown}"
    );
    assert!(!wrong(settings("http://user:hush@127.0.0.1")).contains("hush"));
}

#[tokio::test]
async fn a_wrong_password_is_told() {
    let server = Redis::start(RedisOptions {
        password: Some("right".to_owned()),
        ..RedisOptions::default()
    })
    .unwrap();
    let store = RedisStore::new(settings(server.url())).unwrap();
    begin(&store).await;
    let none = refusal(settings(server.url().replace(":right@", ""))).await;
    assert!(none.contains("wants a password"), "{none}");
    let other = refusal(settings(server.url().replace("right", "wrong"))).await;
    assert!(
        other.contains("user") && other.contains("password") && !other.contains("wrong"),
        "{other}"
    );
}

/// The user that the words ask for is enough, and any less is told.
#[tokio::test]
async fn what_a_user_may_not_do_is_told() {
    let on = OnRedis::new(RedisOptions::default()).await;
    let url = on.server.url().replace("redis://", "redis://signalbox:hush@");
    let allow = |commands: &[&str]| {
        let user = ["ACL", "SETUSER", "signalbox", "reset", "on", ">hush", "~signalbox:*"];
        on.server.command(&[&user[..], commands].concat()).unwrap();
    };
    allow(&["+@read", "+info"]);
    let told = refusal(settings(&url)).await;
    let (_, asked) = told.split_once("allow it ~signalbox:* ").expect(&told);
    allow(&asked.split(' ').collect::<Vec<_>>());
    let store = RedisStore::new(settings(&url)).unwrap().on_own_clock();
    store.apply(vec![put(1, 1)]).await.map(drop).unwrap();
    let key = Key::new("fault", "1");
    assert!(store.get(vec![key.clone()]).await.unwrap()[0].is_some());
    assert_eq!(store.scan("fault/", None, 9).await.unwrap().len(), 1);
    assert_eq!(store.due(1, 1, 1).await, Ok(vec![]));
    on.server.flush().unwrap();
    begin(&store).await;
    assert_eq!(store.get(vec![key]).await, Ok(vec![None]));
}

#[tokio::test]
async fn a_server_that_forgets_by_itself_is_refused() {
    let server = Redis::start(RedisOptions {
        memory_max: Some(64 << 20),
        policy: Some("allkeys-lru"),
        ..RedisOptions::default()
    })
    .unwrap();
    let told = refusal(settings(server.url())).await;
    assert!(
        told.contains("allkeys-lru") && told.contains("set maxmemory-policy noeviction"),
        "{told}"
    );
}

/// Settings can change under way; whoever asks for the epoch hears of it.
#[tokio::test]
async fn a_server_that_begins_to_forget_by_itself_is_refused() {
    let on = OnRedis::new(RedisOptions::default()).await;
    on.server.command(&["CONFIG", "SET", "maxmemory", "64mb"]).unwrap();
    on.store.epoch().await.unwrap();
    on.server
        .command(&["CONFIG", "SET", "maxmemory-policy", "volatile-ttl"])
        .unwrap();
    for _ in 0..2 {
        let told = on.store.epoch().await.unwrap_err().to_string();
        assert!(told.contains("set maxmemory-policy noeviction"), "{told}");
    }
    assert!(matches!(
        on.store.apply(vec![put(1, 1)]).await.map(drop),
        Err(StoreError::Away(_))
    ));
}

#[tokio::test]
async fn a_replica_is_refused() {
    let on = OnRedis::new(RedisOptions::default()).await;
    let replica = Redis::start(RedisOptions::default()).unwrap();
    let port = on.server.url().rsplit_once(':').unwrap().1.to_owned();
    replica.command(&["REPLICAOF", "127.0.0.1", &port]).unwrap();
    let told = refusal(settings(replica.url())).await;
    assert!(told.contains("name the primary"), "{told}");
}

/// Fills it up, writes beyond, makes room, writes again.
#[tokio::test]
async fn a_full_server_takes_nothing_and_says_so() {
    let on = OnRedis::new(RedisOptions {
        memory_max: Some(8 << 20),
        ..RedisOptions::default()
    })
    .await;
    let mut id = 0;
    // At the limit some scripts of a call may find room and others not, which is told as away.
    let told = loop {
        assert!(id < 10_000, "it is never full");
        match on.store.apply((id..id + 20).map(|id| put(id, 10_000)).collect()).await {
            Err(StoreError::Full(told)) => break told,
            Ok(_) | Err(StoreError::Away(_)) => id += 20,
            Err(other) => panic!("{other}"),
        }
    };
    assert!(told.contains("raise maxmemory"), "{told}");
    let asked = (id..id + 20).map(|id| Key::new("fault", id.to_string())).collect();
    assert_eq!(
        on.store.get(asked).await,
        Ok(vec![None; 20]),
        "nothing of the call was applied"
    );
    // A full store can still be emptied, and is then full no more.
    let remove = |id: usize| Op::Remove {
        key: Key::new("fault", id.to_string()),
    };
    on.store.apply((0..id).map(remove).collect()).await.map(drop).unwrap();
    on.store.apply(vec![put(0, 10)]).await.map(drop).unwrap();
}

#[tokio::test]
async fn a_server_that_went_away_is_found_again() {
    let on = OnRedis::new(fixture::durable()).await;
    on.server.kill().unwrap();
    for _ in 0..3 {
        let told = on.store.apply(vec![put(1, 1)]).await.map(drop).unwrap_err();
        assert!(matches!(told, StoreError::Away(_)), "{told}");
    }
    let told = on.store.epoch().await.unwrap_err().to_string();
    assert!(told.contains("nothing listens there"), "{told}");
    on.server.restart().unwrap();
    while on.store.apply(vec![put(1, 1)]).await.is_err() {
        tokio::task::yield_now().await;
    }
}

/// Speaks, but not as a Redis; hangs up; says nothing at all.
#[tokio::test]
async fn what_is_not_a_redis_is_told() {
    let answers = [Some(&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..]), Some(&b""[..]), None];
    let tellings = ["not answer as a Redis", "check that it runs", "did not answer in time"];
    for (answer, telling) in answers.into_iter().zip(tellings) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let peer = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            if let Some(answer) = answer {
                let _ = stream.read(&mut [0; 64]).await;
                let _ = stream.write_all(answer).await;
                drop(stream);
            } else {
                futures::future::pending::<()>().await;
            }
        };
        let asking = refusal(settings(url));
        futures::pin_mut!(peer, asking);
        let told = match futures::future::select(peer, asking).await {
            futures::future::Either::Left(((), asking)) => asking.await,
            futures::future::Either::Right((told, _)) => told,
        };
        assert!(told.contains(telling), "{told}");
    }
}

#[tokio::test]
async fn tls_is_spoken_and_its_failures_are_told() {
    let server = Redis::start(RedisOptions {
        tls: true,
        ..RedisOptions::default()
    })
    .unwrap();
    let certificates = server.certificates().unwrap();
    let trusting = RedisConfig {
        ca: Some(certificates.ca.clone()),
        ..settings(server.url())
    };
    let store = RedisStore::new(trusting.clone()).unwrap().on_own_clock();
    begin(&store).await;
    store.apply(vec![put(1, 1)]).await.map(drop).unwrap();
    // A server may want to know who comes.
    server.command(&["CONFIG", "SET", "tls-auth-clients", "yes"]).unwrap();
    let known = RedisConfig {
        certificate: Some(certificates.client.clone()),
        key: Some(certificates.client_key.clone()),
        ..trusting.clone()
    };
    let store = RedisStore::new(known).unwrap().on_own_clock();
    assert!(store.get(vec![Key::new("fault", "1")]).await.unwrap()[0].is_some());
    assert!(refusal(trusting).await.contains("TLS failed"), "without a certificate");
    let told = refusal(settings(server.url())).await;
    assert!(told.contains("TLS failed; check ca"), "{told}");
    let told = refusal(settings(server.url().replace("rediss", "redis"))).await;
    assert!(told.contains("TLS") || told.contains("check that it runs"), "{told}");
}

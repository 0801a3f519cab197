//! Redis comes up in every variant, and comes back as its disk allows.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::fs;

use backing::{Redis, RedisOptions, RedisPersistence};

fn answer(redis: &Redis, words: &[&str]) -> String {
    redis.command(words).unwrap()
}

#[test]
fn what_is_not_written_is_gone_after_a_kill() {
    let redis = Redis::start(RedisOptions::default()).unwrap();
    assert_eq!(answer(&redis, &["SET", "key", "value"]), "+OK");
    let url = redis.url();
    redis.kill().unwrap();
    assert!(redis.command(&["PING"]).is_err());
    redis.restart().unwrap();
    assert_eq!(redis.url(), url);
    assert_eq!(answer(&redis, &["EXISTS", "key"]), ":0");
}

#[test]
fn what_is_written_is_there_after_a_kill_until_it_is_flushed() {
    let options = RedisOptions {
        persistence: RedisPersistence::Always,
        ..RedisOptions::default()
    };
    let redis = Redis::start(options).unwrap();
    answer(&redis, &["SET", "key", "value"]);
    redis.kill().unwrap();
    redis.restart().unwrap();
    assert_eq!(answer(&redis, &["EXISTS", "key"]), ":1");
    redis.flush().unwrap();
    assert_eq!(answer(&redis, &["EXISTS", "key"]), ":0");
}

#[test]
fn a_cluster_of_one_serves_every_slot_also_after_a_restart() {
    let options = RedisOptions {
        cluster: true,
        persistence: RedisPersistence::Always,
        ..RedisOptions::default()
    };
    let redis = Redis::start(options).unwrap();
    for key in ["a", "b", "c"] {
        assert_eq!(answer(&redis, &["SET", key, "value"]), "+OK");
    }
    redis.kill().unwrap();
    redis.restart().unwrap();
    assert_eq!(answer(&redis, &["SET", "d", "value"]), "+OK");
}

#[test]
fn password_certificates_and_limit_are_in_force() {
    let options = RedisOptions {
        // Less than it holds when empty.
        memory_max: Some(100_000),
        password: Some("secret".to_owned()),
        tls: true,
        ..RedisOptions::default()
    };
    let redis = Redis::start(options).unwrap();
    assert!(redis.url().starts_with("rediss://:secret@127.0.0.1:"));
    let ca = fs::read_to_string(&redis.certificates().unwrap().ca).unwrap();
    assert!(ca.contains("BEGIN CERTIFICATE"));
    let refused = redis.command(&["SET", "key", "value"]).unwrap_err().to_string();
    assert!(refused.contains("OOM"), "{refused}");
}

#[test]
fn memory_grows_by_what_is_kept() {
    let redis = Redis::start(RedisOptions::default()).unwrap();
    let before = redis.memory().unwrap();
    let value = "v".repeat(1 << 20);
    assert_eq!(answer(&redis, &["SET", "key", &value]), "+OK");
    let grown = redis.memory().unwrap() - before;
    assert!(
        (1 << 20..2 << 20).contains(&grown),
        "{grown} octets for a value of {}",
        value.len()
    );
}

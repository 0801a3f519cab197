//! The roles apart, end to end: the demonstration as its own oracle over a real Apache Kafka and a real Redis, with every role
//! in processes of its own. A machine without either fails these tests, and says what to do.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{
    process::Command,
    sync::{Mutex, PoisonError},
};

use backing::{Redis, RedisOptions, shared_kafka};

/// Scenes share a broker, and with it the topics and groups of one installation: one scene at a time.
static STAGE: Mutex<()> = Mutex::new(());

/// Plays one scene with a Redis of its own; the log keeps what earlier scenes wrote, as the log of an installation does.
/// Returns what the demonstration printed.
fn play(arguments: &[&str]) -> String {
    let _alone = STAGE.lock().unwrap_or_else(PoisonError::into_inner);
    let redis = Redis::start(RedisOptions::default()).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_signalbox"))
        .args(["demo", "--bus", "kafka"])
        .args(["--brokers", &shared_kafka().bootstrap(), "--redis", &redis.url()])
        .args(arguments)
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stdout}\n{stderr}");
    assert!(stdout.contains("The books are in order"), "{stdout}\n{stderr}");
    stdout
}

/// A carrier goes dark and a price falls while messages flow.
#[test]
fn every_message_ends_once_when_a_carrier_goes_dark_and_a_price_changes() {
    play(&["--messages", "1200", "--rate", "300"]);
}

/// A router joins, one is drained, a connector is replaced, a router is killed.
#[test]
fn no_message_is_lost_or_doubled_while_processes_come_and_go() {
    play(&["--messages", "1200", "--rate", "200", "--rolling"]);
}

/// SIGKILL of a router and a connector in the middle of the traffic.
#[test]
fn every_message_ends_once_when_a_router_and_a_connector_are_killed() {
    play(&["--messages", "1000", "--rate", "300", "--crash"]);
}

/// FLUSHALL in the middle of the traffic.
#[test]
fn every_message_ends_once_when_the_store_is_emptied() {
    let said = play(&["--messages", "1000", "--rate", "200", "--store-loss"]);
    assert!(said.contains("store rebuilt"), "{said}");
}

//! What the project stands on, for tests, the demonstration and a laptop without a container engine: Apache Kafka and
//! Redis, the real ones, started on free ports of the loopback and ended with whoever started them.
//!
//! A server is killed when its handle is dropped, and also when the process that holds the handle dies, however it dies.
//! What is missing is said with what to do about it: a test that needs Kafka or Redis fails where they cannot be had.

mod fetch;
mod kafka;
mod port;
mod process;
mod redis;
mod tls;
mod wait;

use std::sync::OnceLock;

pub use fetch::{kafka_jars, kafka_version};
pub use kafka::{Kafka, KafkaOptions, KafkaSecurity, KafkaSpeed};
pub use redis::{Redis, RedisOptions, RedisPersistence};
pub use tls::Certificates;

/// One broker in plain text for all tests of this process, started by the first that asks.
///
/// # Panics
/// If it cannot be started; every caller is told why.
pub fn shared_kafka() -> &'static Kafka {
    static SHARED: OnceLock<Result<Kafka, String>> = OnceLock::new();
    let started = SHARED.get_or_init(|| Kafka::start(KafkaOptions::default()).map_err(|error| error.to_string()));
    started.as_ref().unwrap_or_else(|error| panic!("{error}"))
}

/// One Redis in plain text that keeps nothing, for all tests of this process, started by the first that asks.
///
/// # Panics
/// If it cannot be started; every caller is told why.
pub fn shared_redis() -> &'static Redis {
    static SHARED: OnceLock<Result<Redis, String>> = OnceLock::new();
    let started = SHARED.get_or_init(|| Redis::start(RedisOptions::default()).map_err(|error| error.to_string()));
    started.as_ref().unwrap_or_else(|error| panic!("{error}"))
}

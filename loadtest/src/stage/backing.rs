//! Apache Kafka and Redis, started for a measurement.

use anyhow::Context as _;
use backing::{Kafka, KafkaOptions, KafkaSpeed, Redis, RedisOptions};
use service::Tasks;

/// One broker that is fast once it is warm, and a Redis that keeps nothing; both end when they are dropped.
///
/// # Errors
/// One of them cannot be had or started; nothing is left running.
pub async fn start_backing() -> anyhow::Result<(Kafka, Redis)> {
    let mut starting = Tasks::new();
    starting.spawn_blocking(|| -> anyhow::Result<(Kafka, Redis)> {
        let kafka = Kafka::start(KafkaOptions {
            speed: KafkaSpeed::Peak,
            ..KafkaOptions::default()
        });
        let redis = Redis::start(RedisOptions::default());
        Ok((kafka.context("Kafka")?, redis.context("Redis")?))
    });
    starting.join_next().await.context("a task was begun")??
}

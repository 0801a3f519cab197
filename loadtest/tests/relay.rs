//! The relay, with few messages. It fails by itself where a record or an operation of the store is missing or comes twice. No
//! time decides here.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use signalbox_loadtest::{
    chaos::args::Bus,
    relay::{self, Args, Engines, Floor},
};

const MESSAGES: u64 = 3_000;

fn args(bus: Bus) -> Args {
    Args {
        bus,
        messages: MESSAGES,
        rounds: 2,
        seed: 1,
        json: false,
    }
}

fn assert_told(floor: &Floor, processes: &[&str]) {
    let names: Vec<_> = floor.processor_us.keys().collect();
    for process in processes {
        assert!(floor.processor_us.contains_key(*process), "{process} in {names:?}");
    }
    assert_eq!((floor.messages, floor.records, floor.per_second.runs), (MESSAGES, 5, 2));
    let found = serde_json::to_value(floor).unwrap();
    for field in [
        "/per_second/median",
        "/processor_us/relay/median",
        "/processor_us_all/low",
    ] {
        assert!(found.pointer(field).is_some_and(Value::is_number), "{field} in {found}");
    }
    assert!(floor.to_string().contains("messages/s"), "{floor}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_message_passes_all_hops_of_the_embedded_log_once() {
    let args = args(Bus::Embedded);
    let none = Args {
        rounds: 0,
        ..args.clone()
    };
    assert!(relay::measure(Engines::embedded().unwrap(), &none).await.is_err());
    let floor = relay::measure(Engines::embedded().unwrap(), &args).await.unwrap();
    assert_told(&floor, &["relay"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_message_passes_all_hops_of_kafka_and_redis_once() {
    let (kafka, redis) = signalbox_loadtest::stage::start_backing().await.unwrap();
    let engines = Engines::apart(&kafka.bootstrap(), &redis.url()).await.unwrap();
    let floor = relay::measure(engines, &args(Bus::Kafka)).await.unwrap();
    assert_told(&floor, &["relay", "kafka", "redis"]);
}

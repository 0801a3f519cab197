//! Kafka comes up in every variant, and a broker that was killed comes back on its ports.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::net::TcpStream;

use backing::{Kafka, KafkaOptions, KafkaSecurity};

fn listening(bootstrap: &str) -> usize {
    bootstrap
        .split(',')
        .filter(|address| TcpStream::connect(address).is_ok())
        .count()
}

#[test]
fn a_broker_comes_back_where_it_was() {
    let kafka = Kafka::start(KafkaOptions::default()).unwrap();
    let bootstrap = kafka.bootstrap();
    assert_eq!(listening(&bootstrap), 1);
    kafka.kill(0).unwrap();
    assert_eq!(listening(&bootstrap), 0);
    kafka.restart(0).unwrap();
    assert_eq!(kafka.bootstrap(), bootstrap);
    assert_eq!(listening(&bootstrap), 1);
    drop(kafka);
    assert_eq!(listening(&bootstrap), 0);
}

#[test]
fn three_brokers_lose_one_and_get_it_back() {
    let options = KafkaOptions {
        brokers: 3,
        ..KafkaOptions::default()
    };
    let kafka = Kafka::start(options).unwrap();
    assert_eq!(listening(&kafka.bootstrap()), 3);
    kafka.kill(1).unwrap();
    assert_eq!(listening(&kafka.bootstrap()), 2);
    kafka.restart(1).unwrap();
    assert_eq!(listening(&kafka.bootstrap()), 3);
}

#[test]
fn passwords_and_certificates_are_taken() {
    let options = KafkaOptions {
        security: KafkaSecurity::SaslTls,
        ..KafkaOptions::default()
    };
    let kafka = Kafka::start(options).unwrap();
    assert!(kafka.certificates().unwrap().ca.is_file());
    assert!(kafka.credentials().is_some());
}

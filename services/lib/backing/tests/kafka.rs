//! Kafka comes up in every variant and takes records of a real client; a broker that was killed comes back with them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{net::TcpStream, time::Duration};

use backing::{Kafka, KafkaOptions, KafkaSecurity};
use futures::executor::block_on;
use rdkafka::{
    ClientConfig, Message, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer},
    producer::{BaseProducer, BaseRecord, Producer},
};

const TOPIC: &str = "words";
/// Longer than any of these tests may take to fail.
const LIMIT: Duration = Duration::from_secs(60);

fn listening(bootstrap: &str) -> usize {
    bootstrap
        .split(',')
        .filter(|address| TcpStream::connect(address).is_ok())
        .count()
}

fn plain(kafka: &Kafka) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", kafka.bootstrap());
    config
}

fn create_topic(config: &ClientConfig, copies: i32) {
    let admin: AdminClient<DefaultClientContext> = config.create().unwrap();
    let topic = NewTopic::new(TOPIC, 1, TopicReplication::Fixed(copies));
    let options = AdminOptions::new().operation_timeout(Some(LIMIT));
    let created = block_on(admin.create_topics([&topic], &options)).unwrap();
    assert_eq!(created, [Ok(TOPIC.to_owned())]);
}

/// Writes `word` with all copies acknowledged.
fn write(config: &ClientConfig, word: &str) {
    let producer: BaseProducer = config.clone().set("acks", "all").create().unwrap();
    let record = BaseRecord::<(), str>::to(TOPIC).payload(word);
    producer.send(record).map_err(|(error, _)| error).unwrap();
    producer.flush(LIMIT).unwrap();
}

/// Reads the first `count` words of the topic.
fn read(config: &ClientConfig, count: usize) -> Vec<String> {
    let mut config = config.clone();
    let consumer: BaseConsumer = config.set("group.id", "any").create().unwrap();
    let mut from = TopicPartitionList::new();
    from.add_partition_offset(TOPIC, 0, rdkafka::Offset::Beginning).unwrap();
    consumer.assign(&from).unwrap();
    let words = consumer.iter().filter_map(Result::ok).take(count);
    words
        .map(|message| String::from_utf8(message.payload().unwrap().to_vec()).unwrap())
        .collect()
}

#[test]
fn a_broker_comes_back_where_it_was_with_what_it_held() {
    let kafka = Kafka::start(KafkaOptions::default()).unwrap();
    let (bootstrap, client) = (kafka.bootstrap(), plain(&kafka));
    create_topic(&client, 1);
    write(&client, "before");
    kafka.kill(0).unwrap();
    assert_eq!(listening(&bootstrap), 0);
    kafka.restart(0).unwrap();
    assert_eq!(kafka.bootstrap(), bootstrap);
    let held = kafka.log_octets().unwrap()[TOPIC];
    write(&client, "after");
    assert!(kafka.log_octets().unwrap()[TOPIC] > held, "what is written takes room");
    assert_eq!(read(&client, 2), ["before", "after"]);
    drop(kafka);
    assert_eq!(listening(&bootstrap), 0);
}

#[test]
fn three_brokers_lose_one_and_no_record() {
    let options = KafkaOptions {
        brokers: 3,
        ..KafkaOptions::default()
    };
    let kafka = Kafka::start(options).unwrap();
    let client = plain(&kafka);
    create_topic(&client, 3);
    write(&client, "three");
    kafka.kill(1).unwrap();
    assert_eq!(listening(&kafka.bootstrap()), 2);
    write(&client, "two");
    kafka.restart(1).unwrap();
    assert_eq!(listening(&kafka.bootstrap()), 3);
    assert_eq!(read(&client, 2), ["three", "two"]);
}

#[test]
fn every_kind_of_password_is_taken_over_tls() {
    let options = KafkaOptions {
        security: KafkaSecurity::SaslTls,
        ..KafkaOptions::default()
    };
    let kafka = Kafka::start(options).unwrap();
    let (user, password) = kafka.credentials().unwrap();
    let mut client = plain(&kafka);
    client
        .set("security.protocol", "SASL_SSL")
        .set("ssl.ca.location", kafka.certificates().unwrap().ca.to_str().unwrap())
        .set("sasl.username", user)
        .set("sasl.password", password)
        .set("sasl.mechanism", "PLAIN");
    create_topic(&client, 1);
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        write(client.set("sasl.mechanism", mechanism), mechanism);
    }
    assert_eq!(read(&client, 3), ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]);
}

#[test]
fn a_client_shows_its_certificate() {
    let options = KafkaOptions {
        security: KafkaSecurity::MutualTls,
        ..KafkaOptions::default()
    };
    let kafka = Kafka::start(options).unwrap();
    let certificates = kafka.certificates().unwrap();
    let mut client = plain(&kafka);
    client
        .set("security.protocol", "SSL")
        .set("ssl.ca.location", certificates.ca.to_str().unwrap())
        .set("ssl.certificate.location", certificates.client.to_str().unwrap())
        .set("ssl.key.location", certificates.client_key.to_str().unwrap());
    create_topic(&client, 1);
    write(&client, "mine");
    assert_eq!(read(&client, 1), ["mine"]);
}

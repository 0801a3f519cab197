//! Topics on a real Apache Kafka are made as they were asked for.
#![expect(clippy::unwrap_used, reason = "a test may")]

use std::time::Duration;

use backing::shared_kafka;
use bus::{Bus, KafkaBus, KafkaConfig, PublishError, Retention, Topic, TopicSpec};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, ResourceSpecifier},
    client::DefaultClientContext,
};

fn bus(replication: Option<u16>) -> KafkaBus {
    KafkaBus::new(KafkaConfig {
        brokers: shared_kafka().bootstrap(),
        client_id: "topics".to_owned(),
        replication,
        ..KafkaConfig::default()
    })
    .unwrap()
}

fn spec(name: &str, retention: Retention) -> TopicSpec {
    TopicSpec {
        topic: Topic::new(name),
        partitions: 3,
        retention,
    }
}

fn admin() -> AdminClient<DefaultClientContext> {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", shared_kafka().bootstrap());
    client.create().unwrap()
}

const TWO_DAYS: Retention = Retention::Time(Duration::from_secs(172_800));

/// Asks the broker for the settings that matter.
#[tokio::test]
async fn retention_and_instants_are_set_on_the_topic() {
    let specs = [spec("kept", TWO_DAYS), spec("last", Retention::Compacted)];
    bus(Some(1)).ensure(&specs).await.unwrap();
    let topics = ["kept", "last"].map(ResourceSpecifier::Topic);
    let found = admin().describe_configs(&topics, &AdminOptions::new()).await.unwrap();
    let [kept, last] = found.try_into().ok().unwrap();
    let (kept, last) = (kept.unwrap(), last.unwrap());
    let value = |of: &rdkafka::admin::ConfigResource, name| of.get(name).unwrap().value.clone().unwrap();
    assert_eq!(value(&kept, "cleanup.policy"), "delete");
    assert_eq!(value(&kept, "retention.ms"), "172800000");
    assert_eq!(value(&kept, "retention.bytes"), "-1");
    assert_eq!(value(&kept, "message.timestamp.type"), "LogAppendTime");
    assert_eq!(value(&last, "cleanup.policy"), "compact");
}

/// More copies than there are brokers: the help names the setting.
#[tokio::test]
async fn too_many_copies_are_refused_with_help() {
    let refused = bus(Some(3)).ensure(&[spec("copies", TWO_DAYS)]).await.unwrap_err();
    let PublishError::Away(words) = &refused else {
        panic!("{refused}")
    };
    assert!(
        words.contains("[bus] replication") && words.contains("copies"),
        "{words}"
    );
}

/// Two processes start at once and want the same topics.
#[tokio::test]
async fn two_processes_may_make_the_same_topics_at_once() {
    let specs: Vec<_> = (0..20).map(|index| spec(&format!("race.{index}"), TWO_DAYS)).collect();
    let (one, two) = (bus(None), bus(None));
    let (one, two) = futures::join!(one.ensure(&specs), two.ensure(&specs));
    one.unwrap();
    two.unwrap();
}

/// Somebody deletes a topic while its log is open. One answer without it may come from a broker that lags behind, so its
/// partitions stay known; whoever wants it for sure gets it made again.
#[tokio::test]
async fn a_topic_that_an_answer_lacks_stays_known_and_is_made_again() {
    let (bus, specs) = (bus(None), [spec("gone", TWO_DAYS)]);
    bus.ensure(&specs).await.unwrap();
    let options = AdminOptions::new();
    admin().delete_topics(&["gone"], &options).await.unwrap()[0]
        .clone()
        .unwrap();
    let is_there = async || {
        let fresh = self::bus(None);
        fresh.check().await.unwrap();
        fresh.partitions(&specs[0].topic).is_some()
    };
    while is_there().await {}
    bus.check().await.unwrap();
    assert_eq!(bus.partitions(&specs[0].topic), Some(3));
    bus.ensure(&specs).await.unwrap();
    assert!(is_there().await);
}

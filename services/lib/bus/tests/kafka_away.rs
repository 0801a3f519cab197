//! Brokers of Apache Kafka that are away, die, or refuse us: calls say so in words that help, and go on by themselves.
#![expect(clippy::unwrap_used, reason = "a test may")]

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use backing::{Kafka, KafkaOptions, KafkaSecurity};
use bus::{
    Bus, ConsumeError, KafkaBus, KafkaConfig, KafkaMechanism, KafkaSasl, KafkaTls, Position, PublishError, Record,
    Retention, Topic, TopicSpec,
};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
};

fn spec(name: &str) -> TopicSpec {
    TopicSpec {
        topic: Topic::new(name),
        partitions: 4,
        retention: Retention::Time(Duration::from_secs(3_600)),
    }
}

fn config(brokers: String) -> KafkaConfig {
    KafkaConfig {
        brokers,
        client_id: "away".to_owned(),
        ..KafkaConfig::default()
    }
}

fn away<T>(result: Result<T, PublishError>) -> String {
    match result {
        Err(PublishError::Away(words)) => words,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("the log is there"),
    }
}

fn start(security: KafkaSecurity, port: Option<u16>) -> Kafka {
    let options = KafkaOptions {
        security,
        port,
        ..KafkaOptions::default()
    };
    Kafka::start(options).unwrap()
}

/// Asks every call while nobody listens, then starts a broker there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_comes_late_is_used_by_the_same_handle() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let bus = KafkaBus::new(config(free.to_string())).unwrap();
    let spec = spec("late");
    let topics = std::slice::from_ref(&spec.topic);
    let says = [
        away(bus.check().await),
        away(bus.ensure(std::slice::from_ref(&spec)).await),
        away(bus.publish(&spec.topic, vec![Record::new(1, "1")]).await),
    ];
    for words in &says {
        assert!(
            words.contains(&free.to_string()) && words.contains("[bus] brokers"),
            "{words}"
        );
    }
    assert!(matches!(bus.subscribe("g", topics).await, Err(ConsumeError::Away(_))));
    assert!(matches!(
        bus.read(&spec.topic, Position::Start).await,
        Err(ConsumeError::Away(_))
    ));
    let _kafka = start(KafkaSecurity::Plain, Some(free.port()));
    while bus.check().await.is_err() {}
    bus.ensure(std::slice::from_ref(&spec)).await.unwrap();
    bus.publish(&spec.topic, vec![Record::new(1, "1")])
        .await
        .unwrap()
        .await
        .unwrap();
    let mut member = bus.subscribe("g", topics).await.unwrap();
    assert_eq!(member.next_batch(1).await.unwrap().records[0].value, "1");
}

/// Kills the broker while records are published and read, starts it again, and reads on with the same handles: all that was
/// committed comes, and a waiting member was told meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_dies_loses_nothing_that_was_committed() {
    let kafka = start(KafkaSecurity::Plain, None);
    let bus = KafkaBus::new(config(kafka.bootstrap())).unwrap();
    let spec = spec("dies");
    bus.ensure(std::slice::from_ref(&spec)).await.unwrap();
    let mut member = bus.subscribe("g", std::slice::from_ref(&spec.topic)).await.unwrap();
    let mut commits = Vec::new();
    let mut seen = BTreeSet::new();
    for call in 0..60_u64 {
        let record = |key: u64| Record::new(key << 60, format!("{key} {call}"));
        let commit = bus.publish(&spec.topic, (0..16).map(record).collect()).await.unwrap();
        commits.push(commit);
        if call == 20 {
            kafka.kill(0).unwrap();
            let words = loop {
                match member.next_batch(1_000).await {
                    Ok(batch) => seen.extend(batch.records.into_iter().map(|record| record.value)),
                    Err(error) => break error.to_string(),
                }
            };
            assert!(words.contains("[bus] brokers"), "{words}");
            let words = away(bus.check().await);
            assert!(words.contains(&kafka.bootstrap()), "{words}");
        }
        if call == 40 {
            kafka.restart(0).unwrap();
        }
    }
    for commit in commits {
        commit.await.unwrap();
    }
    while seen.len() < 60 * 16 {
        match member.next_batch(100).await {
            Ok(batch) => seen.extend(batch.records.into_iter().map(|record| record.value)),
            Err(ConsumeError::Away(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }
    bus.check().await.unwrap();
    bus.close(Duration::from_secs(20)).await.unwrap();
}

/// All three brokers must have a record and one is killed: the others answer, but keep nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_answers_and_keeps_nothing_is_not_fine() {
    let options = KafkaOptions {
        brokers: 3,
        ..KafkaOptions::default()
    };
    let kafka = Kafka::start(options).unwrap();
    let mut admin = ClientConfig::new();
    admin.set("bootstrap.servers", kafka.bootstrap());
    let admin: AdminClient<DefaultClientContext> = admin.create().unwrap();
    let spec = spec("copies");
    let topic = NewTopic::new(spec.topic.as_str(), 4, TopicReplication::Fixed(3)).set("min.insync.replicas", "3");
    let made = admin.create_topics(&[topic], &AdminOptions::new()).await.unwrap();
    made[0].clone().unwrap();
    let bus = KafkaBus::new(config(kafka.bootstrap())).unwrap();
    bus.ensure(std::slice::from_ref(&spec)).await.unwrap();
    let publish = async || bus.publish(&spec.topic, vec![Record::new(1, "1")]).await.unwrap().await;
    publish().await.unwrap();
    bus.check().await.unwrap();
    kafka.kill(2).unwrap();
    let failed = async {
        loop {
            if let Err(error) = publish().await {
                break error.to_string();
            }
        }
    };
    let found = async {
        loop {
            match bus.check().await {
                Err(PublishError::Away(words)) if words.contains("min.insync.replicas") => break words,
                _ => {}
            }
        }
    };
    let (failed, found) = futures::join!(failed, found);
    assert!(found.contains("records of copies wait since"), "{found}");
    assert!(failed.contains("min.insync.replicas"), "{failed}");
    // The one that failed is gone, and still counts.
    let words = away(bus.check().await);
    assert!(words.contains("min.insync.replicas"), "{words}");
    kafka.restart(2).unwrap();
    while publish().await.is_err() {}
    bus.check().await.unwrap();
}

/// With nobody there to acknowledge, closing says how many records are not safe.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_counts_what_no_broker_acknowledged() {
    let kafka = start(KafkaSecurity::Plain, None);
    let bus = KafkaBus::new(config(kafka.bootstrap())).unwrap();
    let spec = spec("unflushed");
    bus.ensure(std::slice::from_ref(&spec)).await.unwrap();
    kafka.kill(0).unwrap();
    let _commit = bus.publish(&spec.topic, vec![Record::new(1, "1"); 7]).await.unwrap();
    assert_eq!(
        bus.close(Duration::from_millis(500)).await,
        Err(PublishError::Unflushed(7))
    );
}

/// TLS and a password in every mechanism; a wrong password and a wrong authority are said as such.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_over_tls_is_proved_and_a_wrong_one_is_named() {
    let kafka = start(KafkaSecurity::SaslTls, None);
    let (user, password) = kafka.credentials().unwrap();
    let with = |mechanism, password: &str, ca: Option<PathBuf>| {
        let tls = KafkaTls {
            ca,
            ..KafkaTls::default()
        };
        let sasl = KafkaSasl {
            mechanism,
            user: user.to_owned(),
            password: password.to_owned(),
        };
        let config = KafkaConfig {
            tls: Some(tls),
            sasl: Some(sasl),
            ..config(kafka.bootstrap())
        };
        KafkaBus::new(config).unwrap()
    };
    let ca = Some(kafka.certificates().unwrap().ca.clone());
    let spec = spec("secret");
    for mechanism in [
        KafkaMechanism::Plain,
        KafkaMechanism::ScramSha256,
        KafkaMechanism::ScramSha512,
    ] {
        let bus = with(mechanism, password, ca.clone());
        bus.ensure(std::slice::from_ref(&spec)).await.unwrap();
        bus.publish(&spec.topic, vec![Record::new(1, "1")])
            .await
            .unwrap()
            .await
            .unwrap();
        let mut reader = bus.read(&spec.topic, Position::Start).await.unwrap();
        assert_eq!(reader.next(1).await.unwrap()[0].value, "1");
    }
    let wrong = with(KafkaMechanism::ScramSha512, "not-the-password", ca);
    let words = away(wrong.check().await);
    assert!(
        words.contains(&format!("refuse user {user}")) && words.contains("[bus] sasl"),
        "{words}"
    );
    assert!(!words.contains("not-the-password"), "{words}");
    let words = away(with(KafkaMechanism::Plain, password, None).check().await);
    assert!(words.contains("no TLS") && words.contains("[bus] tls"), "{words}");
    let words = away(KafkaBus::new(config(kafka.bootstrap())).unwrap().check().await);
    assert!(words.contains("[bus] tls"), "{words}");
}

/// Brokers that want a certificate from us.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_of_ours_is_shown_and_missed_when_it_is_not() {
    let kafka = start(KafkaSecurity::MutualTls, None);
    let certificates = kafka.certificates().unwrap();
    let with = |certificate, key| {
        let ca = Some(certificates.ca.clone());
        KafkaBus::new(KafkaConfig {
            tls: Some(KafkaTls { ca, certificate, key }),
            ..config(kafka.bootstrap())
        })
    };
    let ours = with(Some(certificates.client.clone()), Some(certificates.client_key.clone())).unwrap();
    ours.ensure(&[spec("ours")]).await.unwrap();
    let words = away(with(None, None).unwrap().check().await);
    assert!(words.contains("[bus] tls"), "{words}");
    let words = away(with(Some("/nowhere.pem".into()), None));
    assert!(words.contains("/nowhere.pem"), "{words}");
}

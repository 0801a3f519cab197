//! What a broker is told: `server.properties` for tests on one machine.

use std::{fmt::Write, path::Path};

use super::KafkaSecurity;
use crate::tls::Certificates;

/// User of a broker that asks for one.
pub(crate) const USER: &str = "signalbox";
/// Password of that user.
pub(crate) const PASSWORD: &str = "a word for the loopback";

/// Same for every broker and option. Small buffers and few threads, quick elections, no waiting for more members.
const COMMON: &str = "\
process.roles=broker,controller
controller.listener.names=CONTROLLER
inter.broker.listener.name=BROKER
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=500
offsets.topic.num.partitions=4
transaction.state.log.num.partitions=2
share.coordinator.state.topic.num.partitions=2
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=4000
controlled.shutdown.enable=true
controller.quorum.election.timeout.ms=500
controller.quorum.election.backoff.max.ms=200
num.network.threads=2
num.io.threads=4
num.replica.fetchers=1
replica.fetch.wait.max.ms=100
background.threads=2
log.cleaner.dedupe.buffer.size=8388608
log.index.size.max.bytes=1048576
log.segment.delete.delay.ms=1000
metric.reporters=
";

/// The ports of one broker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    /// For clients.
    pub(crate) client: u16,
    /// Between brokers, in plain text on the loopback.
    pub(crate) broker: u16,
    /// Of the quorum.
    pub(crate) controller: u16,
}

/// Returns the properties of broker `node` of as many as there are `ports`.
pub(crate) fn properties(
    node: usize,
    ports: &[Ports],
    data: &Path,
    security: KafkaSecurity,
    certificates: Option<&Certificates>,
) -> String {
    let own = ports[node];
    let voters: Vec<_> = ports
        .iter()
        .enumerate()
        .map(|(id, ports)| format!("{id}@127.0.0.1:{}", ports.controller))
        .collect();
    let replicas = ports.len().min(3);
    let mut text = String::from(COMMON);
    let mut line = |name: &str, value: String| {
        writeln!(text, "{name}={value}").expect("a string takes any text");
    };
    line("node.id", node.to_string());
    line("log.dirs", data.display().to_string());
    line("controller.quorum.voters", voters.join(","));
    let clients = format!("CLIENT://127.0.0.1:{},BROKER://127.0.0.1:{}", own.client, own.broker);
    line(
        "listeners",
        format!("{clients},CONTROLLER://127.0.0.1:{}", own.controller),
    );
    line("advertised.listeners", clients);
    line(
        "listener.security.protocol.map",
        format!("CLIENT:{},BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT", protocol(security)),
    );
    for name in [
        "default.replication.factor",
        "offsets.topic.replication.factor",
        "transaction.state.log.replication.factor",
        "share.coordinator.state.topic.replication.factor",
    ] {
        line(name, replicas.to_string());
    }
    for name in [
        "min.insync.replicas",
        "transaction.state.log.min.isr",
        "share.coordinator.state.topic.min.isr",
    ] {
        line(name, replicas.div_ceil(2).to_string());
    }
    if let Some(certificates) = certificates {
        tls(certificates, security, &mut line);
    }
    if security == KafkaSecurity::SaslTls {
        sasl(&mut line);
    }
    text
}

fn protocol(security: KafkaSecurity) -> &'static str {
    match security {
        KafkaSecurity::Plain => "PLAINTEXT",
        KafkaSecurity::Tls | KafkaSecurity::MutualTls => "SSL",
        KafkaSecurity::SaslTls => "SASL_SSL",
    }
}

fn tls(certificates: &Certificates, security: KafkaSecurity, line: &mut impl FnMut(&str, String)) {
    let client_auth = match security {
        KafkaSecurity::MutualTls => "required",
        _ => "none",
    };
    line("listener.name.client.ssl.client.auth", client_auth.to_owned());
    line("listener.name.client.ssl.keystore.type", "PEM".to_owned());
    line(
        "listener.name.client.ssl.keystore.location",
        certificates.keystore.display().to_string(),
    );
    line("listener.name.client.ssl.truststore.type", "PEM".to_owned());
    line(
        "listener.name.client.ssl.truststore.location",
        certificates.ca.display().to_string(),
    );
}

fn sasl(line: &mut impl FnMut(&str, String)) {
    line(
        "listener.name.client.sasl.enabled.mechanisms",
        "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512".to_owned(),
    );
    line(
        "listener.name.client.plain.sasl.jaas.config",
        format!("org.apache.kafka.common.security.plain.PlainLoginModule required user_{USER}=\"{PASSWORD}\";"),
    );
    for mechanism in ["scram-sha-256", "scram-sha-512"] {
        line(
            &format!("listener.name.client.{mechanism}.sasl.jaas.config"),
            "org.apache.kafka.common.security.scram.ScramLoginModule required;".to_owned(),
        );
    }
}

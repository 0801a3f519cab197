//! How to reach Kafka, and the settings of every client with their limits.

use std::{fmt, path::PathBuf, time::Duration};

use rdkafka::ClientConfig;

use crate::{PUBLISH_RECORDS_MAX, PublishError, RECORD_OCTETS_MAX};

/// Records waiting for their acknowledgement in one process; a publisher over it waits.
pub(super) const UNSAFE_RECORDS_MAX: usize = 100_000;
/// Octets waiting for their acknowledgement in one process.
pub(super) const UNSAFE_OCTETS_MAX: usize = 32 * 1024 * 1024;
/// Octets of one produce request; a record with its headers must fit in.
pub(super) const BATCH_OCTETS_MAX: usize = 1024 * 1024;
/// Octets that are gathered for one batch. Batches are fetched whole, so a reader holds one of each partition at least.
const BATCH_OCTETS: usize = 128 * 1024;
/// How long records gather for a batch, in milliseconds: few larger batches cost client and broker less than many small ones.
const LINGER_MS: u32 = 3;
/// How long a record waits for its acknowledgement before its publish fails, in milliseconds.
pub(super) const ACKNOWLEDGE_MS_MAX: u32 = 30_000;

/// Records fetched ahead of each partition.
const AHEAD_RECORDS: usize = 500;
/// Octets that one consumer or reader fetches ahead, over all its partitions.
const AHEAD_OCTETS_MAX: usize = 16 * 1024 * 1024;
/// Least octets fetched ahead of one partition, however many there are.
const AHEAD_OCTETS_MIN: usize = 128 * 1024;
/// Octets one fetch takes from one partition; a larger batch comes alone.
const FETCH_PARTITION_OCTETS: usize = 64 * 1024;
/// Octets one fetch takes from one broker.
const FETCH_OCTETS_MAX: usize = 2 * 1024 * 1024;
/// How long a broker waits for news before it answers the fetch of a member, in milliseconds. A consumer has one fetch under
/// way with each broker, and a partition that was just got, or was full, is not in it: so long it may have to wait.
const FETCH_WAIT_MS: u32 = 50;
/// The same for a reader, which often reads what is there and goes: it pays that wait more often.
pub(super) const READ_WAIT_MS: u32 = 20;

/// A member of a group over Kafka that was not heard of for so long loses its partitions to others.
pub const SESSION: Duration = Duration::from_secs(10);
/// How often a member is heard of, in milliseconds.
const HEARTBEAT_MS: u32 = 1_000;
/// How often acks are written down, in milliseconds; what was acked since comes again after a crash.
const COMMIT_MS: u32 = 200;

const _: () = assert!(
    PUBLISH_RECORDS_MAX <= UNSAFE_RECORDS_MAX,
    "a publish must fit in an empty queue"
);
const _: () = assert!(
    RECORD_OCTETS_MAX < BATCH_OCTETS_MAX,
    "a record must fit in a batch with its headers"
);
const _: () = assert!(
    BATCH_OCTETS_MAX <= UNSAFE_OCTETS_MAX,
    "a batch must fit in an empty queue"
);

/// How to reach Kafka.
#[derive(Clone, Debug, Default)]
pub struct KafkaConfig {
    /// Brokers to begin with, as `host:port,host:port`; the others are learnt from them.
    pub brokers: String,
    /// What brokers call us in their logs.
    pub client_id: String,
    /// Name of this process among those of its role, kept over restarts: its members then keep their partitions when it
    /// comes back within 10 s. `None`: partitions are given away as soon as a member leaves.
    pub instance: Option<String>,
    /// Copies of each topic that is created; `None` leaves it to the brokers.
    pub replication: Option<u16>,
    /// Encrypts; `None` speaks in the clear.
    pub tls: Option<KafkaTls>,
    /// Authenticates by password; `None` does not, or by certificate alone.
    pub sasl: Option<KafkaSasl>,
}

/// Files of an encrypted connection.
#[derive(Clone, Debug, Default)]
pub struct KafkaTls {
    /// Certificates that vouch for the brokers; `None` takes those of the system.
    pub ca: Option<PathBuf>,
    /// Our certificate; `None` if the brokers want none.
    pub certificate: Option<PathBuf>,
    /// Key of our certificate.
    pub key: Option<PathBuf>,
}

/// User and password.
#[derive(Clone)]
pub struct KafkaSasl {
    /// How the password is proved.
    pub mechanism: KafkaMechanism,
    /// The user.
    pub user: String,
    /// The password; masked in `Debug`.
    pub password: String,
}

/// How a password is proved to a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KafkaMechanism {
    /// Sent as it is; use it over TLS alone.
    Plain,
    /// Salted, by SHA-256.
    ScramSha256,
    /// Salted, by SHA-512.
    ScramSha512,
}

impl KafkaMechanism {
    /// Its name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

impl fmt::Debug for KafkaSasl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaSasl")
            .field("mechanism", &self.mechanism)
            .field("user", &self.user)
            .field("password", &"***")
            .finish()
    }
}

impl KafkaConfig {
    /// Says which file cannot be read; the library does not.
    pub(super) fn check(&self) -> Result<(), PublishError> {
        let Some(tls) = &self.tls else { return Ok(()) };
        for (name, file) in [("ca", &tls.ca), ("certificate", &tls.certificate), ("key", &tls.key)] {
            let Some(file) = file else { continue };
            std::fs::File::open(file).map_err(|error| {
                let file = file.display();
                PublishError::Away(format!("cannot read {file}, which [bus] tls {name} names: {error}"))
            })?;
        }
        Ok(())
    }

    /// What every client has in common.
    pub(super) fn client(&self) -> ClientConfig {
        let mut client = ClientConfig::new();
        client
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", &self.client_id)
            .set("allow.auto.create.topics", "false")
            .set("reconnect.backoff.max.ms", "1000")
            .set("security.protocol", self.protocol());
        for (name, value) in self.files() {
            client.set(name, value);
        }
        if let Some(sasl) = &self.sasl {
            client
                .set("sasl.mechanism", sasl.mechanism.as_str())
                .set("sasl.username", &sasl.user)
                .set("sasl.password", &sasl.password);
        }
        client
    }

    /// The producer of a process.
    pub(super) fn producer(&self) -> ClientConfig {
        let mut client = self.client();
        client
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("compression.type", "lz4")
            .set("linger.ms", LINGER_MS.to_string())
            .set("message.timeout.ms", ACKNOWLEDGE_MS_MAX.to_string())
            .set("message.max.bytes", BATCH_OCTETS_MAX.to_string())
            .set("batch.size", BATCH_OCTETS.to_string())
            .set("queue.buffering.max.messages", UNSAFE_RECORDS_MAX.to_string())
            .set("queue.buffering.max.kbytes", (UNSAFE_OCTETS_MAX / 1024).to_string());
        client
    }

    /// A reader of `partitions`.
    pub(super) fn reader(&self, group: &str, partitions: u32) -> ClientConfig {
        let ahead = (AHEAD_OCTETS_MAX / partitions.max(1) as usize).max(AHEAD_OCTETS_MIN);
        let mut client = self.client();
        client
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "earliest")
            .set("queued.min.messages", AHEAD_RECORDS.to_string())
            .set("queued.max.messages.kbytes", (ahead / 1024).to_string())
            .set("max.partition.fetch.bytes", FETCH_PARTITION_OCTETS.to_string())
            .set("fetch.max.bytes", FETCH_OCTETS_MAX.to_string())
            .set("fetch.wait.max.ms", READ_WAIT_MS.to_string())
            .set("fetch.queue.backoff.ms", "5")
            .set("fetch.error.backoff.ms", "100");
        client
    }

    /// A member of `group` that reads `partitions` at most.
    pub(super) fn member(&self, group: &str, seat: u32, partitions: u32) -> ClientConfig {
        let mut client = self.reader(group, partitions);
        client
            .set("fetch.wait.max.ms", FETCH_WAIT_MS.to_string())
            .set("enable.auto.commit", "true")
            .set("enable.auto.offset.store", "false")
            .set("auto.commit.interval.ms", COMMIT_MS.to_string())
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("session.timeout.ms", SESSION.as_millis().to_string())
            .set("heartbeat.interval.ms", HEARTBEAT_MS.to_string());
        if let Some(instance) = &self.instance {
            client.set("group.instance.id", format!("{instance}.{seat}"));
        }
        client
    }

    fn protocol(&self) -> &'static str {
        match (&self.tls, &self.sasl) {
            (None, None) => "plaintext",
            (Some(_), None) => "ssl",
            (None, Some(_)) => "sasl_plaintext",
            (Some(_), Some(_)) => "sasl_ssl",
        }
    }

    fn files(&self) -> Vec<(&'static str, String)> {
        let Some(tls) = &self.tls else { return Vec::new() };
        let ca = tls
            .ca
            .as_ref()
            .map_or("probe".to_owned(), |file| file.display().to_string());
        let mut files = vec![("ssl.ca.location", ca)];
        let ours = [
            ("ssl.certificate.location", &tls.certificate),
            ("ssl.key.location", &tls.key),
        ];
        files.extend(
            ours.into_iter()
                .filter_map(|(name, file)| Some((name, file.as_ref()?.display().to_string()))),
        );
        files
    }
}

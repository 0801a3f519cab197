//! `[bus]` and `[store]`: what carries messages and what holds their state. The two come in pairs, as each kind of log has
//! its kind of store.

use std::path::{Path, PathBuf};

use bus::KafkaMechanism;
use source::{SecretSource, Section};

use super::path;

/// Most copies of a record that a broker is asked for.
const REPLICATION_MAX: u16 = 9;

/// What a process stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// One database on this machine.
    Embedded { path: PathBuf },
    /// Gone with the process: for trying things out.
    Memory,
    /// Apache Kafka and Redis: the roles may run apart.
    Apart { kafka: Box<Kafka>, redis: Box<Redis> },
}

/// How to reach Apache Kafka.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kafka {
    /// `host:port`, separated by commas.
    pub(crate) brokers: String,
    /// Copies of each record in topics that do not exist yet; absent = the broker's default.
    pub(crate) replication: Option<u16>,
    /// Keeps the partitions of this process for it while it restarts; absent = they go to others at once.
    pub(crate) instance: Option<String>,
    /// Absent = plain text.
    pub(crate) tls: Option<Trust>,
    /// Absent = nobody asks who we are.
    pub(crate) sasl: Option<Sasl>,
}

/// Name and password for Apache Kafka.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sasl {
    pub(crate) mechanism: KafkaMechanism,
    pub(crate) user: String,
    pub(crate) password: SecretSource,
}

/// How a password is proved, each by the name that Kafka gives it.
pub(super) const MECHANISMS: [(&str, KafkaMechanism); 3] = [
    ("PLAIN", KafkaMechanism::Plain),
    ("SCRAM-SHA-256", KafkaMechanism::ScramSha256),
    ("SCRAM-SHA-512", KafkaMechanism::ScramSha512),
];

/// How to reach Redis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Redis {
    /// `redis://` or `rediss://`; a secret, as it may hold a password.
    pub(crate) url: SecretSource,
    /// Whom to trust where the URL is `rediss://`.
    pub(crate) tls: Trust,
}

/// PEM files of a client: whom it trusts, and who it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trust {
    /// Absent = the authorities of the system.
    pub(crate) ca: Option<PathBuf>,
    /// Our own certificate and its key; absent = we show none.
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
}

impl Engine {
    /// What this process is called, now and after a restart; absent = nothing that tells it from its like.
    pub(crate) fn instance(&self) -> Option<String> {
        match self {
            Self::Embedded { .. } | Self::Memory => Some("standalone".to_owned()),
            Self::Apart { kafka, .. } => kafka.instance.clone(),
        }
    }

    /// What the log is called in traces.
    pub(crate) const fn system(&self) -> &'static str {
        match self {
            Self::Embedded { .. } | Self::Memory => "signalbox",
            Self::Apart { .. } => "kafka",
        }
    }
}

impl Trust {
    /// Every file that is named.
    pub(crate) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.ca, &self.certificate, &self.key].into_iter().flatten()
    }
}

impl Engine {
    /// Every file that reaching it takes.
    pub(crate) fn files(&self) -> Vec<&PathBuf> {
        match self {
            Self::Embedded { .. } | Self::Memory => Vec::new(),
            Self::Apart { kafka, redis } => kafka
                .tls
                .iter()
                .flat_map(Trust::files)
                .chain(redis.tls.files())
                .collect(),
        }
    }
}

enum Log {
    Embedded(PathBuf),
    Memory,
    Kafka(Kafka),
}

enum State {
    Embedded(PathBuf),
    Memory,
    Redis(Redis),
}

/// Reads both sections. What is missing or wrong is logged, and the engine is then of no use.
pub(super) fn engine(root: &Section<'_>, bus: Option<&Section<'_>>, folder: &Path) -> Engine {
    let store = root.key("store").required().section();
    let pair = (
        bus.and_then(|section| log(section, folder)),
        store.as_ref().and_then(|section| state(section, folder)),
    );
    let refuse = |number, what: &str, why: &str, help: &str| {
        root.log().error(root.place_of("store"), number, what, why, help);
        Engine::Memory
    };
    match pair {
        (Some(Log::Memory), Some(State::Memory)) => Engine::Memory,
        (Some(Log::Kafka(kafka)), Some(State::Redis(redis))) => Engine::Apart {
            kafka: Box::new(kafka),
            redis: Box::new(redis),
        },
        (Some(Log::Embedded(path)), Some(State::Embedded(store))) if path == store => Engine::Embedded { path },
        (Some(Log::Embedded(_)), Some(State::Embedded(_))) => refuse(
            50,
            "bus and store are not on one database",
            "an embedded bus and store share one database, so that one write covers both",
            "give both the same path",
        ),
        (Some(_), Some(_)) => refuse(
            51,
            "bus and store do not go together",
            "a log and a store on one machine share one database; a log apart needs a store apart",
            "use kafka with redis, embedded with embedded, or memory with memory",
        ),
        // Whatever is missing was told where it is missing.
        _ => Engine::Memory,
    }
}

fn log(section: &Section<'_>, folder: &Path) -> Option<Log> {
    let kind = section.key("kind").required();
    match kind.word(&[("embedded", 0), ("memory", 1), ("kafka", 2)])? {
        0 => path(section, "path", folder).map(Log::Embedded),
        1 => Some(Log::Memory),
        _ => kafka(section, folder).map(Log::Kafka),
    }
}

fn state(section: &Section<'_>, folder: &Path) -> Option<State> {
    let kind = section.key("kind").required();
    match kind.word(&[("embedded", 0), ("memory", 1), ("redis", 2)])? {
        0 => path(section, "path", folder).map(State::Embedded),
        1 => Some(State::Memory),
        _ => redis(section, folder).map(State::Redis),
    }
}

fn kafka(section: &Section<'_>, folder: &Path) -> Option<Kafka> {
    let brokers = section.key("brokers").required().parse(brokers);
    let sasl = section.key("sasl").section().map(|section| sasl(&section));
    let kafka = Kafka {
        brokers: brokers?,
        replication: section.key("replication").integer(1..=REPLICATION_MAX),
        instance: section.key("instance").string(200),
        tls: section.key("tls").section().map(|section| trust(&section, folder)),
        sasl: match sasl {
            Some(sasl) => Some(sasl?),
            None => None,
        },
    };
    Some(kafka)
}

/// A list as Kafka's own tools write it. The port has no default, as none is everybody's.
fn brokers(text: &str) -> Result<String, String> {
    for broker in text.split(',').map(str::trim) {
        let port = broker.rsplit_once(':').map(|(host, port)| (host, port.parse::<u16>()));
        if !matches!(port, Some((host, Ok(1..))) if !host.is_empty()) {
            return Err(format!("\"{broker}\" is no host:port; several are separated by commas"));
        }
    }
    Ok(text.split(',').map(str::trim).collect::<Vec<_>>().join(","))
}

fn sasl(section: &Section<'_>) -> Option<Sasl> {
    let mechanism = section.key("mechanism").required().word(&MECHANISMS);
    let user = section.key("user").required().string(256);
    let password = section.key("password").required().secret();
    Some(Sasl {
        mechanism: mechanism?,
        user: user?,
        password: password?,
    })
}

fn redis(section: &Section<'_>, folder: &Path) -> Option<Redis> {
    let entry = section.key("url").required();
    let url = entry.secret();
    let tls = section.key("tls").section().map(|section| trust(&section, folder));
    if let Some(SecretSource::Plain(text)) = &url {
        // The URL itself may hold a password, so that no refusal repeats it.
        match (text.reveal().split_once("://").map(|(scheme, _)| scheme), &tls) {
            (Some("rediss"), _) | (Some("redis"), None) => {}
            (Some("redis"), Some(_)) => entry.refuse(
                54,
                "is plain text, and \"store.tls\" is given",
                "TLS is chosen by the URL",
                "write rediss:// instead of redis://, or remove tls",
            ),
            _ => entry.refuse(
                53,
                "is no URL of Redis",
                "",
                "write redis://host:port, or rediss:// for TLS",
            ),
        }
    }
    Some(Redis {
        url: url?,
        tls: tls.unwrap_or_default(),
    })
}

fn trust(section: &Section<'_>, folder: &Path) -> Trust {
    let file = |name| section.key(name).string(4_096).map(|path| folder.join(path));
    let trust = Trust {
        ca: file("ca"),
        certificate: file("certificate"),
        key: file("key"),
    };
    if trust.certificate.is_some() != trust.key.is_some() {
        let what = "certificate and key are not both given";
        section
            .log()
            .error(section.place(), 55, what, "", "give both, or neither");
    }
    trust
}

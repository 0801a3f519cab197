//! The log and the store that messages are moved over, as the router opens them.

use std::sync::Arc;

use bus::{Bus, EmbeddedBus, KafkaBus, KafkaConfig};
use disk::Disk;
use service::Clock;
use store::{EmbeddedStore, RedisConfig, RedisStore, Store};
use tempfile::TempDir;

/// Log and store, open.
pub struct Engines {
    pub(super) bus: Arc<dyn Bus>,
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Clock,
    /// What carries messages, in words.
    pub(super) words: &'static str,
    // Behind what lies in it.
    _folder: Option<TempDir>,
}

impl Engines {
    /// Both in one database of their own, which is removed at the end.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn embedded() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("signalbox-relay-").tempdir()?;
        let clock = Clock::wall();
        let disk = Disk::open(folder.path())?;
        Ok(Self {
            bus: Arc::new(EmbeddedBus::open(disk.clone(), clock.as_millis_fn())?),
            store: Arc::new(EmbeddedStore::open(disk, clock.as_millis_fn())?),
            clock,
            words: "the embedded log and store",
            _folder: Some(folder),
        })
    }

    /// Apache Kafka at `brokers` and Redis at `redis`; topics and keys are the relay's own.
    ///
    /// # Errors
    /// An address is none, or Redis is away.
    pub async fn apart(brokers: &str, redis: &str) -> anyhow::Result<Self> {
        let clock = Clock::wall();
        let bus = KafkaBus::new(KafkaConfig {
            brokers: brokers.to_owned(),
            client_id: "signalbox-relay".to_owned(),
            ..KafkaConfig::default()
        })?;
        let store = RedisStore::new(RedisConfig {
            url: redis.to_owned(),
            ca: None,
            certificate: None,
            key: None,
            clock: clock.as_millis_fn(),
        })?;
        // A fresh one has no epoch until somebody begins it; one that routers have used has.
        if let Some(rebuild) = store.rebuild().await? {
            rebuild.finish().await?;
        }
        Ok(Self {
            bus: Arc::new(bus),
            store: Arc::new(store),
            clock,
            words: "Apache Kafka and Redis",
            _folder: None,
        })
    }
}

//! What the services stand on: log, store, time and dice, opened as the configuration says.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use bus::{Bus, EmbeddedBus, KafkaBus, KafkaConfig, KafkaSasl, KafkaTls, MemoryBus};
use disk::Disk;
use service::{Clock, Deps, Dice, Stop, Tasks, Tracer, time};
use store::{EmbeddedStore, MemoryStore, RedisConfig, RedisStore, Store};
use tracing::warn;

use crate::{
    client::Away,
    config::{Config, Engine as Kind, Kafka, Redis},
};

/// How often expired records are cleared away; expired state goes when the database merges its files.
const MAINTENANCE_PERIOD: Duration = Duration::from_secs(60);

/// Log and store, open.
pub(super) struct Engine {
    bus: Arc<dyn Bus>,
    store: State,
    clock: Clock,
    dice: Dice,
    tracer: Tracer,
    embedded: Option<(Arc<Disk>, Arc<EmbeddedBus>)>,
}

/// Where handles of the store come from.
enum State {
    /// One for all: it loses nothing, so that nobody has an epoch of his own.
    Here(Arc<dyn Store>),
    /// A connection of its own for each.
    Redis(RedisConfig),
}

impl Engine {
    /// Opens what `config` names. What is elsewhere need not be there yet.
    /// Brokers call this process `client_id` in their logs.
    ///
    /// # Errors
    /// A database cannot be opened, or the settings of what is elsewhere are wrong.
    pub(super) fn open(config: &Config, client_id: &str, tracer: Tracer) -> anyhow::Result<Self> {
        let folder = &config.folder;
        let (clock, dice) = (Clock::wall(), Dice::from_system());
        let now = clock.as_millis_fn();
        let mut embedded = None;
        let (bus, store): (Arc<dyn Bus>, State) = match &config.engine {
            Kind::Memory => {
                warn!("bus and store are in memory: nothing survives this process");
                let bus = Arc::new(MemoryBus::new(now.clone()));
                (bus, State::Here(Arc::new(MemoryStore::new(now))))
            }
            Kind::Embedded { path } => {
                let disk = Disk::open(path).with_context(|| format!("{}: cannot be opened", path.display()))?;
                // Both only read and write that disk.
                let bus = EmbeddedBus::open(disk.clone(), now.clone()).map_err(|error| Away(error.to_string()))?;
                let bus = Arc::new(bus);
                let store = EmbeddedStore::open(disk.clone(), now).map_err(|error| Away(error.to_string()))?;
                let store = State::Here(Arc::new(store));
                embedded = Some((disk, bus.clone()));
                (bus, store)
            }
            Kind::Apart { kafka, redis } => {
                let bus = KafkaBus::new(self::kafka(kafka, client_id, folder)?).context("[bus]")?;
                (Arc::new(bus), State::Redis(self::redis(redis, folder, now)?))
            }
        };
        Ok(Self {
            bus,
            store,
            clock,
            dice,
            tracer,
            embedded,
        })
    }

    /// What one service is handed: a handle of the store for itself, as each adopts a new epoch when it is done with the last.
    pub(super) fn deps(&self) -> anyhow::Result<Deps> {
        let store = match &self.store {
            State::Here(store) => store.clone(),
            State::Redis(config) => Arc::new(RedisStore::new(config.clone()).context("[store]")?),
        };
        Ok(Deps {
            bus: self.bus.clone(),
            store,
            clock: self.clock.clone(),
            dice: self.dice.clone(),
            tracer: self.tracer.clone(),
        })
    }

    /// Clears away expired records, every minute until `stop`, and watches the disk, where that is ours to do. A disk that failed
    /// takes nothing more from this process: it ends, so that whoever looks after it starts it again.
    pub(super) fn maintain(&self, stop: &Stop, running: &mut Tasks<anyhow::Result<&'static str>>) {
        let Some((disk, embedded)) = self.embedded.clone() else {
            return;
        };
        let (stop, until) = (stop.clone(), stop.clone());
        let failed = disk.failed();
        running.spawn(async move {
            tokio::select! { biased;
                error = failed => Err(anyhow::Error::from(error).context("nothing more can be kept here, and this process ends")),
                () = until.requested() => Ok("disk"),
            }
        });
        running.spawn(async move {
            let mut ticks = time::every(MAINTENANCE_PERIOD);
            loop {
                tokio::select! { biased;
                    () = stop.requested() => return Ok("maintenance"),
                    _ = ticks.tick() => {}
                }
                let bus = embedded.clone();
                let mut work = Tasks::new();
                work.spawn_blocking(move || bus.maintain());
                if let Some(Ok(Err(error))) = work.join_next().await {
                    warn!(%error, "expired records could not be cleared away");
                }
            }
        });
    }

    /// Flushes and closes.
    pub(super) async fn close(&self, limit: Duration) -> anyhow::Result<()> {
        self.bus.close(limit).await.context("the log could not be flushed")
    }
}

/// The settings of the log, its secrets fetched.
///
/// # Errors
/// A secret cannot be had.
pub(crate) fn kafka(section: &Kafka, client_id: &str, folder: &Path) -> anyhow::Result<KafkaConfig> {
    let sasl = section.sasl.as_ref().map(|sasl| {
        let password = sasl.password.read(folder).context("[bus] sasl.password")?;
        anyhow::Ok(KafkaSasl {
            mechanism: sasl.mechanism,
            user: sasl.user.clone(),
            password: password.reveal().to_owned(),
        })
    });
    Ok(KafkaConfig {
        brokers: section.brokers.clone(),
        client_id: client_id.to_owned(),
        instance: section.instance.clone(),
        replication: section.replication,
        tls: section.tls.clone().map(|trust| KafkaTls {
            ca: trust.ca,
            certificate: trust.certificate,
            key: trust.key,
        }),
        sasl: sasl.transpose()?,
    })
}

/// The settings of the store, its secret fetched.
///
/// # Errors
/// A secret cannot be had.
pub(super) fn redis(section: &Redis, folder: &Path, clock: store::Clock) -> anyhow::Result<RedisConfig> {
    let url = section.url.read(folder).context("[store] url")?;
    let trust = section.tls.clone();
    Ok(RedisConfig {
        url: url.reveal().to_owned(),
        ca: trust.ca,
        certificate: trust.certificate,
        key: trust.key,
        clock,
    })
}

//! What the services stand on: log, store, time and dice, opened as the configuration says.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use bus::{EmbeddedBus, MemoryBus};
use disk::Disk;
use service::{Clock, Deps, Dice, Stop, Tasks, time};
use store::{EmbeddedStore, MemoryStore};
use tracing::warn;

use crate::config::{Config, Engine as Kind};

/// How often expired records are cleared away; expired state goes when the database merges its files.
const MAINTENANCE_PERIOD: Duration = Duration::from_secs(60);

/// Log and store, open.
pub(super) struct Engine {
    pub(super) deps: Deps,
    embedded: Option<Arc<EmbeddedBus>>,
}

impl Engine {
    /// Opens what `config` names.
    pub(super) fn open(config: &Config) -> anyhow::Result<Self> {
        let (clock, dice) = (Clock::wall(), Dice::from_system());
        let now = clock.as_millis_fn();
        match &config.bus {
            Kind::Memory => {
                warn!("bus and store are in memory: nothing survives this process");
                let (bus, store) = (Arc::new(MemoryBus::new(now.clone())), Arc::new(MemoryStore::new(now)));
                Ok(Self {
                    deps: Deps {
                        bus,
                        store,
                        clock,
                        dice,
                    },
                    embedded: None,
                })
            }
            Kind::Embedded { path } => {
                let disk = Disk::open(path).with_context(|| format!("{}: cannot be opened", path.display()))?;
                let bus = Arc::new(EmbeddedBus::open(disk.clone(), now.clone())?);
                let store = Arc::new(EmbeddedStore::open(disk, now)?);
                let deps = Deps {
                    bus: bus.clone(),
                    store,
                    clock,
                    dice,
                };
                Ok(Self {
                    deps,
                    embedded: Some(bus),
                })
            }
        }
    }

    /// Clears away expired records, every minute until `stop`.
    pub(super) fn maintain(&self, stop: &Stop, running: &mut Tasks<anyhow::Result<&'static str>>) {
        let (stop, embedded) = (stop.clone(), self.embedded.clone());
        running.spawn(async move {
            let mut ticks = time::every(MAINTENANCE_PERIOD);
            loop {
                tokio::select! { biased;
                    () = stop.requested() => return Ok("maintenance"),
                    _ = ticks.tick() => {}
                }
                if let Some(bus) = embedded.clone() {
                    let mut work = Tasks::new();
                    work.spawn_blocking(move || bus.maintain());
                    if let Some(Ok(Err(error))) = work.join_next().await {
                        warn!(%error, "expired records could not be cleared away");
                    }
                }
            }
        });
    }

    /// Flushes and closes.
    pub(super) async fn close(&self, limit: Duration) -> anyhow::Result<()> {
        self.deps.bus.close(limit).await.context("the log could not be flushed")
    }
}

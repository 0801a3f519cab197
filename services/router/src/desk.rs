//! What every loop of the router shares.

use std::{
    collections::BTreeSet,
    fmt::Display,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bus::{Bus, TopicSpec};
use service::{Deps, Seldom, Stop, Tracer, time};
use sms::{MessageId, RecordKey, UnixMs};
use store::{Due, Store};
use table::LiveTable;
use tracing::warn;

use crate::{
    Config, Error, carriers::Carriers, epochs::Epochs, figures::Book, pressure::Gauge, remembered::Remembered,
};

/// Wait before a dependency that is away is tried again.
pub(crate) const RETRY: Duration = Duration::from_millis(200);

/// Damaged states that are made again at once.
const DAMAGED_MAX: usize = 1_000;

/// What is away is found out by many loops, and often.
pub(crate) static TOLD: Seldom = Seldom::new();

/// Configuration, dependencies and what is known of the carriers.
pub(crate) struct Desk {
    pub(crate) config: Config,
    pub(crate) table: Arc<LiveTable>,
    pub(crate) carriers: Carriers,
    pub(crate) figures: Book,
    pub(crate) epochs: Epochs,
    pub(crate) remembered: Remembered,
    pub(crate) gauge: Gauge,
    deps: Deps,
    stop: Stop,
    /// Partitions whose timers this router looks at.
    owned: Mutex<Vec<u32>>,
    /// Messages whose states were found damaged.
    damaged: Mutex<BTreeSet<MessageId>>,
}

impl Desk {
    pub(crate) fn new(config: Config, deps: Deps, table: Arc<LiveTable>, stop: Stop) -> Self {
        Self {
            config,
            table,
            figures: Book::new(deps.clock.now()),
            epochs: Epochs::unknown(deps.clock.now()),
            deps,
            stop,
            carriers: Carriers::default(),
            remembered: Remembered::default(),
            gauge: Gauge::default(),
            owned: Mutex::default(),
            damaged: Mutex::default(),
        }
    }

    pub(crate) fn bus(&self) -> &dyn Bus {
        &*self.deps.bus
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.deps.store
    }

    pub(crate) fn now(&self) -> UnixMs {
        self.deps.clock.now()
    }

    pub(crate) fn tracer(&self) -> Tracer {
        self.deps.tracer.clone()
    }

    /// A number that nobody else draws.
    pub(crate) fn draw(&self) -> u64 {
        self.deps.dice.next_u64()
    }

    /// Makes the topics that are missing; waits while the log is away.
    pub(crate) async fn ensure(&self, specs: &[TopicSpec]) -> Result<(), Error> {
        while let Err(error) = self.bus().ensure(specs).await {
            let is_away = matches!(error, bus::PublishError::Away(_));
            self.away("the log", &error, is_away).await.map_err(|()| error)?;
        }
        Ok(())
    }

    /// The place of a timer in the due index.
    pub(crate) fn due(&self, key: RecordKey, at: UnixMs) -> Due {
        let partition = bus::PartitionId::of(key.0, self.config.partitions).0;
        Due {
            partition,
            second: at.second_ceil(),
        }
    }

    /// Notes that the state of `message` is damaged. What is over the limit is found again by its timer.
    pub(crate) fn damaged(&self, message: MessageId) {
        let mut damaged = self.damaged.lock().unwrap_or_else(PoisonError::into_inner);
        if damaged.len() < DAMAGED_MAX {
            damaged.insert(message);
        }
    }

    /// The messages noted so, which are then forgotten.
    pub(crate) fn take_damaged(&self) -> BTreeSet<MessageId> {
        std::mem::take(&mut self.damaged.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_owned(&self, partitions: Vec<u32>) {
        *self.owned.lock().unwrap_or_else(PoisonError::into_inner) = partitions;
    }

    pub(crate) fn owned(&self) -> Vec<u32> {
        self.owned.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits a moment for a dependency that is away. `Err` = waiting does not help, or a stop was requested: what was begun
    /// comes again after the restart.
    pub(crate) async fn away(&self, what: &'static str, error: &impl Display, is_away: bool) -> Result<(), ()> {
        if !is_away || self.stop.is_requested() {
            return Err(());
        }
        if TOLD.is_due(what) {
            warn!(%error, "{what} is away, trying again");
        }
        time::sleep(RETRY).await;
        Ok(())
    }
}

//! A log and a store that take a moment, and at times answer nobody, late or with old data: wrappers around those in memory.
//!
//! While one is away, a call fails; whether what was asked for was done all the same is a matter of dice, as it is with a
//! lost answer. What was promised before holds: a commit that resolved to `Ok` stays.

mod bus;
mod store;

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ::store::MemoryStore;
use service::{Dice, time};

use crate::fuse::Fuse;

pub(crate) use self::{bus::UnsteadyBus, store::UnsteadyStore};

/// How long a call waits before it says that nobody answers.
const NO_ANSWER: Duration = Duration::from_millis(50);
/// How long a store that is late takes to answer, at least, and the span after that.
const LATE_MS: (u64, u64) = (500, 3_500);
const AWAY: &str = "nobody answers";

/// What the log and the store are like at the moment. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Weather {
    pub(crate) bus_away: Arc<AtomicBool>,
    pub(crate) store_away: Arc<AtomicBool>,
    pub(crate) store_late: Arc<AtomicBool>,
    /// Whether some values come back other than they are.
    pub(crate) store_wrong: Arc<AtomicBool>,
    pub(crate) is_slow: Arc<AtomicBool>,
    /// Whether some records reach the log so that nobody can read them.
    pub(crate) bus_tears: Arc<AtomicBool>,
    /// Keys of the records that did.
    torn: Arc<Mutex<BTreeSet<u64>>>,
    /// What reads are answered from instead of the truth; absent = the truth.
    replica: Arc<Mutex<Option<MemoryStore>>>,
}

/// Whatever a process cannot help: the weather it is in, its dice, and where it ends.
#[derive(Clone)]
pub(crate) struct Fate {
    pub(crate) weather: Weather,
    pub(crate) fuse: Fuse,
    pub(crate) dice: Dice,
}

impl Weather {
    /// Has reads answered from `replica`, or the truth.
    pub(crate) fn set_replica(&self, replica: Option<MemoryStore>) {
        *self.replica.lock().unwrap_or_else(PoisonError::into_inner) = replica;
    }

    fn replica(&self) -> Option<MemoryStore> {
        self.replica.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes that a record with `key` reached the log so that nobody can read it.
    fn tore(&self, key: u64) {
        self.torn.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
    }

    /// Keys of records that did.
    pub(crate) fn torn(&self) -> BTreeSet<u64> {
        self.torn.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A moment, mostly none, rarely a long one.
    async fn moment(&self, dice: &Dice) {
        let spread = if is_set(&self.is_slow) { dice.below(100) } else { 0 };
        let moment = match spread {
            0..60 => 0,
            60..97 => 1 + dice.below(15),
            _ => 15 + dice.below(400),
        };
        if moment > 0 {
            time::sleep(Duration::from_millis(moment)).await;
        }
    }

    /// A moment of the store.
    async fn moment_of_store(&self, dice: &Dice) {
        self.moment(dice).await;
        if is_set(&self.store_late) {
            let (least, spread) = LATE_MS;
            time::sleep(Duration::from_millis(least + dice.below(spread))).await;
        }
    }
}

impl Fate {
    /// The same with dice of its own.
    pub(crate) fn fork(&self) -> Self {
        Self {
            dice: self.dice.fork(),
            ..self.clone()
        }
    }

    async fn moment(&self) {
        self.weather.moment(&self.dice).await;
    }

    async fn pass<T>(&self, call: impl Future<Output = T>) -> T {
        self.fuse.pass(&self.dice, call).await
    }
}

fn is_set(flag: &AtomicBool) -> bool {
    flag.load(Ordering::Relaxed)
}

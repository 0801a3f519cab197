//! Routing tables published on the log: which version is in force, its files, publishing and going back, and what each router serves.
//!
//! The topic is read from its start, and followed; a ledger says what stands there. Files stay on the log until somebody needs
//! them. Whoever serves the tables ([`Tables::serves`]) says so here, and this tells the others.

mod fetch;
mod follow;
mod ledger;
mod publish;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bus::Bus;
use service::{Deps, time};
use signalbox_proto::record::{TablePublication, TableServing};
use sms::UnixMs;
use tokio::sync::watch;

pub use fetch::{FetchError, files};
pub(crate) use ledger::Ledger;
pub use ledger::{HISTORY_MAX, HISTORY_OCTETS_MAX, Stand, Version};
pub use publish::{Base, Note, PublishError};

/// How often a router says what it serves.
const SERVING_SAID_EVERY: Duration = Duration::from_secs(5);
/// A router that said nothing for so long is gone.
pub(crate) const SERVING_FRESH: Duration = Duration::from_secs(15);
const _: () = assert!(SERVING_SAID_EVERY.as_secs() * 3 <= SERVING_FRESH.as_secs());

/// The tables of an installation, as one router sees them. Clones share it.
#[derive(Clone)]
pub struct Tables(Arc<Inner>);

struct Inner {
    deps: Deps,
    /// What this router is called.
    router: String,
    ledger: Mutex<Ledger>,
    /// Wakes whoever waits for the ledger; says whether the topic was read to its end once.
    changed: watch::Sender<bool>,
    served: watch::Sender<Served>,
    /// One publication at a time.
    turn: tokio::sync::Mutex<()>,
}

/// What a router serves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// Number of the published version; `None` = it is not known as one.
    pub number: Option<u64>,
    /// Content hash of the table; empty = there is none yet.
    pub version: String,
    /// Why it is not the version in force; empty = it is, or is about to be.
    pub fault: String,
}

/// A version that is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    /// Its number.
    pub number: u64,
    /// Content hash of the table.
    pub version: String,
    /// Until when it must be confirmed; `None` = it stays.
    pub confirm_by: Option<UnixMs>,
    publication: TablePublication,
}

impl Tables {
    /// Nothing is known yet. `instance` is a name that the router keeps across restarts; `None` = it has one for each run, with that
    /// of its machine in front where that is known: containers are told it.
    pub fn new(deps: Deps, instance: Option<String>, machine: Option<&str>) -> Self {
        let run = || match (deps.dice.next_u64(), machine) {
            (run, Some(machine)) => format!("{machine}-{:08x}", run >> 32),
            (run, None) => format!("{run:016x}"),
        };
        let router = instance.unwrap_or_else(run);
        Self(Arc::new(Inner {
            deps,
            router,
            ledger: Mutex::default(),
            changed: watch::Sender::new(false),
            served: watch::Sender::default(),
            turn: tokio::sync::Mutex::default(),
        }))
    }

    /// Waits until the topic was read to its end; false = not within `limit`.
    pub async fn is_read(&self, limit: Duration) -> bool {
        let mut changed = self.0.changed.subscribe();
        let read = async { changed.wait_for(|is_read| *is_read).await.is_ok() };
        time::timeout(limit, read).await.unwrap_or(false)
    }

    /// The version in force just now; `None` = none is, as far as was read.
    pub fn in_force(&self) -> Option<InForce> {
        self.ledger().in_force(self.now()).map(InForce::of)
    }

    /// The version that comes into force if the one in force is not confirmed; `None` = that cannot be, or none does.
    pub fn returns_to(&self) -> Option<InForce> {
        self.ledger().returns_to(self.now()).map(InForce::of)
    }

    /// Waits until another version may be in force than at the last call. Cancel-safe with a `watch` of one's own.
    pub async fn changed(&self, watch: &mut Watch) {
        let next = self.ledger().next_change(watch.at);
        let until = next.map(|next| next.since(self.now()));
        let due = async {
            match until {
                // A clock may be a moment behind its own timers.
                Some(until) => time::sleep(until + Duration::from_millis(1)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! { biased;
            _ = watch.records.changed() => {}
            () = due => {}
        }
        watch.at = self.now();
    }

    /// Begins to wait for changes.
    pub fn watch(&self) -> Watch {
        let at = self.now();
        Watch {
            records: self.0.changed.subscribe(),
            at,
        }
    }

    /// Notes what this router serves from now on; the others are told.
    pub fn serves(&self, served: Served) {
        self.0.served.send_if_modified(|known| {
            let is_new = *known != served;
            *known = served;
            is_new
        });
    }

    /// What each router that lives says it serves, by name.
    pub fn servings(&self) -> Vec<TableServing> {
        self.ledger().servings(self.now())
    }

    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.0.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> UnixMs {
        self.0.deps.clock.now()
    }

    fn bus(&self) -> &dyn Bus {
        &*self.0.deps.bus
    }
}

/// Waits for changes of what is in force.
pub struct Watch {
    records: watch::Receiver<bool>,
    /// The instant up to which the waiter knows what is in force.
    at: UnixMs,
}

impl fmt::Debug for Tables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tables")
            .field("router", &self.0.router)
            .finish_non_exhaustive()
    }
}

impl InForce {
    fn of(version: Version) -> Self {
        let publication = version.publication;
        Self {
            number: publication.number,
            version: publication.version.clone(),
            confirm_by: (version.stand == Stand::Pending)
                .then_some(publication.confirm_by)
                .flatten(),
            publication,
        }
    }
}

#[cfg(test)]
mod tests;

//! Events that cannot be read: put on the dead topic once, counted and named, so that no customer loses a receipt for good.
//!
//! Nobody reads events as a group, and every receipt stream meets the same ones: what this process put aside already it
//! remembers.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use bus::{Bus, PublishError, Record, Stored};
use service::Seldom;
use signalbox_proto::{
    record::{self, DeadId, DeadRecord, Invalid},
    topics,
};
use tracing::warn;

use crate::metrics;

/// Records remembered; the oldest are forgotten first, and put aside again should somebody read them again.
const KNOWN_MAX: usize = 10_000;

static TOLD: Seldom = Seldom::new();

/// What this process put aside.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unread(Arc<Mutex<BTreeSet<DeadId>>>);

impl Unread {
    /// Puts events on the dead topic, those aside that are there already. Durable when it returns.
    ///
    /// # Errors
    /// The log is away; they are to be put aside again.
    pub(super) async fn put_aside(&self, bus: &dyn Bus, events: &[(&Stored, Invalid)]) -> Result<(), PublishError> {
        let topic = topics::events();
        let is_new = |(stored, _): &&(&Stored, Invalid)| !self.lock().contains(&DeadId::of(stored));
        let new: Vec<_> = events.iter().filter(is_new).collect();
        if new.is_empty() {
            return Ok(());
        }
        let dead = |(stored, invalid): &&(&Stored, Invalid)| {
            found(topic.as_str(), invalid);
            let dead = DeadRecord::of(topic.as_str(), stored, invalid);
            Record::new(stored.key, record::dead_to_bytes(&dead))
        };
        let records = new.iter().map(dead).collect();
        bus.publish(&topics::dead(), records).await?.await?;
        let mut known = self.lock();
        known.extend(new.iter().map(|(stored, _)| DeadId::of(stored)));
        while known.len() > KNOWN_MAX {
            known.pop_first();
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<DeadId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts what cannot be read, and names it now and then.
pub(super) fn found(topic: &str, invalid: &Invalid) {
    let fault = invalid.fault().as_str();
    metrics::unreadable(topic, fault);
    if TOLD.is_due(fault) {
        warn!(topic, fault, reason = %invalid, "what is stored cannot be read, and there may be more");
    }
}

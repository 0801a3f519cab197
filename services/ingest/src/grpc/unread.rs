//! Events and inbound messages that cannot be read: put on the dead topic once, counted and named, so that no customer loses one for good.
//!
//! Nobody reads them as a group to hand them out, and every stream meets the same ones, again whenever one begins at an old place: a
//! mark in the store says for as long as they are kept that they were put aside, by whichever process; those that this one
//! met last it remembers.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use bus::{Record, Stored, Topic};
use bytes::Bytes;
use service::{Deps, Seldom};
use signalbox_proto::{
    keys,
    record::{self, DeadId, DeadRecord, Invalid},
    topics,
};
use store::{Key, Op};
use tracing::warn;

use crate::{Refusal, metrics};

/// Records remembered; the oldest are forgotten first, and looked up in the store should somebody read them again.
const KNOWN_MAX: usize = 10_000;

static TOLD: Seldom = Seldom::new();

/// What this process put aside.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unread(Arc<Mutex<BTreeSet<DeadId>>>);

impl Unread {
    /// Puts records of `topic` on the dead topic, those aside that are there already. Durable when it returns. Two that meet one at once
    /// may both put it aside; none leaves it out.
    ///
    /// # Errors
    /// The log or the store is away; they are to be put aside again.
    pub(super) async fn put_aside(
        &self,
        deps: &Deps,
        topic: &Topic,
        events: &[(&Stored, Invalid)],
    ) -> Result<(), Refusal> {
        let is_new = |(stored, _): &&(&Stored, Invalid)| !self.lock().contains(&DeadId::of(stored));
        let new: Vec<_> = events.iter().filter(is_new).collect();
        if new.is_empty() {
            return Ok(());
        }
        let marks: Vec<Key> = new.iter().map(|(stored, _)| keys::aside(DeadId::of(stored))).collect();
        let there = deps.store.get(marks.clone()).await.map_err(Refusal::Store)?;
        let absent: Vec<_> = new
            .iter()
            .zip(marks)
            .zip(there)
            .filter(|(_, there)| there.is_none())
            .collect();
        if !absent.is_empty() {
            let dead = |(((stored, invalid), _), _): &((&&(&Stored, Invalid), Key), _)| {
                found(topic.as_str(), invalid);
                let dead = DeadRecord::of(topic.as_str(), stored, invalid);
                Record::new(stored.key, record::dead_to_bytes(&dead))
            };
            let records = absent.iter().map(dead).collect();
            let sent = deps
                .bus
                .publish(&topics::dead(), records)
                .await
                .map_err(Refusal::Publish)?;
            sent.await.map_err(Refusal::Publish)?;
            let expires_at_ms = (deps.clock.now() + topics::RETENTION_DEFAULT).0;
            let mark = |((_, key), _)| Op::Put {
                key,
                value: Bytes::new(),
                expires_at_ms,
            };
            let marked = deps.store.apply(absent.into_iter().map(mark).collect()).await;
            marked.map_err(Refusal::Store)?.1.await.map_err(Refusal::Store)?;
        }
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

#[cfg(test)]
mod tests;

//! Messages whose parts did not all come, and those that somebody left before they were on the log: published with what is
//! there, by whoever looks first.

use std::{sync::PoisonError, time::Duration};

use service::{Stop, time};
use signalbox_proto::keys;
use store::{Applied, Key, StoreError, Versioned};
use tracing::warn;

use super::{Inbound, TOLD, count, read, write};

/// How often the due index is looked at, and how many messages of it at once.
const LOOK: Duration = Duration::from_secs(2);
const LOOK_MAX: usize = 100;

impl Inbound {
    /// Publishes what is known of a message before its time, as there is no room for it.
    pub(super) async fn close_early(&self, key: Key) {
        let found = self.deps.store.get(vec![key.clone()]).await;
        if let Ok(found) = found
            && let Some(versioned) = found.into_iter().flatten().next()
        {
            // Should it fail, its time will come.
            let _ = self.close(key, &versioned).await;
        }
    }

    /// Publishes what is there of a message, unless somebody else does.
    pub(super) async fn close(&self, key: Key, found: &Versioned) -> Result<(), StoreError> {
        let Some(known) = read(&found.value) else {
            return Ok(());
        };
        let Some((closing, inbound)) = known.close(self.deps.clock.now()) else {
            return Ok(());
        };
        let op = write(&key, Some(found.version), &closing);
        let (applied, commit) = self.deps.store.apply(vec![op]).await?;
        let Some(Applied::Written(version)) = applied.into_iter().next() else {
            return Ok(());
        };
        {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.leave(&known, &key);
        }
        if self.publish([&*inbound].into_iter(), commit).await? {
            count(&inbound);
            let done = closing.done(self.deps.clock.now());
            self.note(vec![write(&key, Some(version), &done)]).await;
        }
        Ok(())
    }

    /// Publishes what is incomplete in time, and what others left, until `stop`.
    pub(crate) async fn keep(self, stop: Stop) {
        loop {
            tokio::select! {
                biased;
                () = stop.requested() => return,
                () = time::sleep(LOOK) => {}
            }
            if let Err(error) = self.look().await
                && TOLD.is_due("look")
            {
                warn!(%error, "cannot look for inbound messages that are incomplete, trying again");
            }
        }
    }

    /// One look at the due index.
    pub(super) async fn look(&self) -> Result<(), StoreError> {
        let second = self.deps.clock.now().0 / 1_000;
        let due = self.deps.store.due(keys::INBOUND_DUE, second, LOOK_MAX).await?;
        if due.is_empty() {
            return Ok(());
        }
        let keys: Vec<Key> = due.into_iter().map(|entry| entry.key).collect();
        let found = self.deps.store.get(keys.clone()).await?;
        for (key, found) in keys.into_iter().zip(found) {
            if let Some(versioned) = found {
                self.close(key, &versioned).await?;
            }
        }
        Ok(())
    }
}

//! A store with a bug.

use std::sync::Arc;

use futures::{FutureExt, future::BoxFuture};
use store::{Applied, Commit, DueEntry, Epoch, Key, Op, Rebuild, Store, StoreError, Versioned};

use super::Bug;

pub(super) struct PlantedStore {
    inner: Arc<dyn Store>,
    bug: Bug,
}

struct PlantedRebuild {
    inner: Box<dyn Rebuild>,
    bug: Bug,
}

impl PlantedStore {
    pub(super) fn new(inner: Arc<dyn Store>, bug: Bug) -> Self {
        Self { inner, bug }
    }

    /// What the caller is told of an operation that never gets to the store; `None` = it does.
    fn swallows(&self, op: &Op) -> Option<Applied> {
        let is_of = |key: &Key, kind: &[u8]| key.0.starts_with(kind);
        match (self.bug, op) {
            (Bug::DropClaims, Op::Claim { .. }) => Some(Applied::Claimed),
            (Bug::ForgetLeases, Op::Put { key, .. }) if is_of(key, b"lease/") => Some(Applied::Written(1)),
            (Bug::DropCorrelations, Op::Put { key, .. }) if is_of(key, b"corr/") => Some(Applied::Written(1)),
            (Bug::DropKeys, Op::Swap { key, .. }) if is_of(key, b"idem/") => Some(Applied::Written(1)),
            _ => None,
        }
    }

    /// The operation as it gets to the store.
    fn spoil(&self, mut op: Op) -> Op {
        match (self.bug, &mut op) {
            (Bug::LoseDue, Op::Swap { due, .. }) => *due = None,
            (Bug::ImmortalLeases, Op::Put { key, expires_at_ms, .. }) if key.0.starts_with(b"lease/") => {
                *expires_at_ms = u64::MAX;
            }
            _ => {}
        }
        op
    }

    async fn apply_all(&self, ops: Vec<Op>) -> Result<(Vec<Applied>, Commit), StoreError> {
        let told: Vec<_> = ops.iter().map(|op| self.swallows(op)).collect();
        let kept: Vec<_> = ops.into_iter().zip(&told).filter(|(_, told)| told.is_none()).collect();
        let kept: Vec<_> = kept.into_iter().map(|(op, _)| self.spoil(op)).collect();
        let (mut applied, commit) = self.inner.apply(kept.clone()).await?;
        if self.bug == Bug::SwapAlways {
            for (op, applied) in kept.into_iter().zip(&mut applied) {
                self.force(op, applied).await?;
            }
        }
        let mut applied = applied.into_iter();
        let all = told
            .into_iter()
            .map(|told| told.unwrap_or_else(|| applied.next().expect("the store answers every operation")));
        Ok((all.collect(), commit))
    }

    /// Has a swap take place that did not.
    async fn force(&self, mut op: Op, applied: &mut Applied) -> Result<(), StoreError> {
        if let (Applied::Conflict(there), Op::Swap { expected, .. }) = (&*applied, &mut op) {
            *expected = there.as_ref().map(|there| there.version);
            let (again, commit) = self.inner.apply(vec![op]).await?;
            commit.await?;
            *applied = again.into_iter().next().expect("the store answers every operation");
        }
        Ok(())
    }

    /// Has a store that was lost go on as if nothing had been.
    async fn hide_loss(&self) -> Result<(), StoreError> {
        if let Some(rebuild) = self.inner.rebuild().await? {
            rebuild.finish().await?;
        }
        self.inner.adopt(&self.inner.epoch().await?);
        Ok(())
    }

    /// Whether `result` tells of a loss that nobody is to hear of.
    fn is_hidden<T>(&self, result: &Result<T, StoreError>) -> bool {
        self.bug == Bug::HideLoss && matches!(result, Err(StoreError::Lost))
    }
}

impl Store for PlantedStore {
    fn apply(&self, ops: Vec<Op>) -> BoxFuture<'_, Result<(Vec<Applied>, Commit), StoreError>> {
        async move {
            let applied = self.apply_all(ops.clone()).await;
            if !self.is_hidden(&applied) {
                return applied;
            }
            self.hide_loss().await?;
            self.apply_all(ops).await
        }
        .boxed()
    }

    fn get(&self, keys: Vec<Key>) -> BoxFuture<'_, Result<Vec<Option<Versioned>>, StoreError>> {
        async move {
            let found = self.inner.get(keys.clone()).await;
            if !self.is_hidden(&found) {
                return found;
            }
            self.hide_loss().await?;
            self.inner.get(keys).await
        }
        .boxed()
    }

    fn due(&self, partition: u32, second: u64, max: usize) -> BoxFuture<'_, Result<Vec<DueEntry>, StoreError>> {
        self.inner.due(partition, second, max)
    }

    fn scan<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a Key>,
        max: usize,
    ) -> BoxFuture<'a, Result<Vec<(Key, Versioned)>, StoreError>> {
        self.inner.scan(prefix, after, max)
    }

    fn epoch(&self) -> BoxFuture<'_, Result<Epoch, StoreError>> {
        async move {
            let epoch = self.inner.epoch().await;
            if self.is_hidden(&epoch) {
                self.hide_loss().await?;
            }
            match self.bug {
                // One word for all of them, so that nobody starts over.
                Bug::HideLoss => Ok(Epoch::of_word("0-1".to_owned())),
                _ => epoch,
            }
        }
        .boxed()
    }

    fn adopt(&self, epoch: &Epoch) {
        if self.bug != Bug::HideLoss {
            self.inner.adopt(epoch);
        }
    }

    fn rebuild(&self) -> BoxFuture<'_, Result<Option<Box<dyn Rebuild>>, StoreError>> {
        async move {
            let bug = self.bug;
            let inner = self.inner.rebuild().await?;
            Ok(inner.map(|inner| {
                let rebuild: Box<dyn Rebuild> = Box::new(PlantedRebuild { inner, bug });
                rebuild
            }))
        }
        .boxed()
    }
}

impl Rebuild for PlantedRebuild {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(PlantedStore::new(self.inner.store(), self.bug))
    }

    fn finish(self: Box<Self>) -> BoxFuture<'static, Result<Epoch, StoreError>> {
        self.inner.finish()
    }
}

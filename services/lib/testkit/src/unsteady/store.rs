//! The store as one process sees it.

use std::sync::Arc;

use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use service::time;
use store::{Applied, Commit, DueEntry, Epoch, Key, Op, Rebuild, Store, StoreError, Versioned};

use super::{AWAY, Fate, NO_ANSWER, is_set};

/// One in so many values comes back other than it is, while the store answers wrongly.
const WRONG: u64 = 4;

pub(crate) struct UnsteadyStore {
    pub(crate) inner: Arc<dyn Store>,
    pub(crate) fate: Fate,
}

/// One who rebuilds a store that takes a moment.
struct UnsteadyRebuild {
    inner: Box<dyn Rebuild>,
    fate: Fate,
}

impl UnsteadyStore {
    async fn answers(&self) -> Result<(), StoreError> {
        let weather = &self.fate.weather;
        weather.moment_of_store(&self.fate.dice).await;
        if !is_set(&weather.store_away) {
            return Ok(());
        }
        time::sleep(NO_ANSWER).await;
        Err(StoreError::Away(AWAY.to_owned()))
    }

    async fn apply_all(&self, ops: Vec<Op>) -> Result<(Vec<Applied>, Commit), StoreError> {
        if let Err(error) = self.answers().await {
            if self.fate.dice.below(2) == 0 {
                drop(self.inner.apply(ops).await?);
            }
            return Err(error);
        }
        let (applied, commit) = self.inner.apply(ops).await?;
        let fate = self.fate.fork();
        let safe = async move {
            let unsteady = async {
                fate.weather.moment_of_store(&fate.dice).await;
                match is_set(&fate.weather.store_away) {
                    true => Err(StoreError::Away(AWAY.to_owned())),
                    false => commit.await,
                }
            };
            fate.pass(unsteady).await
        };
        Ok((applied, Commit::new(safe)))
    }

    /// Whom reads are answered by: one who is left behind, but in the same epoch, if anybody.
    async fn replica(&self) -> Option<impl Store + use<>> {
        let replica = self.fate.weather.replica()?;
        let (old, new) = (replica.epoch().await.ok()?, self.inner.epoch().await.ok()?);
        (old == new).then_some(replica)
    }

    /// `value` as it comes back.
    fn spoil(&self, value: Versioned) -> Versioned {
        let dice = &self.fate.dice;
        if !is_set(&self.fate.weather.store_wrong) || value.value.is_empty() || dice.below(WRONG) > 0 {
            return value;
        }
        let mut octets = value.value.to_vec();
        let at = dice.below(octets.len() as u64) as usize;
        match dice.below(2) {
            0 => octets.truncate(at),
            _ => octets[at] ^= 1 << dice.below(8),
        }
        Versioned {
            value: Bytes::from(octets),
            ..value
        }
    }

    async fn get_all(&self, keys: Vec<Key>) -> Result<Vec<Option<Versioned>>, StoreError> {
        self.answers().await?;
        let truth = self.inner.get(keys.clone()).await?;
        let found = match self.replica().await {
            Some(replica) => replica.get(keys).await?,
            None => truth,
        };
        Ok(found
            .into_iter()
            .map(|value| value.map(|value| self.spoil(value)))
            .collect())
    }

    async fn scan_all(
        &self,
        prefix: &str,
        after: Option<&Key>,
        max: usize,
    ) -> Result<Vec<(Key, Versioned)>, StoreError> {
        self.answers().await?;
        let truth = self.inner.scan(prefix, after, max).await?;
        let found = match self.replica().await {
            Some(replica) => replica.scan(prefix, after, max).await?,
            None => truth,
        };
        Ok(found.into_iter().map(|(key, value)| (key, self.spoil(value))).collect())
    }

    async fn due_now(&self, partition: u32, second: u64, max: usize) -> Result<Vec<DueEntry>, StoreError> {
        self.answers().await?;
        let truth = self.inner.due(partition, second, max).await?;
        match self.replica().await {
            Some(replica) => replica.due(partition, second, max).await,
            None => Ok(truth),
        }
    }
}

impl Store for UnsteadyStore {
    fn apply(&self, ops: Vec<Op>) -> BoxFuture<'_, Result<(Vec<Applied>, Commit), StoreError>> {
        self.fate.pass(self.apply_all(ops)).boxed()
    }

    fn get(&self, keys: Vec<Key>) -> BoxFuture<'_, Result<Vec<Option<Versioned>>, StoreError>> {
        self.fate.pass(self.get_all(keys)).boxed()
    }

    fn due(&self, partition: u32, second: u64, max: usize) -> BoxFuture<'_, Result<Vec<DueEntry>, StoreError>> {
        self.fate.pass(self.due_now(partition, second, max)).boxed()
    }

    fn scan<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a Key>,
        max: usize,
    ) -> BoxFuture<'a, Result<Vec<(Key, Versioned)>, StoreError>> {
        self.fate.pass(self.scan_all(prefix, after, max)).boxed()
    }

    fn epoch(&self) -> BoxFuture<'_, Result<Epoch, StoreError>> {
        let epoch = async {
            self.answers().await?;
            self.inner.epoch().await
        };
        self.fate.pass(epoch).boxed()
    }

    fn adopt(&self, epoch: &Epoch) {
        self.inner.adopt(epoch);
    }

    fn rebuild(&self) -> BoxFuture<'_, Result<Option<Box<dyn Rebuild>>, StoreError>> {
        let begin = async {
            self.answers().await?;
            let inner = self.inner.rebuild().await?;
            Ok(inner.map(|inner| {
                let fate = self.fate.fork();
                let rebuild: Box<dyn Rebuild> = Box::new(UnsteadyRebuild { inner, fate });
                rebuild
            }))
        };
        self.fate.pass(begin).boxed()
    }
}

impl Rebuild for UnsteadyRebuild {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(UnsteadyStore {
            inner: self.inner.store(),
            fate: self.fate.fork(),
        })
    }

    fn finish(self: Box<Self>) -> BoxFuture<'static, Result<Epoch, StoreError>> {
        async move {
            let Self { inner, fate } = *self;
            let finish = async {
                fate.weather.moment_of_store(&fate.dice).await;
                inner.finish().await
            };
            fate.pass(finish).await
        }
        .boxed()
    }
}

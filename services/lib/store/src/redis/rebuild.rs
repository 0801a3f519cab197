//! Rebuilding a lost store: one at a time, by whoever holds the lock, under a word that nobody else goes by.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use ::redis::{Cmd, Value};
use futures::{FutureExt, future::BoxFuture};

use super::{Access, REBUILDING, RedisStore, bucket::Bucket, scripts, scripts::SCRIPTS};
use crate::{Epoch, Rebuild, Store, StoreError};

/// How long a rebuilder that calls nothing keeps others from beginning.
const LOCK_KEPT_MS: &str = "10000";

/// The one who rebuilds; a handle of the store under its word.
struct Rebuilder(RedisStore);

impl RedisStore {
    pub(super) async fn begin_rebuild(&self) -> Result<Option<Box<dyn Rebuild>>, StoreError> {
        if let Access::Rebuilder(_) = self.access {
            return Ok(None);
        }
        if self.is_whole().await? {
            return Ok(None);
        }
        let word: Arc<str> = format!("{REBUILDING}{:x}", random()).into();
        if self.servers.call(vec![self.lock(&word, "1")]).await? != [Value::Int(1)] {
            return Ok(None);
        }
        // Another may have finished between the look and the lock.
        if self.is_whole().await? {
            self.servers.call(vec![unlock(&word)]).await?;
            return Ok(None);
        }
        let time = self.time();
        let begin = |(bucket, run): (Bucket, String)| {
            let keys = [bucket.epoch(), bucket.version(), bucket.run()];
            let arguments = [&*word, &time, &run].map(str::as_bytes);
            (bucket, scripts::run(&SCRIPTS.begin, &keys, &arguments))
        };
        let runs = self.servers.runs().await?;
        self.servers.call(runs.into_iter().map(begin).collect()).await?;
        Ok(Some(Box::new(Rebuilder(Self {
            access: Access::Rebuilder(word),
            ..self.clone()
        }))))
    }

    async fn is_whole(&self) -> Result<bool, StoreError> {
        match self.find_epoch().await {
            Ok(_) => Ok(true),
            Err(StoreError::Lost) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn lock(&self, word: &str, take: &str) -> (Bucket, Cmd) {
        let time = self.time();
        let arguments = [word, &time, LOCK_KEPT_MS, take].map(str::as_bytes);
        (
            Bucket::LOCKED,
            scripts::run(&SCRIPTS.lock, &[Bucket::lock()], &arguments),
        )
    }

    /// `commands`, and for a rebuilder one more that keeps its lock.
    pub(super) fn with_lock_kept(&self, word: &str, mut commands: Vec<(Bucket, Cmd)>) -> Vec<(Bucket, Cmd)> {
        if let Access::Rebuilder(_) = self.access {
            commands.push(self.lock(word, "0"));
        }
        commands
    }

    /// The answers without that to keeping the lock.
    pub(super) fn without_lock(&self, mut answers: Vec<Value>) -> Result<Vec<Value>, StoreError> {
        match self.access {
            Access::Rebuilder(_) if answers.pop() != Some(Value::Int(1)) => Err(StoreError::Lost),
            _ => Ok(answers),
        }
    }
}

impl Rebuild for Rebuilder {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.0.clone())
    }

    fn finish(self: Box<Self>) -> BoxFuture<'static, Result<Epoch, StoreError>> {
        async move {
            let word = self.0.word().await?;
            let epoch = Epoch::of_word(format!("{:x}-{:x}", (self.0.clock)(), random()));
            // Kept first, so that nobody takes over half-way; that would harm nothing but make all wait again.
            self.0.call(&word, Vec::new()).await?;
            let arguments = [&*word, &epoch.word].map(str::as_bytes);
            let finish = |bucket: Bucket| {
                let script = scripts::run(&SCRIPTS.finish, &[bucket.epoch()], &arguments);
                (bucket, script)
            };
            let begun = self.0.call(&word, Bucket::all().map(finish).collect()).await?;
            self.0.servers.call(vec![unlock(&word)]).await?;
            if begun.iter().all(|answer| *answer == Value::Int(1)) {
                Ok(epoch)
            } else {
                Err(StoreError::Lost)
            }
        }
        .boxed()
    }
}

fn unlock(word: &str) -> (Bucket, Cmd) {
    let script = scripts::run(&SCRIPTS.unlock, &[Bucket::lock()], &[word.as_bytes()]);
    (Bucket::LOCKED, script)
}

/// A number that is unlike others; it decides nothing.
fn random() -> u64 {
    RandomState::new().hash_one(())
}

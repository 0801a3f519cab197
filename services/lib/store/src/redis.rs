//! The store in a Redis, or in a cluster of them: what roles on different machines share.
//!
//! Values lie in eight buckets by the hash of their key. A call is one script for each bucket it touches, all sent as one;
//! a script looks at the epoch of its bucket first, so that nothing is read from or written to a store that forgot
//! something. The server's clock decides what has expired: a caller's expiry is taken as a span from the caller's now, so
//! clocks that differ shorten no lease.
//!
//! **What keeps an epoch.** Emptying the store ends it. A server that started again ends it too, unless it runs with
//! `appendonly yes` and `appendfsync always`, as it may lack the last writes; so does a failover to a replica, which may have
//! lagged behind. Then the store is rebuilt from the log, which takes longer the longer messages live. With
//! `appendfsync everysec` Redis is faster, and every restart is a rebuild. `maxmemory-policy` must be `noeviction` where
//! `maxmemory` is set: a server that forgets by itself is refused.
//!
//! **A backup put back keeps its epoch**, although what was written since is gone: nobody can tell it from a restart. Before
//! signalbox may reach a Redis restored from a backup, or rolled back with its machine, end the epoch by hand, on every
//! primary of a cluster:
//!
//! ```text
//! redis-cli --scan --pattern 'signalbox:{b*}:epoch' | xargs -r -n 1 redis-cli DEL
//! ```

mod bucket;
mod calls;
mod config;
mod fault;
mod link;
mod placement;
mod rebuild;
mod scan;
mod scripts;
mod server;
mod servers;
mod wire;

use std::sync::{Arc, Mutex};

use ::redis::{Cmd, Value, from_redis_value};
use futures::{FutureExt, future::BoxFuture};

pub use self::config::RedisConfig;
use self::{bucket::Bucket, scripts::SCRIPTS, servers::Servers};
use crate::{Applied, Clock, Commit, DueEntry, Epoch, Key, Op, Rebuild, Store, StoreError, Versioned};

/// What the word of a store begins with while somebody rebuilds it; no epoch's does.
const REBUILDING: char = '~';

/// A store in a Redis. Cheap to clone; clones share a connection and adopt epochs together.
#[derive(Clone)]
pub struct RedisStore {
    servers: Arc<Servers>,
    clock: Clock,
    /// Whether the store takes the time from `clock`.
    is_clock_ours: bool,
    access: Access,
}

/// As whom a handle comes.
#[derive(Clone)]
enum Access {
    /// Under the epoch it adopted; `None` = whichever it finds first.
    Epoch(Arc<Mutex<Option<Arc<str>>>>),
    /// As the rebuilder with this word.
    Rebuilder(Arc<str>),
}

impl RedisStore {
    /// The store that `config` leads to. It need not be there yet: nothing is sent before the first call.
    ///
    /// # Errors
    /// The settings are wrong.
    pub fn new(config: RedisConfig) -> Result<Self, StoreError> {
        let client = config.client()?;
        Ok(Self {
            servers: Arc::new(Servers::new(config.shown_url(), client)),
            clock: config.clock,
            is_clock_ours: false,
            access: Access::Epoch(Arc::default()),
        })
    }

    /// Makes the store take the time from the clock of this handle, so that a test can let it pass. All handles must.
    #[cfg(feature = "conformance")]
    #[must_use]
    pub fn on_own_clock(mut self) -> Self {
        self.is_clock_ours = true;
        self
    }

    fn time(&self) -> String {
        if self.is_clock_ours {
            (self.clock)().to_string()
        } else {
            String::new()
        }
    }

    /// The word that must be in every bucket.
    async fn word(&self) -> Result<Arc<str>, StoreError> {
        match &self.access {
            Access::Rebuilder(word) => Ok(word.clone()),
            Access::Epoch(adopted) => {
                let word = adopted.lock().expect("no holder panics").clone();
                match word {
                    Some(word) => Ok(word),
                    None => {
                        let word: Arc<str> = self.find_epoch().await?.word.into();
                        Ok(adopted.lock().expect("no holder panics").get_or_insert(word).clone())
                    }
                }
            }
        }
    }

    /// The words of all buckets.
    async fn words(&self) -> Result<Vec<Option<String>>, StoreError> {
        let get = |bucket: Bucket| (bucket, command("GET", &[bucket.epoch()]));
        let answers = self.servers.call(Bucket::all().map(get).collect()).await?;
        let word = |answer| from_redis_value(answer).map_err(|_| fault::unexpected("its epoch"));
        answers.into_iter().map(word).collect()
    }

    async fn find_epoch(&self) -> Result<Epoch, StoreError> {
        let words = self.words().await?;
        match words.first().cloned().flatten() {
            Some(word) if !word.starts_with(REBUILDING) && words.iter().all(|other| *other == Some(word.clone())) => {
                Ok(Epoch::of_word(word))
            }
            _ => Err(StoreError::Lost),
        }
    }

    /// Sends `commands`, one script for each bucket of a call, and gives their answers if no bucket is lost.
    async fn call(&self, word: &str, commands: Vec<(Bucket, Cmd)>) -> Result<Vec<Value>, StoreError> {
        let answers = self.servers.call(self.with_lock_kept(word, commands)).await?;
        let answers: Vec<_> = self.without_lock(answers)?;
        if answers.contains(&Value::Int(0)) {
            return Err(self.lost(word).await);
        }
        Ok(answers)
    }

    /// Part of the store is not in the epoch `word`: the rest must not look as if it were.
    async fn lost(&self, word: &str) -> StoreError {
        if let Access::Rebuilder(_) = self.access {
            return StoreError::Lost;
        }
        let end = |bucket: Bucket| {
            let script = scripts::run(&SCRIPTS.end, &[bucket.epoch()], &[word.as_bytes()]);
            (bucket, script)
        };
        match self.servers.call(Bucket::all().map(end).collect()).await {
            Ok(_) => StoreError::Lost,
            Err(error) => error,
        }
    }
}

fn command<T: ::redis::ToRedisArgs>(name: &str, arguments: &[T]) -> Cmd {
    let mut command = ::redis::cmd(name);
    command.arg(arguments);
    command
}

impl Store for RedisStore {
    fn apply(&self, ops: Vec<Op>) -> BoxFuture<'_, Result<(Vec<Applied>, Commit), StoreError>> {
        async move {
            let applied = self.apply_all(ops).await?;
            // What Redis has answered is as safe as its own settings make it.
            Ok((applied, Commit::done()))
        }
        .boxed()
    }

    fn get(&self, keys: Vec<Key>) -> BoxFuture<'_, Result<Vec<Option<Versioned>>, StoreError>> {
        async move { self.get_all(&keys).await }.boxed()
    }

    fn due(&self, partition: u32, second: u64, max: usize) -> BoxFuture<'_, Result<Vec<DueEntry>, StoreError>> {
        self.find_due(partition, second, max).boxed()
    }

    fn scan<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a Key>,
        max: usize,
    ) -> BoxFuture<'a, Result<Vec<(Key, Versioned)>, StoreError>> {
        self.scan_all(prefix, after, max).boxed()
    }

    fn epoch(&self) -> BoxFuture<'_, Result<Epoch, StoreError>> {
        async move {
            for link in self.servers.links().await? {
                link.inspect().await?;
            }
            self.find_epoch().await
        }
        .boxed()
    }

    fn adopt(&self, epoch: &Epoch) {
        if let Access::Epoch(adopted) = &self.access {
            *adopted.lock().expect("no holder panics") = Some(epoch.word.as_str().into());
        }
    }

    fn rebuild(&self) -> BoxFuture<'_, Result<Option<Box<dyn Rebuild>>, StoreError>> {
        self.begin_rebuild().boxed()
    }
}

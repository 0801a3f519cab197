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

mod bucket;
mod config;
mod fault;
mod link;
mod rebuild;
mod scan;
mod scripts;
mod server;
mod wire;

use std::sync::{Arc, Mutex};

use ::redis::{Cmd, Value, from_redis_value};
use futures::{FutureExt, future::BoxFuture};

pub use self::config::RedisConfig;
use self::{bucket::Bucket, link::Link, scripts::SCRIPTS};
use crate::{Applied, Clock, Commit, DueEntry, Epoch, Key, Op, Rebuild, Store, StoreError, Versioned, limit};

/// What the word of a store begins with while somebody rebuilds it; no epoch's does.
const REBUILDING: char = '~';

/// A store in a Redis. Cheap to clone; clones share a connection and adopt epochs together.
#[derive(Clone)]
pub struct RedisStore {
    link: Arc<Link>,
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
            link: Arc::new(Link::new(config.shown_url(), client)),
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
        let commands = Bucket::all().map(|bucket| command("GET", &[bucket.epoch()])).collect();
        let answers = self.link.call(commands).await?;
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
    async fn call(&self, word: &str, commands: Vec<Cmd>) -> Result<Vec<Value>, StoreError> {
        let answers = self.link.call(self.with_lock_kept(word, commands)).await?;
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
        let end = |bucket: Bucket| scripts::run(&SCRIPTS.end, &[bucket.epoch()], &[word.as_bytes()]);
        match self.link.call(Bucket::all().map(end).collect()).await {
            Ok(_) => StoreError::Lost,
            Err(error) => error,
        }
    }

    async fn apply_all(&self, ops: Vec<Op>) -> Result<Vec<Applied>, StoreError> {
        limit::check(&ops)?;
        wire::check(&ops)?;
        let word = self.word().await?;
        let (now_ms, time) = ((self.clock)(), self.time());
        let caller = wire::Caller {
            word: &word,
            now_ms,
            time: &time,
        };
        let (places, commands): (Vec<_>, Vec<_>) = wire::parts(&ops, &caller)
            .into_iter()
            .map(|part| (part.places, part.command))
            .unzip();
        let mut applied = vec![Applied::Removed; ops.len()];
        for (places, answer) in places.into_iter().zip(self.call(&word, commands).await?) {
            let Value::Array(answers) = answer else {
                return Err(fault::unexpected("a call"));
            };
            for (place, answer) in places.into_iter().zip(answers) {
                applied[place] = wire::applied(&ops[place], answer)?;
            }
        }
        Ok(applied)
    }

    async fn find_due(&self, partition: u32, second: u64, max: usize) -> Result<Vec<DueEntry>, StoreError> {
        let word = self.word().await?;
        // Most often the earliest entries are spread evenly; a bucket that has more of them is asked again for all.
        let few = (max / bucket::BUCKETS * 2 + 8).min(max);
        let mut parts = self
            .due_parts(&word, partition, second, few, Bucket::all().collect())
            .await?;
        let mut found = merge(&parts, max);
        let is_cut = |part: &Vec<DueEntry>| {
            part.len() == few
                && (found.len() < max
                    || found
                        .last()
                        .zip(part.last())
                        .is_some_and(|(end, last)| order(last) < order(end)))
        };
        let cut: Vec<_> = Bucket::all()
            .filter(|bucket| few < max && is_cut(&parts[usize::from(bucket.0)]))
            .collect();
        if !cut.is_empty() {
            let again = self.due_parts(&word, partition, second, max, cut.clone()).await?;
            for (bucket, part) in cut.into_iter().zip(again) {
                parts[usize::from(bucket.0)] = part;
            }
            found = merge(&parts, max);
        }
        Ok(found)
    }

    async fn due_parts(
        &self,
        word: &str,
        partition: u32,
        second: u64,
        max: usize,
        buckets: Vec<Bucket>,
    ) -> Result<Vec<Vec<DueEntry>>, StoreError> {
        let (first, last) = (
            wire::score(partition, 0).to_string(),
            wire::score(partition, second).to_string(),
        );
        let (time, max) = (self.time(), max.to_string());
        let arguments = [word, &time, &first, &last, &max].map(str::as_bytes);
        let look = |bucket: Bucket| scripts::run(&SCRIPTS.due, &[bucket.epoch(), bucket.due()], &arguments);
        let answers = self.call(word, buckets.into_iter().map(look).collect()).await?;
        answers
            .into_iter()
            .map(|answer| wire::due_entries(answer, partition))
            .collect()
    }

    /// The entries of `keys` that have not expired, in order.
    async fn get_all(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, StoreError> {
        let word = self.word().await?;
        let mut places: [Vec<usize>; bucket::BUCKETS] = Default::default();
        for (place, key) in keys.iter().enumerate() {
            places[usize::from(Bucket::of(key).0)].push(place);
        }
        let asked: Vec<_> = Bucket::all()
            .zip(places)
            .filter(|(_, places)| !places.is_empty())
            .collect();
        let mut commands = vec![command("TIME", &[] as &[&str])];
        for (bucket, places) in &asked {
            let mut get = command("MGET", &[bucket.epoch()]);
            let mut name = bucket.values().into_bytes();
            for place in places {
                name.truncate(bucket::VALUE_PREFIX_OCTETS);
                name.extend_from_slice(&keys[*place].0);
                get.arg(&name);
            }
            commands.push(get);
        }
        let mut answers = self.call(&word, commands).await?.into_iter();
        let server_ms = wire::time_ms(answers.next().ok_or_else(|| fault::unexpected("TIME"))?)?;
        let now_ms = if self.is_clock_ours { (self.clock)() } else { server_ms };
        let mut found = vec![None; keys.len()];
        for ((_, places), answer) in asked.into_iter().zip(answers) {
            let values: Vec<Option<Vec<u8>>> = from_redis_value(answer).map_err(|_| fault::unexpected("MGET"))?;
            let mut values = values.into_iter();
            if values.next().flatten().as_deref() != Some(word.as_bytes()) {
                return Err(self.lost(&word).await);
            }
            for (place, octets) in places.into_iter().zip(values) {
                let entry = octets.map(wire::Entry::of).transpose()?;
                found[place] = entry
                    .filter(|entry| entry.expires_at_ms > now_ms)
                    .map(|entry| entry.versioned);
            }
        }
        Ok(found)
    }
}

fn command<T: ::redis::ToRedisArgs>(name: &str, arguments: &[T]) -> Cmd {
    let mut command = ::redis::cmd(name);
    command.arg(arguments);
    command
}

fn order(entry: &DueEntry) -> (u64, &Key) {
    (entry.second, &entry.key)
}

/// The `max` earliest entries of all `parts`.
fn merge(parts: &[Vec<DueEntry>], max: usize) -> Vec<DueEntry> {
    let mut found = parts.concat();
    found.sort_unstable_by(|a, b| order(a).cmp(&order(b)));
    found.truncate(max);
    found
}

impl Store for RedisStore {
    fn apply(&self, ops: Vec<Op>) -> BoxFuture<'_, Result<(Vec<Applied>, Commit), StoreError>> {
        async move {
            let applied = self.apply_all(ops).await?;
            // What Redis has answered is as safe as its own settings make it.
            Ok((applied, std::future::ready(Ok(())).boxed()))
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
            self.link.inspect().await?;
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

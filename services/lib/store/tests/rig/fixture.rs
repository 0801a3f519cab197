//! The store on a Redis, as the conformance suite wants it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use backing::{Redis, RedisOptions, RedisPersistence};
use futures::{FutureExt, future::BoxFuture};
use store::{RedisConfig, RedisStore, Store, conformance::Fixture};

pub(crate) struct OnRedis {
    pub(crate) server: Redis,
    pub(crate) store: RedisStore,
    pub(crate) now_ms: Arc<AtomicU64>,
}

/// A server that loses nothing when it is killed.
pub(crate) fn durable() -> RedisOptions {
    RedisOptions {
        persistence: RedisPersistence::Always,
        ..RedisOptions::default()
    }
}

pub(crate) fn config(url: String, now_ms: &Arc<AtomicU64>) -> RedisConfig {
    let clock = now_ms.clone();
    RedisConfig {
        url,
        ca: None,
        certificate: None,
        key: None,
        clock: Arc::new(move || clock.load(Ordering::Relaxed)),
    }
}

/// Begins the first epoch, and adopts it.
pub(crate) async fn begin(store: &RedisStore) {
    let rebuilder = store.rebuild().await.unwrap().expect("a new store is lost");
    store.adopt(&rebuilder.finish().await.unwrap());
}

impl OnRedis {
    pub(crate) async fn new(options: RedisOptions) -> Self {
        let server = Redis::start(options).unwrap();
        let now_ms = Arc::new(AtomicU64::new(1_000_000));
        let store = RedisStore::new(config(server.url(), &now_ms)).unwrap().on_own_clock();
        begin(&store).await;
        Self { server, store, now_ms }
    }

    /// A handle of the same store as another process has it.
    pub(crate) fn handle(&self) -> RedisStore {
        RedisStore::new(config(self.server.url(), &self.now_ms))
            .unwrap()
            .on_own_clock()
    }
}

impl Fixture for OnRedis {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.store.clone())
    }

    fn restart(&mut self) -> BoxFuture<'_, bool> {
        self.server.restart().unwrap();
        self.store = self.handle();
        std::future::ready(true).boxed()
    }

    fn lose(&mut self) -> BoxFuture<'_, bool> {
        self.server.flush().unwrap();
        std::future::ready(true).boxed()
    }

    fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::Relaxed)
    }

    fn advance(&mut self, duration: Duration) -> BoxFuture<'_, ()> {
        self.now_ms.fetch_add(duration.as_millis() as u64, Ordering::Relaxed);
        std::future::ready(()).boxed()
    }
}

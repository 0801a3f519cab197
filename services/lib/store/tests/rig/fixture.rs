//! The store on a Redis, as the conformance suite wants it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::{FutureExt, future::BoxFuture};
use store::{RedisConfig, RedisStore, Store, conformance::Fixture};

use crate::server::Server;

pub(crate) struct OnRedis {
    pub(crate) server: Server,
    pub(crate) store: RedisStore,
    pub(crate) now_ms: Arc<AtomicU64>,
}

/// A handle of the store at `url`, on the clock of a test.
pub(crate) fn open(url: String, now_ms: &Arc<AtomicU64>) -> RedisStore {
    let clock = now_ms.clone();
    let config = RedisConfig {
        url,
        ca: None,
        certificate: None,
        key: None,
        clock: Arc::new(move || clock.load(Ordering::Relaxed)),
    };
    RedisStore::new(config).unwrap().on_own_clock()
}

/// Begins the first epoch, and adopts it.
pub(crate) async fn begin(store: &RedisStore) {
    let epoch = store
        .rebuild()
        .await
        .unwrap()
        .expect("a new store is lost")
        .finish()
        .await
        .unwrap();
    store.adopt(&epoch);
}

impl OnRedis {
    pub(crate) async fn new(server: Server) -> Self {
        let now_ms = Arc::new(AtomicU64::new(1_000_000));
        let store = open(server.url(), &now_ms);
        begin(&store).await;
        Self { server, store, now_ms }
    }
}

impl Fixture for OnRedis {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.store.clone())
    }

    fn restart(&mut self) -> BoxFuture<'_, bool> {
        self.server.restart();
        self.store = open(self.server.url(), &self.now_ms);
        std::future::ready(true).boxed()
    }

    fn lose(&mut self) -> BoxFuture<'_, bool> {
        async move {
            let client = redis::Client::open(self.server.url()).unwrap();
            let mut connection = client.get_multiplexed_async_connection().await.unwrap();
            redis::cmd("FLUSHALL").exec_async(&mut connection).await.unwrap();
            true
        }
        .boxed()
    }

    fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::Relaxed)
    }

    fn advance(&mut self, duration: Duration) -> BoxFuture<'_, ()> {
        self.now_ms.fetch_add(duration.as_millis() as u64, Ordering::Relaxed);
        std::future::ready(()).boxed()
    }
}

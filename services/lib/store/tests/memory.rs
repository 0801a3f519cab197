//! The store in memory keeps every guarantee but outliving its process.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::{FutureExt, future::BoxFuture};
use store::{MemoryStore, Store, conformance::Fixture};

struct Memory {
    store: MemoryStore,
    now_ms: Arc<AtomicU64>,
}

async fn fixture() -> Memory {
    let now_ms = Arc::new(AtomicU64::new(1_000_000));
    let clock = now_ms.clone();
    Memory {
        store: MemoryStore::new(Arc::new(move || clock.load(Ordering::Relaxed))),
        now_ms,
    }
}

impl Fixture for Memory {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.store.clone())
    }

    fn restart(&mut self) -> BoxFuture<'_, bool> {
        std::future::ready(false).boxed()
    }

    fn lose(&mut self) -> BoxFuture<'_, bool> {
        self.store.lose();
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

store::conformance_suite!(fixture());

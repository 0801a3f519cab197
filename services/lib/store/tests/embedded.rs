//! The store on disk keeps every guarantee.
#![expect(clippy::unwrap_used, reason = "a test may")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use disk::Disk;
use futures::{FutureExt, executor::block_on, future::BoxFuture};
use store::{Applied, EmbeddedStore, Key, Op, Store, conformance::Fixture};

struct Embedded {
    store: Option<EmbeddedStore>,
    now_ms: Arc<AtomicU64>,
    home: tempfile::TempDir,
}

async fn fixture() -> Embedded {
    let now_ms = Arc::new(AtomicU64::new(1_000_000));
    let mut embedded = Embedded {
        store: None,
        now_ms,
        home: tempfile::tempdir().unwrap(),
    };
    embedded.open();
    embedded
}

impl Embedded {
    fn open(&mut self) {
        let clock = self.now_ms.clone();
        let disk = Disk::open(self.home.path()).unwrap();
        self.store = Some(EmbeddedStore::open(disk, Arc::new(move || clock.load(Ordering::Relaxed))).unwrap());
    }
}

impl Fixture for Embedded {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.store.clone().unwrap())
    }

    fn restart(&mut self) -> BoxFuture<'_, bool> {
        self.store = None;
        self.open();
        std::future::ready(true).boxed()
    }

    fn lose(&mut self) -> BoxFuture<'_, bool> {
        self.store = None;
        self.home = tempfile::tempdir().unwrap();
        self.open();
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

/// Eight threads claim the same thousand keys in different orders: each key has one winner, and all agree who.
#[tokio::test]
async fn s1_a_claim_is_won_by_one_owner_among_threads() {
    let fixture = fixture().await;
    let store = fixture.store();
    let (keys, owners) = (1_000_u64, 8_u64);
    let claim = |owner: u64, id: u64| {
        let owner = owner.to_string().into();
        Op::Claim {
            key: Key::new("race", id.to_string()),
            owner,
            expires_at_ms: u64::MAX,
        }
    };
    let race = &|owner: u64| {
        let mut wins = 0;
        for start in (0..keys).step_by(20) {
            // Every other owner goes backwards, so that calls meet.
            let ids = (start..start + 20).map(|id| if owner.is_multiple_of(2) { id } else { keys - 1 - id });
            let (applied, _) = block_on(store.apply(ids.map(|id| claim(owner, id)).collect())).unwrap();
            wins += applied.iter().filter(|applied| **applied == Applied::Claimed).count() as u64;
        }
        wins
    };
    let wins: u64 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..owners).map(|owner| scope.spawn(move || race(owner))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(wins, keys);
}

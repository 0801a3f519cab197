//! The log in memory keeps every guarantee but outliving its process.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bus::{Bus, MemoryBus, Position, Record, Retention, Topic, TopicSpec, conformance::Fixture};
use futures::{FutureExt, future::BoxFuture};

struct Memory {
    bus: MemoryBus,
    now_ms: Arc<AtomicU64>,
}

async fn fixture() -> Memory {
    let now_ms = Arc::new(AtomicU64::new(1_000_000));
    let clock = now_ms.clone();
    Memory {
        bus: MemoryBus::new(Arc::new(move || clock.load(Ordering::Relaxed))),
        now_ms,
    }
}

impl Fixture for Memory {
    fn bus(&self) -> Arc<dyn Bus> {
        Arc::new(self.bus.clone())
    }

    fn restart(&mut self) -> BoxFuture<'_, bool> {
        std::future::ready(false).boxed()
    }

    fn advance(&mut self, duration: Duration) -> bool {
        self.now_ms.fetch_add(duration.as_millis() as u64, Ordering::Relaxed);
        true
    }
}

bus::conformance_suite!(fixture());

/// A reader that is behind the retention goes on at what is left.
#[tokio::test(start_paused = true)]
async fn what_is_older_than_its_retention_is_dropped() {
    let mut memory = fixture().await;
    let topic = Topic::new("short");
    let retention = Retention::Time(Duration::from_secs(10));
    memory
        .bus
        .ensure(&[TopicSpec {
            topic: topic.clone(),
            partitions: 1,
            retention,
        }])
        .await
        .unwrap();
    let mut late = memory.bus.read(&topic, Position::Start).await.unwrap();
    let position = late.position();
    for second in 0..30 {
        memory
            .bus
            .publish(&topic, vec![Record::new(1, second.to_string())])
            .await
            .unwrap()
            .await
            .unwrap();
        memory.advance(Duration::from_secs(1));
    }
    assert_eq!(late.poll(100).await.unwrap().first().unwrap().value, "19");
    assert!(
        memory.bus.read(&topic, position).await.is_err(),
        "the position names what is no longer kept"
    );
}

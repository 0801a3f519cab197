//! Events that cannot be read are put aside once, whoever meets them and however often.

use std::sync::Arc;

use bus::{MemoryBus, Position};
use service::{Clock, Dice};
use sms::UnixMs;
use store::MemoryStore;

use super::*;

#[tokio::test(start_paused = true)]
async fn another_process_that_reads_the_same_events_puts_none_aside_again() {
    let clock = Clock::starting_at(UnixMs(1_790_000_000_000));
    let store = MemoryStore::new(clock.as_millis_fn());
    let deps = Deps {
        bus: Arc::new(MemoryBus::new(clock.as_millis_fn())),
        store: Arc::new(store),
        clock: clock.clone(),
        dice: Dice::seeded(1),
        tracer: service::Tracer::default(),
    };
    deps.bus.ensure(&topics::fixed(1)).await.unwrap();
    let stored = Stored {
        key: 7,
        value: Bytes::from_static(b"\xff"),
        stored_at_ms: clock.now().0,
        headers: Vec::new(),
    };
    let invalid = record::event_from_bytes(&stored.value).unwrap_err();
    for _ in 0..2 {
        let events = [(&stored, invalid.clone())];
        Unread::default()
            .put_aside(&deps, &topics::events(), &events)
            .await
            .unwrap();
    }
    let mut dead = deps.bus.read(&topics::dead(), Position::Start).await.unwrap();
    assert_eq!(dead.poll(10).await.unwrap().len(), 1);
}

//! A log whose machine has the right time, and an intake on one that has not, under virtual time.

use std::sync::Arc;

use bus::{Bus, MemoryBus, Position, Record};
use service::{Deps, Dice, StopHandle, Tasks};
use signalbox_proto::{record, topics};
use store::MemoryStore;

use super::*;
use crate::{hear_first, keep_pressure};

const HOUR_MS: i64 = 3_600_000;

/// A process, and the log that it reads.
struct Rig {
    deps: Deps,
    log: MemoryBus,
    pressure: Pressure,
    readiness: Readiness,
}

impl Rig {
    /// A process on a machine that is off by `by_ms`.
    async fn off_by(by_ms: i64) -> Self {
        let right = Clock::starting_at(UnixMs(1_763_726_400_000));
        let log = MemoryBus::new(right.as_millis_fn());
        log.ensure(&topics::fixed(1)).await.unwrap();
        let machine = right.of_next_machine();
        machine.set_machine(by_ms);
        let clock = machine.of_next_process();
        let deps = Deps {
            bus: Arc::new(log.clone()),
            store: Arc::new(MemoryStore::new(clock.as_millis_fn())),
            clock,
            dice: Dice::seeded(7),
            tracer: service::Tracer::default(),
        };
        let readiness = Readiness::new();
        readiness.set(true);
        let pressure = Pressure::default();
        Self {
            deps,
            log,
            pressure,
            readiness,
        }
    }

    /// Somebody says something, whatever it is.
    async fn word(&self) {
        let word = Record::new(1, &b"a word"[..]);
        self.log
            .publish(&topics::carriers(), vec![word])
            .await
            .unwrap()
            .await
            .unwrap();
        pass(1).await;
    }

    /// Listens as the server does.
    async fn listen(&self) -> (Tasks, StopHandle) {
        let (handle, stop) = Stop::new();
        let (pressure, readiness) = (self.pressure.clone(), self.readiness.clone());
        let mut tasks = Tasks::new();
        hear_first(&pressure, &self.deps).await;
        tasks.spawn(keep_pressure(pressure.clone(), self.deps.clone(), stop.clone()));
        tasks.spawn(watch_log_clock(pressure, self.deps.clock.clone(), readiness, stop));
        pass(1).await;
        (tasks, handle)
    }

    fn refusal(&self) -> Option<Refusal> {
        self.pressure.refuse_all(self.deps.clock.now())
    }
}

async fn pass(millis: u64) {
    time::sleep(Duration::from_millis(millis)).await;
}

#[tokio::test(start_paused = true)]
async fn who_is_behind_the_log_accepts_nothing_and_is_not_ready_until_its_clock_is_set() {
    let rig = Rig::off_by(-HOUR_MS).await;
    rig.word().await;
    let _listening = rig.listen().await;
    let Some(Refusal::ClockBehind(by)) = rig.refusal() else {
        panic!("it is an hour behind");
    };
    assert_eq!(by.as_secs(), 3_600);
    pass(1_000).await;
    assert!(!rig.readiness.is_ready(), "{}", rig.readiness.reasons());
    assert!(rig.readiness.reasons().contains("clock"));
    rig.deps.clock.set_machine(HOUR_MS);
    rig.word().await;
    pass(1_000).await;
    assert_eq!(rig.refusal(), None);
    assert!(rig.readiness.is_ready());
}

#[tokio::test(start_paused = true)]
async fn what_stood_on_the_log_tells_its_time_before_anything_is_accepted() {
    let rig = Rig::off_by(-HOUR_MS).await;
    rig.word().await;
    hear_first(&rig.pressure, &rig.deps).await;
    assert!(matches!(rig.refusal(), Some(Refusal::ClockBehind(_))));
}

/// Nobody speaks on this log and nobody ever did: what ingest says itself tells the time.
#[tokio::test(start_paused = true)]
async fn where_nobody_ever_spoke_who_is_behind_finds_out_by_itself() {
    let rig = Rig::off_by(-HOUR_MS).await;
    hear_first(&rig.pressure, &rig.deps).await;
    assert!(matches!(rig.refusal(), Some(Refusal::ClockBehind(_))));
    let _listening = rig.listen().await;
    pass(60_000).await;
    assert!(matches!(rig.refusal(), Some(Refusal::ClockBehind(_))));
    rig.deps.clock.set_machine(HOUR_MS);
    assert_eq!(rig.refusal(), None);
}

/// All of ingest says it under one key: a log that keeps the last word of each keeps one of them.
#[tokio::test(start_paused = true)]
async fn ingest_speaks_only_where_nobody_else_does() {
    let rig = Rig::off_by(0).await;
    let _listening = rig.listen().await;
    let said = async || {
        let mut reader = rig.log.read(&topics::carriers(), Position::Start).await.unwrap();
        let words = reader.poll(1_000).await.unwrap();
        let own = words.iter().filter(|word| word.key == record::time_key().0);
        own.map(|word| word.stored_at_ms).max()
    };
    let first = said().await;
    for _ in 0..60 {
        rig.word().await;
        pass(1_000).await;
    }
    assert_eq!(said().await, first, "connectors speak every second");
    pass(10_000).await;
    assert!(said().await > first);
}

#[tokio::test(start_paused = true)]
async fn who_is_a_little_behind_or_far_ahead_is_not_refused() {
    for by_ms in [-9_000, 0, HOUR_MS] {
        let rig = Rig::off_by(by_ms).await;
        let _listening = rig.listen().await;
        rig.word().await;
        assert_eq!(rig.refusal(), None, "{by_ms}");
    }
    let rig = Rig::off_by(-11_000).await;
    let _listening = rig.listen().await;
    rig.word().await;
    assert!(rig.refusal().is_some());
}

#[tokio::test(start_paused = true)]
async fn who_is_behind_stays_so_where_nobody_speaks_until_its_clock_is_set() {
    let rig = Rig::off_by(-HOUR_MS).await;
    let _listening = rig.listen().await;
    rig.word().await;
    pass(60_000).await;
    assert!(rig.refusal().is_some());
    rig.deps.clock.set_machine(HOUR_MS);
    assert_eq!(rig.refusal(), None);
}

/// A log in the process itself takes no instant before the last, however its machine's clock was set.
#[tokio::test(start_paused = true)]
async fn a_log_whose_time_stands_still_tells_nothing() {
    let log = LogClock::default();
    let at = |seconds: u64| UnixMs(1_763_726_400_000 + seconds * 1_000);
    log.heard(at(3_600));
    pass(1_000).await;
    log.heard(at(3_600));
    assert!(log.behind(at(1)).is_some());
    pass(1_000).await;
    log.heard(at(3_600));
    assert_eq!(log.behind(at(2)), None);
    pass(1_000).await;
    log.heard(at(3_600));
    assert_eq!(log.behind(at(3)), None);
    pass(1_000).await;
    log.heard(at(3_601));
    assert!(log.behind(at(4)).is_some(), "it goes on");
}

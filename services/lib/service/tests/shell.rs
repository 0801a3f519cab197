//! The shell's promises: virtual time, replayable dice, tasks that do not outlive their owner, a stop that is seen.

use std::{fs, sync::Arc, sync::atomic::AtomicBool, sync::atomic::Ordering, time::Duration};

use service::{Clock, Dice, Readiness, Stop, Tasks, telemetry, time, watch::PathWatch};
use sms::UnixMs;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

#[tokio::test(start_paused = true)]
async fn a_virtual_clock_moves_with_every_wait_and_only_so() {
    let clock = Clock::starting_at(UnixMs(1_000));
    assert_eq!(clock.now(), UnixMs(1_000));
    time::sleep(Duration::from_secs(90)).await;
    assert_eq!(clock.now(), UnixMs(91_000));
}

#[test]
fn equal_seeds_throw_equal_dice() {
    let throws = |seed| {
        let dice = Dice::seeded(seed);
        (0..8).map(|_| dice.below(1_000)).collect::<Vec<_>>()
    };
    assert_eq!(throws(7), throws(7));
    assert_ne!(throws(7), throws(8));
}

#[test]
fn an_id_carries_its_instant() {
    let id = Dice::seeded(1).message_id(UnixMs(1_700_000_000_123));
    assert_eq!(id.0.get_version_num(), 7);
    let (seconds, nanos) = id.0.get_timestamp().unwrap().to_unix();
    assert_eq!((seconds, nanos / 1_000_000), (1_700_000_000, 123));
}

#[tokio::test(start_paused = true)]
async fn tasks_end_with_their_owner() {
    struct Dropped(Arc<AtomicBool>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let is_dropped = Arc::new(AtomicBool::new(false));
    let guard = Dropped(is_dropped.clone());
    let mut tasks = Tasks::new();
    tasks.spawn(async move {
        let _guard = guard;
        std::future::pending::<()>().await;
    });
    drop(tasks);
    while !is_dropped.load(Ordering::SeqCst) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_stop_is_seen_by_those_who_wait_and_by_those_who_look_later() {
    let (handle, stop) = Stop::new();
    assert!(!stop.is_requested());
    let early = stop.clone();
    let mut tasks = Tasks::new();
    tasks.spawn(async move { early.requested().await });
    handle.request();
    tasks.join_all().await;
    stop.requested().await;
}

/// Talks HTTP by hand, so that nothing between hides what is sent.
#[tokio::test]
async fn probes_tell_ready_from_alive() {
    let (handle, stop) = Stop::new();
    let readiness = Readiness::new();
    let metrics = telemetry::start_metrics().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut tasks = Tasks::new();
    let served = readiness.clone();
    tasks.spawn(async move { telemetry::serve_probes(listener, served, metrics, stop).await.unwrap() });
    let get = async |path: &str| {
        let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: probe\r\nconnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        answer
    };
    assert!(get("/livez").await.starts_with("HTTP/1.1 200"));
    assert!(get("/readyz").await.starts_with("HTTP/1.1 503"));
    readiness.set(true);
    assert!(get("/readyz").await.starts_with("HTTP/1.1 200"));
    assert!(get("/metrics").await.starts_with("HTTP/1.1 200"));
    handle.request();
    tasks.join_all().await;
}

/// Replaces a file the way editors do: write another one, then rename.
#[tokio::test]
async fn a_replaced_file_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("table.toml");
    fs::write(&file, "old").unwrap();
    let mut watch = PathWatch::new(&file);
    let draft = folder.path().join(".draft");
    fs::write(&draft, "new").unwrap();
    fs::rename(&draft, &file).unwrap();
    watch.next().await;
    assert_eq!(fs::read_to_string(&file).unwrap(), "new");
}

#[tokio::test(start_paused = true)]
async fn the_same_thing_is_said_every_five_seconds_at_most() {
    let seldom = service::Seldom::new();
    assert!(seldom.is_due("log") && seldom.is_due("store"));
    service::time::sleep(std::time::Duration::from_millis(4_900)).await;
    assert!(!seldom.is_due("log"));
    service::time::sleep(std::time::Duration::from_millis(200)).await;
    assert!(seldom.is_due("log") && !seldom.is_due("log"));
}

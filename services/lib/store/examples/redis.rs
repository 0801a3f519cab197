//! How much the store in a Redis carries: `cargo run --release -p store --example redis -- [seconds]`.
//!
//! Starts a Redis that keeps nothing on its disk, or takes the one in `SIGNALBOX_REDIS`, and asks it in calls of 1, 50 and
//! 500 operations, several at a time: claims; states written with a due place; those states moved to another. Says how many
//! operations there were in a second, and what one cost the server and us of a core.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measurement of real time on a real server"
)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use store::{Applied, Due, Key, Op, RedisConfig, RedisStore, Store};

const DAY_MS: u64 = 86_400_000;
/// Calls under way at once.
const CALLS: u64 = 8;
const STATE_OCTETS: usize = 300;

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Claim,
    Insert,
    Move,
    Get,
}

fn id(number: u64) -> String {
    format!(
        "{:08x}-0000-7000-8000-{:012x}",
        number.wrapping_mul(0x9e37_79b9),
        number
    )
}

fn op(kind: Kind, number: u64, expected: Option<u64>) -> Op {
    let expires_at_ms = now_ms() + DAY_MS;
    match kind {
        Kind::Claim => Op::Claim {
            key: Key::new("claim", format!("{}/1", id(number))),
            owner: format!("atlas/0123456789abcdef/{number}").into(),
            expires_at_ms,
        },
        _ => Op::Swap {
            key: Key::new("state", id(number)),
            expected,
            value: Some(vec![0x41; STATE_OCTETS].into()),
            expires_at_ms,
            due: Some(Due {
                partition: (number % 16) as u32,
                second: now_ms() / 1_000 + number % 600,
            }),
        },
    }
}

/// One call of `size` operations from `first` on; keeps the versions for the next.
async fn call(store: &RedisStore, kind: Kind, first: u64, versions: &mut [Option<u64>]) {
    let size = versions.len() as u64;
    if let Kind::Get = kind {
        let keys = (first..first + size)
            .map(|number| Key::new("state", id(number)))
            .collect();
        assert!(store.get(keys).await.unwrap().iter().all(Option::is_some));
        return;
    }
    let expected = |place: u64| versions[place as usize].filter(|_| matches!(kind, Kind::Move));
    let ops = (0..size)
        .map(|place| op(kind, first + place, expected(place)))
        .collect();
    let (applied, commit) = store.apply(ops).await.unwrap();
    commit.await.unwrap();
    for (version, applied) in versions.iter_mut().zip(applied) {
        *version = match applied {
            Applied::Written(version) => Some(version),
            Applied::Claimed => None,
            other => panic!("{other:?}"),
        };
    }
}

/// Seconds of a core that the server and this process have used.
async fn used(connection: &mut redis::aio::MultiplexedConnection) -> (f64, f64) {
    let info: String = redis::cmd("INFO").arg("cpu").query_async(connection).await.unwrap();
    let field = |name: &str| {
        info.lines()
            .find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok())
    };
    let server = field("used_cpu_user:").unwrap() + field("used_cpu_sys:").unwrap();
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let ticks: Vec<f64> = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split(' ')
        .filter_map(|word| word.parse().ok())
        .collect();
    (server, (ticks[10] + ticks[11]) / 100.0)
}

async fn measure(store: &RedisStore, kind: Kind, size: u64, seconds: f64, numbers: Arc<AtomicU64>, url: &str) {
    let client = redis::Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let before = used(&mut connection).await;
    let begin = Instant::now();
    let calls = (0..CALLS).map(|_| {
        let (store, numbers) = (store.clone(), numbers.clone());
        tokio::spawn(async move {
            let (mut done, mut measured) = (0, Duration::ZERO);
            let mut versions = vec![None; size as usize];
            let mut first = numbers.fetch_add(size, Ordering::Relaxed);
            if matches!(kind, Kind::Move | Kind::Get) {
                call(&store, Kind::Insert, first, &mut versions).await;
            }
            while begin.elapsed().as_secs_f64() < seconds {
                let start = Instant::now();
                call(&store, kind, first, &mut versions).await;
                measured += start.elapsed();
                done += size;
                if matches!(kind, Kind::Claim | Kind::Insert) {
                    first = numbers.fetch_add(size, Ordering::Relaxed);
                }
            }
            (done, measured / (done / size) as u32)
        })
    });
    let results: Vec<_> = futures::future::join_all(calls)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let took = begin.elapsed().as_secs_f64();
    let after = used(&mut connection).await;
    let done = results.iter().map(|(done, _)| *done).sum::<u64>() as f64;
    let call_ms = results.iter().map(|(_, call)| call.as_secs_f64()).sum::<f64>() / CALLS as f64 * 1e3;
    let micros = |used: f64| used / done * 1e6;
    println!(
        "{kind:?} in calls of {size:>3}: {:>7.0} operations/s, {call_ms:.2} ms a call, of an operation {:.2} µs there and {:.2} µs here",
        done / took,
        micros(after.0 - before.0),
        micros(after.1 - before.1),
    );
}

#[tokio::main]
async fn main() {
    let seconds = std::env::args().nth(1).map_or(2.0, |seconds| seconds.parse().unwrap());
    let own = match std::env::var("SIGNALBOX_REDIS") {
        Ok(_) => None,
        Err(_) => Some(backing::Redis::start(backing::RedisOptions::default()).unwrap()),
    };
    let url = own
        .as_ref()
        .map_or_else(|| std::env::var("SIGNALBOX_REDIS").unwrap(), backing::Redis::url);
    let config = RedisConfig {
        url: url.clone(),
        ca: None,
        certificate: None,
        key: None,
        clock: Arc::new(now_ms),
    };
    let store = RedisStore::new(config).unwrap();
    if let Some(rebuilder) = store.rebuild().await.unwrap() {
        rebuilder.finish().await.unwrap();
    }
    let numbers = Arc::new(AtomicU64::new(now_ms() << 16));
    for kind in [Kind::Claim, Kind::Insert, Kind::Move, Kind::Get] {
        for size in [1, 50, 500] {
            measure(&store, kind, size, seconds, numbers.clone(), &url).await;
        }
    }
    let begin = Instant::now();
    for round in 0..1_000 {
        store.due(1_000 + round % 16, now_ms() / 1_000, 500).await.unwrap();
    }
    println!("a look at nothing due: {:.0} µs", begin.elapsed().as_secs_f64() * 1e3);
}

//! How much the store on disk carries: `cargo run --release -p store --example throughput -- [seconds]`.
//!
//! Four tasks, each one message after the other in calls of 100: a claim; correlation, state and due in one call; a look-up
//! of the correlation; the terminal swap. That is five operations a message in three writes, each of them awaited.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measurement of real time on a real disk"
)]

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use disk::Disk;
use store::{Applied, Due, EmbeddedStore, Key, Op, Store};

const TASKS: u64 = 4;
const MESSAGES: u64 = 100;
const DAY_MS: u64 = 86_400_000;

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

async fn apply(store: &EmbeddedStore, ops: Vec<Op>) -> Vec<Applied> {
    let (applied, commit) = store.apply(ops).await.unwrap();
    commit.await.unwrap();
    applied
}

/// Keys rise with time, as those of version 7 do, and are spread within a millisecond.
fn id(task: u64, number: u64) -> String {
    format!(
        "{:012x}-{:016x}",
        number / 20,
        (number * TASKS + task).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    )
}

async fn messages(store: EmbeddedStore, task: u64, begin: Instant, seconds: u64) -> u64 {
    let mut number = 0;
    while begin.elapsed().as_secs() < seconds {
        let numbers = number..number + MESSAGES;
        number += MESSAGES;
        let expires_at_ms = now_ms() + DAY_MS;
        let ids: Vec<_> = numbers.map(|number| id(task, number)).collect();
        let claim = |id: &String| {
            let key = Key::new("claim", format!("{id}/1"));
            Op::Claim {
                key,
                owner: "0123456789abcdef".into(),
                expires_at_ms,
            }
        };
        apply(&store, ids.iter().map(claim).collect()).await;
        let due = Some(Due {
            partition: (number % 8) as u32,
            second: now_ms() / 1_000 + 600,
        });
        let accept = |id: &String| {
            let corr = Key::new("corr/carrier", id);
            let state = Key::new("state", id);
            let value = Some(vec![0x41; 300].into());
            [
                Op::Put {
                    key: corr,
                    value: id.clone().into_bytes().into(),
                    expires_at_ms,
                },
                Op::Swap {
                    key: state,
                    expected: None,
                    value,
                    expires_at_ms,
                    due,
                },
            ]
        };
        let applied = apply(&store, ids.iter().flat_map(accept).collect()).await;
        let found = store
            .get(ids.iter().map(|id| Key::new("corr/carrier", id)).collect())
            .await
            .unwrap();
        assert!(found.iter().all(Option::is_some));
        let versions = applied.iter().skip(1).step_by(2).map(|applied| match applied {
            Applied::Written(version) => Some(*version),
            other => panic!("{other:?}"),
        });
        let end = |(id, expected): (&String, Option<u64>)| {
            let (key, value) = (Key::new("state", id), Some(vec![0x42; 400].into()));
            Op::Swap {
                key,
                expected,
                value,
                expires_at_ms,
                due: None,
            }
        };
        let ended = apply(&store, ids.iter().zip(versions).map(end).collect()).await;
        assert!(ended.iter().all(|applied| matches!(applied, Applied::Written(_))));
    }
    number
}

async fn look(store: EmbeddedStore, begin: Instant, seconds: u64) -> Duration {
    let mut longest = Duration::ZERO;
    while begin.elapsed().as_secs() < seconds {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let start = Instant::now();
        for partition in 0..8 {
            store.due(partition, now_ms() / 1_000, 1_000).await.unwrap();
        }
        longest = longest.max(start.elapsed());
    }
    longest
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let seconds = std::env::args().nth(1).map_or(10, |seconds| seconds.parse().unwrap());
    let home = tempfile::tempdir_in(".").unwrap();
    let store = EmbeddedStore::open(Disk::open(home.path()).unwrap(), Arc::new(now_ms)).unwrap();
    let begin = Instant::now();
    let looks = tokio::spawn(look(store.clone(), begin, seconds));
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| tokio::spawn(messages(store.clone(), task, begin, seconds)))
        .collect();
    let mut total = 0;
    for task in tasks {
        total += task.await.unwrap();
    }
    let elapsed = begin.elapsed().as_secs_f64();
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let processor = (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0;
    let (messages, ops) = (total as f64 / elapsed, total as f64 * 5.0 / elapsed);
    println!("{messages:.0} messages/s, {ops:.0} operations/s, every write safe before the next");
    println!(
        "{:.2} processors, {:.2} us of processor per operation",
        processor / elapsed,
        processor * 1e6 / (total as f64 * 5.0)
    );
    println!(
        "longest look at the due index of 8 partitions: {:.2} ms",
        looks.await.unwrap().as_secs_f64() * 1e3
    );
}

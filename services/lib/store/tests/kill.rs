//! S5 under SIGKILL: this test binary starts itself as a child, kills it in the middle of writing, and looks for every write
//! whose commit had resolved. Again and again on the same store.
#![expect(clippy::unwrap_used, reason = "a test may")]

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use disk::Disk;
use futures::executor::block_on;
use store::{Due, EmbeddedStore, Key, Op, Store};

/// Set for the child: the directory of its store.
const CHILD: &str = "STORE_KILL_CHILD";
const ROUNDS: usize = 5;
/// Keys that are safe before the kill.
const SAFE: usize = 2_000;
const PARTITION: u32 = 3;

fn open(home: &Path) -> EmbeddedStore {
    EmbeddedStore::open(Disk::open(home).unwrap(), Arc::new(|| 1_000_000)).unwrap()
}

/// The child: writes for ever and prints each key once it is safe. Does nothing unless it is started as a child.
#[test]
fn child() {
    let Some(home) = std::env::var_os(CHILD) else { return };
    let store = open(Path::new(&home));
    let process = std::process::id();
    for call in 0_u64.. {
        let ids: Vec<_> = (0..10).map(|index| format!("{process}.{call}.{index}")).collect();
        let write = |id: &String| {
            let due = Some(Due {
                partition: PARTITION,
                second: call,
            });
            let value = Some(id.clone().into_bytes().into());
            Op::Swap {
                key: Key::new("kill", id),
                expected: None,
                value,
                expires_at_ms: u64::MAX,
                due,
            }
        };
        let (_, commit) = block_on(store.apply(ids.iter().map(write).collect())).unwrap();
        block_on(commit).unwrap();
        let lines: String = ids.iter().map(|id| format!("safe {id}\n")).collect();
        std::io::stdout().write_all(lines.as_bytes()).unwrap();
    }
}

/// Starts a child, kills it when enough is safe, and adds what it said was safe.
fn kill_one(home: &Path, safe: &mut BTreeSet<String>) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "child", "--nocapture"])
        .env(CHILD, home)
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let goal = safe.len() + SAFE;
    let mut has_been_killed = false;
    for line in BufReader::new(child.stdout.take().unwrap()).split(b'\n') {
        let line = String::from_utf8(line.unwrap()).unwrap();
        // The last line may be cut short; an id that is cut has fewer parts, so it is not counted after the kill.
        if has_been_killed && (line.split('.').count() < 3 || line.ends_with('.')) {
            break;
        }
        safe.extend(line.strip_prefix("safe ").map(str::to_owned));
        if safe.len() >= goal && !has_been_killed {
            child.kill().unwrap();
            has_been_killed = true;
        }
    }
    assert!(has_been_killed, "the child ended by itself: {}", child.wait().unwrap());
    child.wait().unwrap();
}

#[test]
fn s5_every_committed_write_survives_sigkill() {
    let home = tempfile::tempdir().unwrap();
    let mut safe = BTreeSet::new();
    for round in 0..ROUNDS {
        kill_one(home.path(), &mut safe);
        let store = open(home.path());
        let all = block_on(store.scan("kill/", None, usize::MAX)).unwrap();
        let found: BTreeSet<_> = all
            .into_iter()
            .map(|(_, there)| String::from_utf8(there.value.to_vec()).unwrap())
            .collect();
        let lost: Vec<_> = safe.difference(&found).collect();
        assert!(
            lost.is_empty(),
            "round {round}: {} of {} committed keys are lost: {lost:?}",
            lost.len(),
            safe.len()
        );
        // S3 holds over the crash, and of the call that was cut down, all ten keys are there or none.
        assert_eq!(found.len() % 10, 0, "round {round}: a call is there in half");
        let due = block_on(store.due(PARTITION, u64::MAX, usize::MAX)).unwrap();
        assert_eq!(
            due.len(),
            found.len(),
            "round {round}: the due index and the values disagree"
        );
    }
}

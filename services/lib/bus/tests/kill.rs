//! B1 under SIGKILL: this test binary starts itself as a child, kills it in the middle of publishing, and looks for every
//! record whose commit had resolved. Again and again on the same log.
#![expect(clippy::unwrap_used, reason = "a test may")]

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use bus::{Bus, EmbeddedBus, Position, Record, Retention, Topic, TopicSpec};
use disk::Disk;
use futures::executor::block_on;

/// Set for the child: the directory of its log.
const CHILD: &str = "BUS_KILL_CHILD";
const ROUNDS: u64 = 5;
/// Records that are safe before the kill.
const SAFE: usize = 2_000;

fn open(home: &Path) -> (EmbeddedBus, Topic) {
    let bus = EmbeddedBus::open(Disk::open(home).unwrap(), Arc::new(|| 1_000_000)).unwrap();
    let topic = Topic::new("killed");
    let retention = Retention::Time(Duration::from_secs(3_600));
    block_on(bus.ensure(&[TopicSpec {
        topic: topic.clone(),
        partitions: 4,
        retention,
    }]))
    .unwrap();
    (bus, topic)
}

/// The child: publishes for ever and prints each value once it is safe. Does nothing unless it is started as a child.
#[test]
fn child() {
    let Some(home) = std::env::var_os(CHILD) else { return };
    let (bus, topic) = open(Path::new(&home));
    let process = std::process::id();
    for call in 0_u64.. {
        let values: Vec<_> = (0..10).map(|index| format!("{process}.{call}.{index}")).collect();
        let record = |value: &String| Record::new(call.wrapping_mul(0x9e37_79b9_7f4a_7c15), value.clone());
        let commit = block_on(bus.publish(&topic, values.iter().map(record).collect())).unwrap();
        block_on(commit).unwrap();
        let lines: String = values.iter().map(|value| format!("safe {value}\n")).collect();
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
        // The last line may be cut short; a value that is cut has fewer parts or digits, so it is not counted after the kill.
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
fn b1_every_committed_record_survives_sigkill() {
    let home = tempfile::tempdir().unwrap();
    let mut safe = BTreeSet::new();
    for round in 0..ROUNDS {
        kill_one(home.path(), &mut safe);
        let (bus, topic) = open(home.path());
        let mut reader = block_on(bus.read(&topic, Position::Start)).unwrap();
        let mut found = BTreeSet::new();
        loop {
            let records = block_on(reader.poll(1_000)).unwrap();
            if records.is_empty() {
                break;
            }
            found.extend(
                records
                    .iter()
                    .map(|record| String::from_utf8(record.value.to_vec()).unwrap()),
            );
        }
        let lost: Vec<_> = safe.difference(&found).collect();
        assert!(
            lost.is_empty(),
            "round {round}: {} of {} committed records are lost: {lost:?}",
            lost.len(),
            safe.len()
        );
        // Of the publish that was cut down, all ten records are there or none.
        assert_eq!(found.len() % 10, 0, "round {round}: a publish is there in half");
    }
}

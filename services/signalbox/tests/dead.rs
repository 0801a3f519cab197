//! Records that nobody can read, from a log on disk to the command line and back on their topic.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use bus::{Bus as _, EmbeddedBus, Record, Topic};
use bytes::Bytes;
use disk::Disk;
use service::{Clock, Dice};
use signalbox_proto::{
    record::{self, DeadRecord, Fault},
    topics,
};
use sms::{AccountId, Class, Content, Encoding, Lane, Message, Msisdn, RecordKey, Sender};

const KEY: &str = "example-key-for-trying-things-out";
const ROUTING: &str = "signalbox: questions about routing, gRPC on ";
const READY: &str = "signalbox: ready, gRPC on ";

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/examples")
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// The shipped example on a folder of its own, ended with the test.
struct Router {
    child: Child,
    routing: String,
    ingest: String,
}

impl Router {
    fn start(folder: &Path) -> Self {
        for file in ["signalbox.toml", "accounts.toml", "links.toml"] {
            fs::copy(examples().join("standalone").join(file), folder.join(file)).unwrap();
        }
        let mut child = Command::new(env!("CARGO_BIN_EXE_signalbox"))
            .args(["standalone", "--config"])
            .arg(folder.join("signalbox.toml"))
            .env("SIGNALBOX__TABLE__PATH", examples().join("starter"))
            .env("SIGNALBOX__INGEST__GRPC", "127.0.0.1:0")
            .env("SIGNALBOX__ROUTER__GRPC", "127.0.0.1:0")
            .env("SIGNALBOX__CONNECTOR__GRPC", "127.0.0.1:0")
            .env("SIGNALBOX__TELEMETRY__HTTP", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        let mut lines = lines.map(Result::unwrap);
        let mut told = |words: &str| {
            let line = lines.find(|line| line.starts_with(words)).unwrap();
            format!("http://{}", &line[words.len()..])
        };
        let (routing, ingest) = (told(ROUTING), told(READY));
        Self { child, routing, ingest }
    }

    fn dead(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_signalbox"));
        let command = command.arg("dead").args(arguments);
        command.args(["--router", &self.routing]).output().unwrap()
    }

    /// The dead records, once there are `count`.
    fn listed(&self, count: usize) -> Vec<serde_json::Value> {
        loop {
            let done = self.dead(&["list", "--json"]);
            assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
            let shown = text(&done.stdout);
            let found: Vec<_> = shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            if found.len() >= count {
                return found;
            }
            std::thread::yield_now();
        }
    }

    /// What a trace of the message says, once it says `words`.
    fn traced(&self, id: &str, words: &str) -> String {
        loop {
            let done = Command::new(env!("CARGO_BIN_EXE_signalbox"))
                .args(["trace", id, "--server", &self.ingest, "--api-key", KEY])
                .output()
                .unwrap();
            let life = text(&done.stdout);
            if life.contains(words) {
                return life;
            }
            std::thread::yield_now();
        }
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn message() -> Message {
    let now = Clock::wall().now();
    Message {
        id: Dice::from_system().message_id(now),
        account: AccountId::new("example").unwrap(),
        key: RecordKey(7),
        from: Sender::new("ACME").unwrap(),
        to: Msisdn::new("447700900123").unwrap(),
        content: Content::Text("a text that stays hidden".into()),
        encoding: Encoding::Gsm7,
        segments: 1,
        class: Class::Transactional,
        accepted_at: now,
        ttl: None,
        receipt: true,
        reference: String::new(),
        copy_of: None,
        trace: None,
    }
}

/// Writes to the log that a router left in `folder`.
fn publish(folder: &Path, records: Vec<(Topic, Bytes)>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let disk = Disk::open(folder.join("data/log")).unwrap();
        let bus = EmbeddedBus::open(disk, Clock::wall().as_millis_fn()).unwrap();
        for (topic, octets) in records {
            bus.publish(&topic, vec![Record::new(7, octets)])
                .await
                .unwrap()
                .await
                .unwrap();
        }
        bus.close(Duration::from_secs(10)).await.unwrap();
    });
}

#[test]
fn what_nobody_can_read_is_listed_shown_and_put_back() {
    let folder = tempfile::tempdir().unwrap();
    let none = Router::start(folder.path()).dead(&["list"]);
    assert_eq!(
        (none.status.code(), text(&none.stderr)),
        (Some(0), "nothing was put aside\n".to_owned())
    );
    let (message, topic) = (message(), topics::accepted(Lane::Normal));
    let octets = record::accepted_to_bytes(&message);
    // What an older version put aside, before it was replaced by one that can read it.
    let aside = DeadRecord::new(topic.as_str(), octets.clone(), Fault::Newer, "written in format 1");
    publish(
        folder.path(),
        vec![
            (topic.clone(), record::of_a_later_format(&octets)),
            (topic.clone(), Bytes::from_static(b"\xff\xff")),
            (topics::dead(), record::dead_to_bytes(&aside)),
        ],
    );
    let router = Router::start(folder.path());
    let found = router.listed(3);
    let id_of = |reason: &str| {
        let record = found
            .iter()
            .find(|record| record["reason"].as_str().unwrap().contains(reason));
        record.unwrap_or_else(|| panic!("{found:?}"))["id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (newer, garbage, readable) = (id_of("format 2"), id_of("seal"), id_of("format 1"));
    let listed = text(
        &router
            .dead(&[
                "list",
                "--reason",
                "newer",
                "--topic",
                "accepted.normal",
                "--since",
                "1h",
            ])
            .stdout,
    );
    assert!(
        listed.contains(&newer) && listed.contains(&readable) && !listed.contains(&garbage),
        "{listed}"
    );

    let shown = text(&router.dead(&["show", &readable]).stdout);
    assert!(
        shown.contains("readable: accepted message") && shown.contains(&message.id.to_string()),
        "{shown}"
    );
    assert!(!shown.contains("447700900123"), "{shown}");
    let hex: String = b"stays hidden".iter().map(|octet| format!("{octet:02x}")).collect();
    let octets_of = |shown: &str| {
        shown
            .lines()
            .filter_map(|line| line.split_once("    "))
            .map(|(_, hex)| hex)
            .collect::<String>()
    };
    assert!(!octets_of(&shown).contains(&hex));
    let full = text(&router.dead(&["show", &readable, "--octets"]).stdout);
    assert!(octets_of(&full).contains(&hex), "{full}");

    let done = router.dead(&["replay", "--all"]);
    assert_eq!(done.status.code(), Some(1), "{}", text(&done.stdout));
    assert!(
        text(&done.stdout).ends_with("1 put back, 2 not\n"),
        "{}",
        text(&done.stdout)
    );
    let life = router.traced(&message.id.to_string(), "delivered");
    assert!(life.contains("order 1 to "), "{life}");
    assert_eq!(router.dead(&["replay", &readable]).status.code(), Some(1));
    let again = router.dead(&["replay", &readable, "--again"]);
    assert_eq!(
        (again.status.code(), text(&again.stdout)),
        (Some(0), format!("{readable}  put back\n"))
    );
    let replayed = router
        .listed(3)
        .into_iter()
        .find(|record| record["id"] == readable.as_str())
        .unwrap();
    assert!(replayed["replayed_at"].is_string(), "{replayed}");
}

#[test]
fn what_is_asked_wrongly_and_what_is_not_there_is_told_by_the_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let router = Router::start(folder.path());
    let code = |arguments: &[&str]| router.dead(arguments).status.code();
    assert_eq!(code(&["show", "1-00000000"]), Some(1));
    assert_eq!(code(&["replay", "1-00000000"]), Some(1));
    assert_eq!(code(&["replay", "--all"]), Some(1));
    assert_eq!(code(&["show", "no-id"]), Some(64));
    assert_eq!(code(&["replay"]), Some(64));
    assert_eq!(code(&["replay", "1-00000000", "--reason", "newer"]), Some(64));
    assert_eq!(code(&["list", "--reason", "bad"]), Some(64));
    assert_eq!(code(&["list", "--since", "yesterday"]), Some(64));
    let away = Command::new(env!("CARGO_BIN_EXE_signalbox"))
        .args(["dead", "list", "--router", "http://127.0.0.1:1"])
        .output()
        .unwrap();
    assert_eq!(away.status.code(), Some(69));
}

//! `signalbox topics` on a real Apache Kafka: what it makes, and what it says where it cannot.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use backing::{Kafka, KafkaOptions};

/// A configuration of eight partitions over `brokers`, in a folder of its own.
fn config(brokers: &str, more: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("signalbox.toml");
    let text = format!(
        "[bus]\nkind = \"kafka\"\nbrokers = \"{brokers}\"\n{more}\n\
         [store]\nkind = \"redis\"\nurl = \"redis://127.0.0.1:1\"\n"
    );
    fs::write(&file, text).unwrap();
    (folder, file)
}

fn topics(command: &str, file: &PathBuf, more: &[&str]) -> Output {
    let mut signalbox = Command::new(env!("CARGO_BIN_EXE_signalbox"));
    signalbox.args(["topics", command, "--config"]).arg(file).args(more);
    signalbox.output().unwrap()
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

#[test]
fn topics_are_made_once_with_what_is_stated_and_another_partition_count_is_refused() {
    let kafka = Kafka::start(KafkaOptions::default()).unwrap();
    let (_folder, file) = config(&kafka.bootstrap(), "partitions = 8\nreplication = 1");
    let carriers = ["--carrier", "atlas"];

    let listed = topics("list", &file, &[&carriers[..], &["--json"]].concat());
    assert!(listed.status.success(), "{}", text(&listed.stderr));
    let objects: Vec<serde_json::Value> = text(&listed.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let order = objects
        .iter()
        .find(|object| object["topic"] == "signalbox.dispatch.atlas.urgent")
        .expect("the carrier that was named has its topics");
    assert_eq!(
        (&order["partitions"], &order["replication"], &order["retention_ms"]),
        (&8.into(), &1.into(), &(49 * 3_600 * 1_000).into())
    );

    let made = topics("create", &file, &carriers);
    let count = objects.len();
    let said = text(&made.stdout);
    assert!(made.status.success(), "{}", text(&made.stderr));
    assert!(
        said.ends_with(&format!("{count} topics are there, {count} of them new\n")),
        "{said}"
    );
    let again = text(&topics("create", &file, &carriers).stdout);
    assert_eq!(again, format!("{count} topics are there, 0 of them new\n"));

    let (_folder, other) = config(&kafka.bootstrap(), "partitions = 4");
    let refused = topics("create", &other, &[]);
    assert_eq!(refused.status.code(), Some(64));
    let said = text(&refused.stderr);
    assert!(said.contains("has 8 partitions and 4 are configured"), "{said}");
}

#[test]
fn brokers_that_stay_away_are_asked_for_as_long_as_was_said() {
    let (_folder, file) = config("127.0.0.1:1", "");
    let away = topics("create", &file, &["--within", "1s"]);
    assert_eq!(away.status.code(), Some(69), "{}", text(&away.stderr));
    assert!(text(&away.stderr).contains("the log is away"), "{}", text(&away.stderr));
}

#[test]
fn an_embedded_log_needs_no_topics_made() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("signalbox.toml");
    let place = "kind = \"embedded\"\npath = \"data\"\n";
    fs::write(&file, format!("[bus]\n{place}[store]\n{place}")).unwrap();
    let refused = topics("create", &file, &[]);
    assert_eq!(refused.status.code(), Some(64));
    assert!(
        text(&refused.stderr).contains("makes its topics by itself"),
        "{}",
        text(&refused.stderr)
    );
}

//! Faults on real processes, few and short: the binary itself on a disk, over sockets, and carriers whose own logs are the witness.

use std::{path::Path, process::Command};

use serde_json::Value;

const LOADTEST: &str = env!("CARGO_BIN_EXE_signalbox-loadtest");

/// The router is killed and drained, and links are cut, stalled and lose what is sent, by a seed. The books alone decide.
#[test]
fn what_was_accepted_ends_once_whoever_is_killed_and_whichever_link_drops() {
    if !Path::new(LOADTEST).with_file_name("signalbox").is_file() {
        backing::skipped("signalbox was not built beside signalbox-loadtest: test the whole workspace");
        return;
    }
    let mut chaos = Command::new(LOADTEST);
    chaos.args(["chaos", "--bus", "embedded", "--rate", "100", "--minutes", "0.3"]);
    chaos.args([
        "--every",
        "2",
        "--faults",
        "kill,drain,link-cut,link-half-open,link-stall",
    ]);
    let output = chaos.args(["--seed", "7", "--json"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.stdout.starts_with(b"{"), "{said}");
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    // What was wrong, and what the processes said, ahead of all else: whoever reads this cannot look into the folder.
    let findings = &found["findings"];
    assert_eq!(
        *findings,
        Value::Array(Vec::new()),
        "{said}\n{}\n{found:#}",
        found["troubles"]
    );
    assert!(output.status.success(), "{said}");
    let faults = found["faults"].as_array().unwrap();
    let kinds: std::collections::BTreeSet<_> = faults.iter().map(|fault| fault["kind"].as_str()).collect();
    assert!(faults.len() >= 8 && kinds.len() >= 2, "{faults:?}");
    assert!(found["accepted"].as_u64().unwrap() > 3_000, "{found:#}");
    assert_eq!((&found["lost"], &found["accepted"]), (&Value::from(0), &found["ended"]));
}

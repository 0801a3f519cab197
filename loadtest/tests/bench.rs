//! The measurement of everything, with few messages: real processes, and books that are checked. No time decides here.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

const LOADTEST: &str = env!("CARGO_BIN_EXE_signalbox-loadtest");

fn bench(out: &Path, arguments: &[&str]) -> Output {
    let output = Command::new(LOADTEST)
        .args([
            "bench",
            "--messages",
            "1500",
            "--runs",
            "1",
            "--rate",
            "3000",
            "--json",
            "--out",
        ])
        .arg(out)
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.stdout.starts_with(b"{"), "{said}");
    output
}

/// It fails by itself where a message is lost, doubled or not delivered. One test alone, as runs share the cores.
#[test]
fn runs_are_measured_beside_the_floor_and_a_regression_is_told_by_the_exit_code() {
    if !Path::new(LOADTEST).with_file_name("signalbox").is_file() {
        backing::skipped("signalbox was not built beside signalbox-loadtest: test the whole workspace");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let baseline = folder.path().join("quick.toml");
    let arguments = [
        "--bus",
        "embedded",
        "--no-decide",
        "--steady-rate",
        "200",
        "--steady-seconds",
        "3",
    ];
    let output = bench(folder.path(), &arguments);
    assert!(output.status.success());
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = found["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 5, "{found}");
    let run = &found["buses"][0]["full"][0];
    assert_eq!(run["load"]["accepted"], 1_500);
    for process in ["standalone", "load", "carriers"] {
        assert!(
            run["memory_mb_max"][process].as_f64().unwrap() > 0.0,
            "{process}: {run}"
        );
    }
    let steady = &found["buses"][0]["steady"][0]["run"];
    assert_eq!(steady["load"]["accepted"], 600);
    assert!(steady["to_carrier"]["p50_ms"].as_f64().unwrap() > 0.0, "{steady}");
    assert_eq!(steady["hops"].as_array().unwrap().len(), 5);
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(page.contains("<svg") && page.ends_with("</html>\n"));
    let json = fs::read_to_string(folder.path().join("bench.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), found);

    let quick = ["--quick", "--baseline", baseline.to_str().unwrap()];
    // A machine that was ten times as fast.
    fs::write(
        &baseline,
        "date = \"\"\ncommit = \"\"\nmachine = \"\"\nprocessor_ratio = 0.1\nthroughput_share = 1.0\n",
    )
    .unwrap();
    let output = bench(folder.path(), &quick);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("times the processor time of the floor"), "{said}");
}

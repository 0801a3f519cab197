//! Scenarios on real processes, small and slow: the books decide, and goals that no machine can reach or miss. No time does.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

const LOADTEST: &str = env!("CARGO_BIN_EXE_signalbox-loadtest");

/// All three classes, one to three parts, a carrier that is cut off for a while, one that delivers not everything, and look-ups.
/// Long messages are passwords: one of which an answer was lost may wait for the rest until its grace is over, which is a minute.
const SMALL: &str = r#"
length = "6s"
warm_up = "1s"
[[load]]
class = "otp"
rate = 40
segments = [1, 2, 3]
[[load]]
class = "transactional"
rate = [10, 30]
[[load]]
class = "promotional"
rate = 40
arrivals = "bursts"
burst = 20
[[carrier]]
name = "atlas"
[[carrier]]
name = "borealis"
receipts = "DELIVRD=9,UNDELIV/001=1"
[[event]]
from = "2s"
until = "4s"
carrier = "atlas"
links = "cut"
[lookup]
ported = 0.3
[slo]
delivered = 0.5
"#;

/// The carrier refuses every number for good, so that nothing can be delivered.
const HOPELESS: &str = r#"
length = "2s"
[[load]]
class = "otp"
rate = 20
arrivals = "even"
text = "Your code is 123456."
ttl = "2s"
[[carrier]]
name = "atlas"
errors = 1
error_status = "RINVDSTADR"
[slo.otp]
delivered = 0.5
"#;

fn is_built() -> bool {
    let is_built = Path::new(LOADTEST).with_file_name("signalbox").is_file();
    if !is_built {
        backing::skipped("signalbox was not built beside signalbox-loadtest: test the whole workspace");
    }
    is_built
}

/// Writes the scenario `text` called `name` to `folder`.
fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path
}

fn scenario(files: &[PathBuf], arguments: &[&str]) -> Output {
    let mut command = Command::new(LOADTEST);
    command.arg("scenario").args(files).args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The report alone tells what became of the messages; it is held against what must be so on any machine.
#[test]
fn what_is_accepted_ends_once_under_the_mishaps_of_a_scenario() {
    if !is_built() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (small, out) = (file(folder.path(), "small.toml", SMALL), folder.path().join("out"));
    let output = scenario(&[small], &["--json", "--out", out.to_str().unwrap()]);
    assert!(output.stdout.starts_with(b"{"), "{}", said(&output));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["findings"], Value::Array(Vec::new()), "{found:#}");
    assert!(output.status.success(), "{found:#}");
    let accepted = found["accepted"].as_u64().unwrap();
    let ended: u64 = found["states"]
        .as_object()
        .unwrap()
        .values()
        .filter_map(Value::as_u64)
        .sum();
    assert_eq!(accepted, ended);
    let classes = &found["classes"];
    let due = |class: &str| -> u64 {
        let seconds = classes[class]["seconds"].as_array().unwrap();
        seconds.iter().filter_map(|second| second["due"].as_u64()).sum()
    };
    assert_eq!(due("otp") + due("transactional") + due("promotional"), due("all"));
    assert_eq!((accepted, due("promotional")), (due("all"), 240));
    // What was due while it warmed up is not among them.
    assert!(classes["all"]["sent"].as_u64().unwrap() < accepted);
    assert_eq!(found["hops"].as_array().unwrap().len(), 5);
    assert!(found["memory_mb_max"]["standalone"].as_f64().unwrap() > 0.0);

    let json = out.join("small.json");
    assert_eq!(
        serde_json::from_slice::<Value>(&fs::read(&json).unwrap()).unwrap(),
        found
    );
    let page = fs::read_to_string(out.join("small.html")).unwrap();
    assert!(page.matches("<svg").count() == 8 && page.ends_with("</html>\n"));
    let compared = Command::new(LOADTEST)
        .arg("compare")
        .args([&json, &json])
        .output()
        .unwrap();
    let compared = String::from_utf8(compared.stdout).unwrap();
    assert!(compared.contains("otp: due → carrier has it, p99 ms"), "{compared}");
}

#[test]
fn a_goal_that_is_missed_is_told_by_the_exit_code_while_the_books_are_in_order() {
    if !is_built() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (hopeless, out) = (
        file(folder.path(), "hopeless.toml", HOPELESS),
        folder.path().join("out"),
    );
    let output = scenario(&[hopeless], &["--json", "--out", out.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&found["findings"], &found["accepted"]),
        (&Value::Array(Vec::new()), &Value::from(40))
    );
    let states = found["states"].as_object().unwrap();
    let ended: u64 = states.values().filter_map(Value::as_u64).sum();
    assert!(ended == 40 && !states.contains_key("delivered"), "{states:?}");
    assert_eq!(found["goals"][0]["measured"]["median"], 0.0);
    let page = fs::read_to_string(out.join("hopeless.html")).unwrap();
    assert!(page.contains("MISSED"));
}

#[test]
fn a_file_that_is_wrong_is_refused_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = file(
        folder.path(),
        "wrong.toml",
        &SMALL.replace("rate = 40", "rate = \"many\""),
    );
    let right = file(folder.path(), "right.toml", SMALL);
    let output = scenario(&[right, wrong], &[]);
    assert_eq!(output.status.code(), Some(64));
    let said = said(&output);
    assert!(said.contains("wrong.toml:6: error[S004]: \"load.rate\""), "{said}");
    assert!(output.stdout.is_empty() && !said.contains("right over"), "{said}");
}

#[test]
fn every_shipped_scenario_is_read_and_says_what_it_stands_for() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(files.len() >= 6, "{files:?}");
    let output = scenario(&files, &["--check"]);
    assert!(output.status.success(), "{}", said(&output));
    let is_told = |path: &PathBuf| fs::read_to_string(path).unwrap().starts_with("# ");
    assert!(files.iter().all(is_told));
}

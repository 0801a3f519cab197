//! Golden files: each holds a table, what is asked of it, and the answer. `BLESS=1` writes the answers anew.
//!
//! `=== path` begins a file of the table; `=== queries` holds a query a line; `=== report` and `=== answers` are compared.
//! Files that a case does not give are those of `base.txt`; `=== -path` leaves one of them out.

#[path = "golden/sections.rs"]
mod sections;

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
};

use sections::sections;
use sms::UnixMs;
use table::files::Files;

/// 2026-11-21T12:00:00Z.
const NOON: UnixMs = UnixMs(1_795_262_400_000);

/// Fewest kinds of mistake that the files under `check` must hold.
const KINDS_MIN: usize = 90;

fn is_file(name: &str) -> bool {
    !matches!(name, "queries" | "report" | "answers")
}

fn golden(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(folder)
}

/// Runs `answer` over every case of `folder` and compares the section `result`.
fn compare(folder: &str, result: &str, answer: impl Fn(&Files, &str) -> String) {
    let base = fs::read_to_string(golden("base.txt")).expect("the base is there");
    let mut paths: Vec<PathBuf> = fs::read_dir(golden(folder))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "no cases in {folder}");
    for path in paths {
        let text = fs::read_to_string(&path).expect("a case");
        let cases = sections(&text);
        let mut given: BTreeMap<String, String> = sections(&base).into_iter().collect();
        given.extend(cases.iter().filter(|(name, _)| is_file(name)).cloned());
        let mut files = Files::default();
        for (name, body) in &given {
            if !name.starts_with('-') && !given.contains_key(&format!("-{name}")) {
                files.insert(name.as_str(), body.as_str());
            }
        }
        let section = |wanted: &str| {
            cases
                .iter()
                .find(|(name, _)| name == wanted)
                .map(|(_, body)| body.clone())
        };
        let found = answer(&files, &section("queries").unwrap_or_default());
        if env::var_os("BLESS").is_some() {
            let head = text
                .split(&format!("=== {result}\n"))
                .next()
                .unwrap_or_default()
                .trim_end();
            fs::write(&path, format!("{head}\n=== {result}\n{found}")).expect("the case is written");
        } else {
            let wanted = section(result).unwrap_or_default();
            assert!(
                wanted == found,
                "{}\n--- wanted\n{wanted}\n--- found\n{found}",
                path.display()
            );
        }
    }
}

/// Each problem with its place, code and help, and nothing twice.
#[test]
fn diagnostics_read_as_written_down() {
    compare("check", "report", |files, _| match table::build(files) {
        Ok((_, warnings)) if warnings.is_empty() => "fine\n".to_owned(),
        Ok((_, warnings)) => format!("{warnings}\n"),
        Err(problems) => format!("{problems}\n"),
    });
}

/// Failures first, each with what was expected and found and why, then the coverage of policies.
#[test]
fn cases_report_as_written_down() {
    compare("cases", "report", |files, _| match table::cases::test(files) {
        Ok((report, _)) => report.to_string(),
        Err(problems) => format!("{problems}\n"),
    });
}

/// What changes to the table with the files of `queries` over it, each after a line `--- path`; then what changes back.
#[test]
fn differences_read_as_written_down() {
    compare("diff", "report", |old, files| {
        let mut new = old.clone();
        for file in files.split("--- ").skip(1) {
            let (path, body) = file.split_once('\n').expect("a path");
            new.insert(path, body);
        }
        let text = |old: &Files, new: &Files| {
            let diff = table::diff::diff(old, new).unwrap_or_else(|unsound| panic!("{unsound:?}"));
            let named = diff.text(false).replace(&diff.old, "<old>");
            named.replace(&diff.new, "<new>")
        };
        format!("{}\n--- back\n{}", text(old, &new), text(&new, old))
    });
}

/// Each query with its answer as one line of JSON; the content hash is left out.
#[test]
fn explanations_read_as_written_down() {
    compare("explain", "answers", |files, queries| {
        let (table, _) = table::build(files).unwrap_or_else(|problems| panic!("{problems}"));
        let mut answers = Vec::new();
        table::batch::explain(&table, queries.as_bytes(), &mut answers, NOON).expect("memory takes it");
        String::from_utf8(answers)
            .expect("JSON is UTF-8")
            .replace(table.version(), "<hash>")
    });
}

/// Reads every report: what is told apart by code and words, names and numbers aside, is a kind of mistake.
#[test]
fn many_kinds_of_mistake_are_written_down() {
    let mut kinds = BTreeSet::new();
    for entry in fs::read_dir(golden("check")).expect("a folder") {
        let text = fs::read_to_string(entry.expect("an entry").path()).expect("a case");
        let (_, report) = text.split_once("=== report\n").expect("a report");
        let is_problem = |line: &&str| !line.starts_with(' ') && !line.starts_with("and ");
        for line in report.lines().filter(is_problem) {
            let (_, problem) = line.split_once(": ").expect("a problem begins with its place");
            // Every second part is quoted.
            let words = problem.split('"').step_by(2).collect::<Vec<_>>().join("_");
            let shape: String = words
                .chars()
                .map(|one| if one.is_ascii_digit() { '0' } else { one })
                .collect();
            kinds.insert((
                problem.chars().filter(char::is_ascii_digit).take(3).collect::<String>(),
                shape,
            ));
        }
    }
    assert!(kinds.len() >= KINDS_MIN, "{} kinds: {kinds:#?}", kinds.len());
}

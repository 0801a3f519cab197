//! Every code has a page, every page an example that produces it. `BLESS=1` writes what the examples say anew.

#[path = "golden/sections.rs"]
mod sections;

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};

use sections::sections;
use table::{code, command};

/// The files that an example does not give, as for golden files.
const BASE: &str = include_str!("golden/base.txt");

/// The text between the first line that is `fence` and the next that ends it.
fn fenced<'a>(page: &'a str, fence: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("\n{fence}\n")).expect("the page has a block");
    let end = if rest.starts_with("```") {
        0
    } else {
        rest.find("\n```").expect("the block ends") + 1
    };
    &rest[..end]
}

/// Writes the example over the base and checks it: a path that ends in `/` is a folder.
fn check(example: &str) -> String {
    let dir = tempfile::tempdir().expect("a directory");
    for (path, body) in sections(BASE).into_iter().chain(sections(example)) {
        let at = dir.path().join(&path);
        if path.ends_with('/') {
            fs::create_dir_all(at).expect("a folder");
        } else {
            fs::create_dir_all(at.parent().expect("a folder")).expect("a folder");
            fs::write(at, body).expect("it is written");
        }
    }
    command::check(dir.path(), false).stdout
}

/// The problems of one code in a report, each with the lines that belong to it.
fn of_code(number: u16, report: &str) -> String {
    let code = format!("[T{number:03}]: ");
    let mut is_of_code = false;
    let lines = report.lines().filter(|line| {
        is_of_code = if line.starts_with(' ') {
            is_of_code
        } else {
            line.contains(&code)
        };
        is_of_code
    });
    lines.map(|line| format!("{line}\n")).collect()
}

fn path_of(number: u16) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/codes/T{number:03}.md"))
}

/// Checks each page's example from a directory and compares what it says of that code with the page.
#[test]
fn every_page_shows_what_its_example_says() {
    for (number, page) in code::PAGES {
        assert!(
            page.starts_with(&format!("# T{number:03}: ")),
            "T{number:03} has another title"
        );
        let report = check(fenced(page, "```"));
        let said = of_code(number, &report);
        assert!(!said.is_empty(), "the example of T{number:03} says:\n{report}");
        let shown = fenced(page, "```text");
        if env::var_os("BLESS").is_some() {
            let page = page.replace(&format!("\n```text\n{shown}```\n"), &format!("\n```text\n{said}```\n"));
            fs::write(path_of(number), page).expect("the page is written");
        } else {
            assert_eq!(shown, said, "T{number:03}");
        }
    }
}

/// Reads the sources of this crate and the codes that every file shares: each has a page, and each page is of one of them.
#[test]
fn codes_and_pages_are_the_same() {
    let paged: BTreeSet<u16> = code::PAGES.iter().map(|(number, _)| *number).collect();
    let own = include_str!("../src/code.rs");
    let shared = include_str!("../../source/src/problem.rs");
    let defined: BTreeSet<u16> = own
        .lines()
        .chain(shared.lines())
        .filter_map(|line| {
            let (_, rest) = line.trim().strip_prefix("pub const ")?.split_once(": u16 = ")?;
            rest.trim_end_matches(';').parse().ok()
        })
        .collect();
    assert_eq!(paged, defined);
    let files = fs::read_dir(path_of(1).parent().expect("a folder")).expect("the pages");
    let names: BTreeSet<String> = files
        .map(|file| file.expect("a page").file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(names, paged.iter().map(|number| format!("T{number:03}.md")).collect());
}

#[test]
fn a_page_is_printed_and_an_unknown_code_is_wrong_usage() {
    let page = command::explain_code("T027");
    assert_eq!(
        (page.code, page.stdout.as_str()),
        (0, include_str!("../docs/codes/T027.md"))
    );
    assert_eq!(command::explain_code("t027"), page);
    for unknown in ["T020", "27", "T27", "T0270", "L002", "T+27", ""] {
        let refused = command::explain_code(unknown);
        assert_eq!((refused.code, refused.stdout.as_str()), (64, ""), "{unknown}");
        assert!(
            refused.stderr.contains("  T027  a policy behind one"),
            "{}",
            refused.stderr
        );
    }
}

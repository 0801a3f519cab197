//! What the targets share: inputs are golden files, so that those committed beside the tests are the first corpus.

use std::collections::BTreeMap;

use table::{Problems, Table, files::Files};

/// The files that an input does not give.
const BASE: &str = include_str!("../../tests/golden/base.txt");

/// The sections of a golden file in order: name and content. Octets that are no UTF-8 stay as they are.
pub fn sections(input: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut sections: Vec<(String, Vec<u8>)> = Vec::new();
    for line in input.split_inclusive(|octet| *octet == b'\n') {
        match (line.strip_prefix(b"=== "), sections.last_mut()) {
            (Some(name), _) => sections.push((String::from_utf8_lossy(name).trim().to_owned(), Vec::new())),
            (None, Some((_, body))) => body.extend_from_slice(line),
            (None, None) => {}
        }
    }
    sections
}

/// The base with those files of `input` in place whose names `is_of` accepts. A name behind a minus leaves its file out.
pub fn files(input: &[u8], is_of: impl Fn(&str) -> bool) -> Files {
    let mut given: BTreeMap<String, Vec<u8>> = sections(BASE.as_bytes()).into_iter().collect();
    for (name, body) in sections(input) {
        let left_out = name.strip_prefix('-').filter(|name| is_of(name));
        if let Some(left_out) = left_out {
            given.remove(left_out);
        } else if is_of(&name) {
            given.insert(name, body);
        }
    }
    let mut files = Files::default();
    for (name, body) in given {
        files.insert(name, body);
    }
    files
}

/// Builds the table in `files`: refused with an error, or made and fit to answer. Problems can always be shown.
pub fn build(files: &Files) -> Option<Table> {
    let (table, problems): (_, Problems) = match table::build(files) {
        Ok((table, warnings)) => {
            assert!(!warnings.has_errors(), "a table with errors was made:\n{warnings}");
            (Some(table), warnings)
        }
        Err(problems) => {
            assert!(
                problems.has_errors(),
                "a table was refused without an error:\n{problems}"
            );
            (None, problems)
        }
    };
    let shown = problems.to_string();
    assert!(shown.is_empty() == problems.is_empty());
    serde_json::to_string(&problems).expect("problems are JSON");
    table
}

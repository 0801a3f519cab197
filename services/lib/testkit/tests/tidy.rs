//! Holds the shape of the tree: who may import whom, how long a file may be, and which words do not belong.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Longest file, in lines.
const FILE_LINES_MAX: usize = 600;

/// For each crate, every crate of ours that it may use outside its tests. A crate that is missing here fails the test.
const MAY_IMPORT: [(&str, &[&str]); 19] = [
    ("sms", &[]),
    ("journey", &["sms"]),
    ("source", &[]),
    ("web", &["service", "source"]),
    ("table", &["sms", "source"]),
    (
        "lookup",
        &["service", "signalbox-proto", "sms", "source", "store", "table", "web"],
    ),
    ("disk", &[]),
    ("backing", &[]),
    ("bus", &["disk"]),
    ("store", &["disk"]),
    ("smpp", &["sms"]),
    ("service", &["bus", "store", "sms"]),
    ("signalbox-proto", &["bus", "journey", "sms", "store"]),
    (
        "ingest",
        &["bus", "store", "sms", "journey", "service", "source", "signalbox-proto"],
    ),
    (
        "router",
        &[
            "bus",
            "store",
            "sms",
            "journey",
            "lookup",
            "table",
            "service",
            "source",
            "signalbox-proto",
        ],
    ),
    (
        "connector",
        &[
            "bus",
            "store",
            "sms",
            "journey",
            "smpp",
            "service",
            "source",
            "signalbox-proto",
            "web",
        ],
    ),
    (
        "testkit",
        &[
            "bus",
            "store",
            "sms",
            "journey",
            "lookup",
            "table",
            "service",
            "source",
            "ingest",
            "router",
            "connector",
            "signalbox-proto",
        ],
    ),
    (
        "signalbox-loadtest",
        &[
            "backing",
            "bus",
            "connector",
            "disk",
            "journey",
            "lookup",
            "service",
            "signalbox-proto",
            "smpp",
            "sms",
            "source",
            "store",
            "table",
            "testkit",
        ],
    ),
    (
        "signalbox",
        &[
            "bus",
            "connector",
            "disk",
            "ingest",
            "journey",
            "lookup",
            "router",
            "service",
            "signalbox-loadtest",
            "signalbox-proto",
            "sms",
            "source",
            "store",
            "table",
        ],
    ),
];

/// Crates of others that only some of ours may use.
const CONFINED: [(&str, &[&str]); 13] = [
    ("rdkafka", &["bus"]),
    ("redis", &["store"]),
    ("fjall", &["disk", "bus", "store"]),
    ("rusmpp", &["smpp"]),
    ("rand", &["service"]),
    ("opentelemetry", &["signalbox"]),
    ("opentelemetry_sdk", &["signalbox"]),
    ("opentelemetry-otlp", &["signalbox"]),
    ("hyper", &["web"]),
    ("hickory-resolver", &["lookup"]),
    (
        "tonic",
        &[
            "signalbox-proto",
            "ingest",
            "router",
            "connector",
            "lookup",
            "signalbox",
            "signalbox-loadtest",
        ],
    ),
    ("prost", &["signalbox-proto", "ingest", "router", "signalbox-loadtest"]),
    (
        "tokio",
        &[
            "bus",
            "disk",
            "store",
            "service",
            "web",
            "lookup",
            "ingest",
            "router",
            "connector",
            "testkit",
            "signalbox",
            "signalbox-loadtest",
        ],
    ),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

/// Every manifest of the workspace: crate name and names of its dependencies, those of tests aside.
fn manifests() -> BTreeMap<String, BTreeSet<String>> {
    let workspace = read_toml(&root().join("Cargo.toml"));
    let members = workspace["workspace"]["members"]
        .as_array()
        .expect("the workspace lists its members");
    let folders = members
        .iter()
        .map(|member| root().join(member.as_str().expect("a member is a path")));
    folders
        .map(|folder| {
            let manifest = read_toml(&folder.join("Cargo.toml"));
            let name = manifest["package"]["name"]
                .as_str()
                .expect("a crate has a name")
                .to_owned();
            let dependencies = manifest.get("dependencies").and_then(|found| found.as_table());
            (
                name,
                dependencies
                    .map(|table| table.keys().cloned().collect())
                    .unwrap_or_default(),
            )
        })
        .collect()
}

fn read_toml(path: &Path) -> toml::Table {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.parse()
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every text file that is ours, by extension.
fn files(extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            if path.is_dir() {
                if !matches!(&*name, "target" | ".git" | "node_modules" | "data" | ".cache") {
                    folders.push(path);
                }
            } else if extensions.iter().any(|extension| name.ends_with(extension)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn assert_none(broken: &[String]) {
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

/// Reads every manifest; dependencies of tests are free.
#[test]
fn crates_import_only_what_they_may() {
    let manifests = manifests();
    let allowed: BTreeMap<_, _> = MAY_IMPORT.into_iter().collect();
    let mut broken = Vec::new();
    for (name, dependencies) in &manifests {
        let Some(may) = allowed.get(name.as_str()) else {
            broken.push(format!("{name}: say in MAY_IMPORT what it may import"));
            continue;
        };
        for dependency in dependencies
            .iter()
            .filter(|dependency| manifests.contains_key(*dependency))
        {
            if !may.contains(&dependency.as_str()) {
                broken.push(format!("{name} may not import {dependency}"));
            }
        }
    }
    assert_none(&broken);
}

/// Reads every manifest: a library that belongs behind one wall must not be named in front of it.
#[test]
fn outside_crates_stay_behind_their_wall() {
    let mut broken = Vec::new();
    for (name, dependencies) in manifests() {
        for (confined, may) in CONFINED {
            if dependencies.contains(confined) && !may.contains(&name.as_str()) {
                broken.push(format!("{name} may not use {confined}: only {} do", may.join(", ")));
            }
        }
    }
    assert_none(&broken);
}

/// Reads every Rust file.
#[test]
fn files_are_short_and_say_what_they_own() {
    let mut broken = Vec::new();
    for path in files(&[".rs"]) {
        let text = fs::read_to_string(&path).unwrap();
        let (lines, shown) = (text.lines().count(), path.display());
        if lines > FILE_LINES_MAX {
            broken.push(format!(
                "{shown} has {lines} lines, the limit is {FILE_LINES_MAX}: give its second noun a file"
            ));
        }
        if path.file_name().is_some_and(|name| name == "mod.rs") {
            broken.push(format!("{shown}: name the file after its module"));
        }
        if !text.starts_with("//!") {
            broken.push(format!(
                "{shown} does not begin with a //! paragraph that says what it owns"
            ));
        }
    }
    assert_none(&broken);
}

/// Reads every Rust file: stubs and tests that never run are not kept.
#[test]
fn nothing_is_a_stub() {
    let stubs = ["todo!", "unimplemented!", "FIXME", "#[ignore"];
    let mut broken = Vec::new();
    for path in files(&[".rs"]).into_iter().filter(|path| !path.ends_with("tidy.rs")) {
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            if let Some(stub) = stubs.iter().find(|stub| line.contains(*stub)) {
                broken.push(format!("{}:{}: {stub}", path.display(), number + 1));
            }
        }
    }
    assert_none(&broken);
}

/// Looks at what lies beside `Cargo.toml`.
#[test]
fn the_top_level_holds_what_it_should() {
    let expected = [
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE",
        "Makefile",
        "README.md",
        "clippy.toml",
        "data",
        "deny.toml",
        "deploy",
        "helm",
        "loadtest",
        "proto",
        "rustfmt.toml",
        "services",
        "target",
    ];
    let broken: Vec<_> = fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.') && !expected.contains(&name.as_str()))
        .map(|name| format!("{name} does not belong at the top level"))
        .collect();
    assert_none(&broken);
}

//! Prometheus comes up with its rules, answers, and is gone with its handle.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{fs, io, net::SocketAddr, path::Path};

use backing::Prometheus;

/// A server without targets but one that nobody listens at; `None` = it cannot be had here, which is said.
fn start(rules: &str) -> Option<io::Result<Prometheus>> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.yaml");
    fs::write(&file, rules).unwrap();
    let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
    match Prometheus::start(&[("nobody", nobody)], Path::new(&file)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            backing::skipped(error);
            None
        }
        started => Some(started),
    }
}

#[test]
fn it_evaluates_and_tells_what_it_cannot_read() {
    let rules = "groups:\n  - name: one\n    rules: [{alert: Always, expr: vector(1)}]\n";
    let Some(prometheus) = start(rules) else { return };
    let prometheus = prometheus.unwrap();
    let answer = prometheus.query("1 + 1").unwrap();
    assert!(answer.contains("\"2\""), "{answer}");
    assert!(prometheus.get("/api/v1/rules").unwrap().contains("Always"));
    let said = prometheus.query("sum(").unwrap_err().to_string();
    assert!(said.contains("400") && said.contains("parse error"), "{said}");
}

#[test]
fn rules_that_it_refuses_are_told() {
    let Some(started) = start("groups:\n  - name: one\n    rules: [{alert: Bad, expr: \"sum(\"}]\n") else {
        return;
    };
    let said = started.unwrap_err().to_string();
    assert!(
        said.starts_with("start of prometheus: ") && said.contains("could not parse expression"),
        "{said}"
    );
}

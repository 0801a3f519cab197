//! What counts as a regression.

use super::*;
use crate::bench::fixture::report;

fn baseline() -> Baseline {
    Baseline::of(&report(40.0, 20_000.0)).unwrap()
}

#[test]
fn a_message_that_costs_a_tenth_more_than_committed_is_a_regression_and_one_that_costs_less_is_none() {
    assert!(baseline().compare(&report(43.9, 20_000.0)).is_empty());
    assert!(baseline().compare(&report(20.0, 20_000.0)).is_empty());
    let findings = baseline().compare(&report(44.3, 20_000.0));
    assert!(
        findings[0].contains("4.43 times the processor time of the floor"),
        "{findings:?}"
    );
    assert!(findings[0].contains("2026-11-23 (abcdef0)"), "{findings:?}");
}

#[test]
fn a_throughput_that_fell_by_a_tenth_is_a_regression_though_nothing_costs_more() {
    assert!(baseline().compare(&report(40.0, 18_300.0)).is_empty());
    let findings = baseline().compare(&report(40.0, 18_000.0));
    assert!(findings[0].contains("0.18 of the floor's messages"), "{findings:?}");
}

#[test]
fn what_is_written_is_read_back_and_no_file_is_no_baseline() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("results/quick.toml");
    assert_eq!(Baseline::read(&path).unwrap(), None);
    baseline().write(&path).unwrap();
    assert_eq!(Baseline::read(&path).unwrap(), Some(baseline()));
    fs::write(&path, "date = 1").unwrap();
    assert!(Baseline::read(&path).unwrap_err().to_string().contains("quick.toml"));
}

//! What is told of runs.

use super::*;
use crate::bench::{
    fixture::{report, run},
    html,
    pipeline::Run,
};
use crate::row::Bound;

#[test]
fn what_load_and_carriers_cost_is_not_counted_against_the_router() {
    let report = report(40.0, 20_000.0);
    let bus = &report.buses[0];
    assert_eq!(bus.processor_us().keys().collect::<Vec<_>>(), ["standalone"]);
    assert_eq!(bus.ratio().unwrap().median, 4.0);
    assert_eq!(bus.memory_mb_max().unwrap().median, 250.0);
}

#[test]
fn a_row_is_met_by_its_median_alone() {
    let report = report(40.0, 20_000.0);
    let verdicts: Vec<_> = report.rows.iter().map(|row| (row.target(), row.verdict())).collect();
    let expected = [
        ("≥ 20000 messages/s", "met"),
        ("≤ 5 ms", "met"),
        ("≤ 25 ms", "met"),
        ("≤ 300 MB", "met"),
        ("≤ 3", "MISSED"),
    ];
    assert_eq!(verdicts, expected.map(|(target, verdict)| (target.to_owned(), verdict)));
    assert!(matches!(report.rows[0].bound, Bound::AtLeast(_)));
}

#[test]
fn a_run_that_was_not_clean_is_told() {
    let mut report = report(40.0, 20_000.0);
    assert!(!report.to_string().contains("NOT CLEAN"));
    report.buses[0].full[0].doubled = 3;
    let told = "NOT CLEAN: a run with 10000 messages/s asked: 0 not delivered, 3 at a carrier twice";
    assert!(report.to_string().contains(told), "{report}");
}

#[test]
fn memory_is_flat_where_its_end_is_like_its_beginning() {
    let growing = run(40.0, 20_000.0);
    let growth = memory_growth(&growing).unwrap();
    assert!((1.05..1.07).contains(&growth), "{growth}");
    let short = Run {
        samples: growing.samples[..3].to_vec(),
        ..growing
    };
    assert_eq!(memory_growth(&short), None);
}

#[test]
fn the_report_is_read_back_and_its_page_needs_nothing_beside_itself() {
    let report = report(40.0, 20_000.0);
    let json = serde_json::to_string(&report).unwrap();
    let again: Report = serde_json::from_str(&json).unwrap();
    assert_eq!(again.to_string(), report.to_string());
    let page = html::page(&report).unwrap();
    assert_eq!(page.matches("<svg").count(), 6);
    assert!(!page.contains("src=") && !page.contains("href="), "{page}");
    assert!(
        page.contains("class=\"MISSED\"") && page.contains("20000 messages/s"),
        "{page}"
    );
}

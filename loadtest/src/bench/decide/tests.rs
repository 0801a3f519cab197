//! What is read of the table's own measurement.

use super::*;
use crate::{decide::targets::Target as Told, spread::Spread};

#[test]
fn every_way_in_which_targets_are_told_is_read() {
    let read = |target| bound(target).unwrap();
    assert_eq!(read(">= 2000000"), (Bound::AtLeast(2e6), String::new()));
    assert_eq!(read("<= 2000 ns"), (Bound::AtMost(2_000.0), "ns".to_owned()));
    assert_eq!(read("<= 2 times quiet"), (Bound::AtMost(2.0), "times quiet".to_owned()));
    assert_eq!(read("0"), (Bound::AtMost(0.0), String::new()));
    assert_eq!(bound("as fast as can be"), None);
}

#[test]
fn runs_are_gathered_into_one_row_for_each_number() {
    let told = |found| Told {
        what: "check and compile",
        target: "<= 1 s",
        found,
        is_met: true,
    };
    let run = |found| -> Decided {
        let report = serde_json::json!({ "targets": [told(found)], "rows": 600_000 });
        serde_json::from_value(report).unwrap()
    };
    let rows = gather(&[run(0.9), run(0.7), run(1.2)]).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].what, "deciding: check and compile");
    assert_eq!(Some(rows[0].measured), Spread::of([0.9, 0.7, 1.2]));
    assert!(rows[0].is_met());
}

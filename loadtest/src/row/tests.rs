//! How numbers to reach are told.

use super::*;

fn row(bound: Bound, median: f64) -> Row {
    Row {
        what: "throughput".to_owned(),
        bound,
        unit: "messages/s".to_owned(),
        measured: Spread {
            median,
            low: 1.0,
            high: 90_000.0,
            runs: 3,
        },
        places: 0,
    }
}

#[test]
fn a_bound_itself_is_met_and_the_spread_does_not_matter() {
    assert!(row(Bound::AtLeast(20_000.0), 20_000.0).is_met());
    assert!(!row(Bound::AtLeast(20_000.0), 19_999.0).is_met());
    assert!(row(Bound::AtMost(5.0), 5.0).is_met());
    assert!(!row(Bound::AtMost(5.0), 5.1).is_met());
}

#[test]
fn a_row_tells_bound_measure_and_verdict() {
    let told = row(Bound::AtLeast(20_000.0), 20_113.0).to_string();
    for words in ["throughput", "≥ 20000 messages/s", "20113 (1 to 90000)", "met"] {
        assert!(told.contains(words), "{words}: {told}");
    }
}

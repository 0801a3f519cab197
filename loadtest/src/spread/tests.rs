//! What is said of several runs.

use super::*;

#[test]
fn a_spread_names_the_middle_and_both_ends_whatever_the_order() {
    let spread = Spread::of([20.0, 10.0, 40.0]).unwrap();
    assert_eq!(
        (spread.median, spread.low, spread.high, spread.runs),
        (20.0, 10.0, 40.0, 3)
    );
    assert_eq!(format!("{spread:.1}"), "20.0 (10.0 to 40.0)");
}

#[test]
fn no_run_has_no_spread() {
    assert_eq!(Spread::of([]), None);
}

#[test]
fn a_name_that_a_run_does_not_know_was_nothing_there() {
    let runs = [BTreeMap::from([("kafka".to_owned(), 3.0)]), BTreeMap::new()];
    let spreads = Spread::by_name(runs.iter());
    assert_eq!((spreads["kafka"].low, spreads["kafka"].high), (0.0, 3.0));
}

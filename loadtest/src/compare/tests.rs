//! What is said of two results.

use super::*;
use crate::bench::fixture::report;

fn spread(low: f64, median: f64, high: f64) -> Spread {
    Spread::of([low, median, high]).unwrap()
}

#[test]
fn a_change_stands_out_where_no_run_of_the_one_is_among_those_of_the_other() {
    let quiet = Change::of("p50", spread(4.0, 5.0, 6.0), spread(5.9, 7.0, 8.0));
    assert_eq!((quiet.percent, quiet.stands_out), (Some(40.0), false));
    let loud = Change::of("p50", spread(4.0, 5.0, 6.0), spread(3.0, 3.5, 3.9));
    assert!(loud.stands_out);
    let from_nothing = Change::of("allocations", spread(0.0, 0.0, 0.0), spread(1.0, 1.0, 1.0));
    assert_eq!((from_nothing.percent, from_nothing.stands_out), (None, true));
}

#[test]
fn of_single_runs_none_stands_out() {
    let [one, other] = [5.0, 7.0].map(|figure| Spread::of([figure]).unwrap());
    assert!(!Change::of("p50", one, other).stands_out);
}

#[test]
fn rows_and_costs_are_compared_by_name_and_what_only_one_measured_is_told() {
    let (before, mut after) = (report(40.0, 20_000.0), report(30.0, 25_000.0));
    after.rows.remove(1);
    after.setting.machine.cores = 8;
    let [before, after] = [before, after].map(|report| Measured::Bench(Box::new(report)));
    let comparison = Comparison::of(&before, &after);
    let change = |what: &str| comparison.changes.iter().find(|change| change.what == what).unwrap();
    let throughput = change("embedded: gRPC in → SMPP carrier → receipt back messages/s");
    assert_eq!((throughput.percent, throughput.stands_out), (Some(25.0), false));
    assert_eq!(change("embedded: standalone, µs of a message").percent, Some(-25.0));
    assert_eq!(change("embedded: the floor, µs of a message").percent, Some(0.0));
    assert_eq!((comparison.only_before.len(), comparison.only_after.len()), (1, 0));
    let told = comparison.to_string();
    for words in ["The machines differ", "+25.0 %", "only before: embedded: accepted"] {
        assert!(told.contains(words), "{words}: {told}");
    }
}

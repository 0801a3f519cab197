//! Counts by second.

use super::*;

#[test]
fn streams_of_one_run_add_up_second_by_second_and_a_silent_one_counts_as_nothing() {
    let (mut seconds, mut other) = (Seconds::default(), Seconds::default());
    seconds.note(0.9, 5);
    other.note(2.0, 7);
    other.note(9.0, 0);
    seconds.add(&other);
    assert_eq!(seconds.counts(), [5, 0, 7]);
}

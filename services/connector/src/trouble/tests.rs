//! Round trips and troubles, alone.

use super::*;

#[test]
fn the_median_is_of_the_last_answers() {
    let mut round_trips = RoundTrips::default();
    assert_eq!((round_trips.last(), round_trips.median()), (None, None));
    (1..=1_000).for_each(|ms| round_trips.count(Duration::from_millis(ms)));
    assert_eq!(round_trips.last(), Some(Duration::from_millis(1_000)));
    assert_eq!(
        round_trips.median(),
        Some(Duration::from_millis(969)),
        "of the last 64, the upper of the two in the middle"
    );
}

#[test]
fn what_may_be_a_number_is_hidden_and_what_names_an_error_is_not() {
    let said = |words| Trouble::new(words, UnixMs(0)).words;
    assert_eq!(
        said("10.0.0.17:2775: connection refused (os error 111)"),
        "10.0.0.17:2775: connection refused (os error 111)"
    );
    assert_eq!(said("no route to 447700900123"), "no route to **********23");
    assert_eq!(said("two\nlines\u{1b}[2J"), "two lines [2J");
    assert_eq!(said(&"x".repeat(500)).chars().count(), 160);
}

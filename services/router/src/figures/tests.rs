//! What is counted when, what is forgotten, and how much is held.

use super::*;

const START: UnixMs = UnixMs(1_795_262_400_000);
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

fn at(seconds: u64) -> UnixMs {
    START + Duration::from_secs(seconds)
}

fn fact(carrier: &str, network: &str, second: u64, delivered_in: Option<u64>) -> Fact {
    Fact {
        carrier: CarrierName::new(carrier).unwrap(),
        network: network.parse().unwrap(),
        taken_at: at(second),
        delivered_in: delivered_in.map(Duration::from_secs),
    }
}

/// A book with what `a` did on 20801: `taken` at a second, so many of them `delivered` after so many seconds.
fn book(rounds: &[(u64, u64, u64, u64)]) -> Book {
    let book = Book::new(START);
    for (second, taken, delivered, took) in rounds.iter().copied() {
        let taken = (0..taken).map(|_| fact("a", "20801", second, None));
        book.count(&taken.collect::<Vec<_>>(), at(second));
        let delivered = (0..delivered).map(|_| fact("a", "20801", second, Some(took)));
        book.count(&delivered.collect::<Vec<_>>(), at(second + took));
    }
    book
}

fn figures_of(book: &Book, carrier: &str, network: &str, second: u64) -> Option<Figures> {
    book.refresh(at(second));
    let carrier = CarrierName::new(carrier).unwrap();
    book.summary().figures(&carrier, network.parse().unwrap())
}

/// Attempts and delivered of `a` on 20801.
fn counted(book: &Book, second: u64) -> (u64, u64) {
    let figures = figures_of(book, "a", "20801", second).unwrap_or_default();
    (figures.attempts, figures.delivered)
}

fn p95(book: &Book, second: u64) -> f64 {
    let figures = figures_of(book, "a", "20801", second);
    figures.and_then(|figures| figures.p95).unwrap().as_secs_f64()
}

#[test]
fn attempts_count_once_a_receipt_had_time_to_come() {
    let book = book(&[(0, 40, 30, 4), (4 * MINUTE, 10, 10, 4)]);
    assert_eq!(counted(&book, 5 * MINUTE), (0, 0));
    assert_eq!(counted(&book, 10 * MINUTE - 1), (0, 0));
    assert_eq!(counted(&book, 10 * MINUTE), (50, 40));
}

#[test]
fn a_late_delivery_counts_where_its_attempt_was_taken() {
    let book = book(&[(0, 40, 0, 0)]);
    assert_eq!(counted(&book, 10 * MINUTE), (40, 0));
    book.count(&[fact("a", "20801", 0, Some(HOUR))], at(HOUR));
    assert_eq!(counted(&book, HOUR), (40, 1));
}

#[test]
fn attempts_are_forgotten_after_four_hours() {
    let book = book(&[(0, 40, 30, 4)]);
    let end = 4 * HOUR + 10 * MINUTE;
    assert_eq!(counted(&book, end - 1), (40, 30));
    assert_eq!(counted(&book, end), (0, 0));
    assert!(figures_of(&book, "a", "20801", end).is_none(), "its place is free");
}

#[test]
fn a_pause_longer_than_all_that_is_kept_leaves_nothing_behind() {
    let book = book(&[(0, 40, 30, 4), (30 * HOUR, 5, 5, 4)]);
    assert_eq!(counted(&book, 30 * HOUR + 10 * MINUTE), (5, 5));
    // A message of before the pause says nothing any more.
    book.count(&[fact("a", "20801", 0, Some(30 * HOUR))], at(30 * HOUR));
    assert_eq!(counted(&book, 30 * HOUR + 10 * MINUTE), (5, 5));
}

#[test]
fn a_busy_carrier_is_judged_by_the_last_minutes() {
    let book = book(&[(0, 2_000, 2_000, 4), (HOUR, 600, 0, 0), (HOUR + 6 * MINUTE, 600, 0, 0)]);
    assert_eq!(counted(&book, HOUR), (2_000, 2_000));
    assert_eq!(counted(&book, HOUR + 10 * MINUTE), (2_600, 2_000));
    assert_eq!(counted(&book, HOUR + 15 * MINUTE), (1_200, 0));
}

#[test]
fn more_is_never_delivered_than_taken() {
    let book = book(&[(0, 40, 50, 4), (6 * MINUTE, 10, 0, 0)]);
    assert_eq!(counted(&book, 20 * MINUTE), (50, 40));
}

#[test]
fn attempts_from_before_the_start_are_not_counted() {
    let book = Book::new(at(HOUR));
    book.count(
        &[fact("a", "20801", HOUR - 1, None), fact("a", "20801", HOUR, None)],
        at(HOUR),
    );
    assert_eq!(counted(&book, 2 * HOUR), (1, 0));
}

/// A connector whose clock is a day ahead must not make the router forget everything.
#[test]
fn a_clock_that_is_ahead_forgets_nothing() {
    let book = book(&[(0, 40, 30, 4)]);
    book.count(&[fact("a", "20801", 24 * HOUR, None)], at(MINUTE));
    assert_eq!(counted(&book, 10 * MINUTE), (41, 30));
}

#[test]
fn pairs_are_counted_apart() {
    let book = book(&[(0, 40, 30, 4)]);
    book.count(&[fact("b", "20801", 0, None), fact("a", "20810", 0, None)], at(0));
    let attempts = |carrier, network| figures_of(&book, carrier, network, 10 * MINUTE).map(|one| one.attempts);
    assert_eq!((attempts("b", "20801"), attempts("a", "20810")), (Some(1), Some(1)));
    assert_eq!((attempts("b", "20810"), attempts("a", "20801")), (None, Some(40)));
}

#[test]
fn the_p95_is_told_to_within_a_tenth() {
    let book = book(&[(0, 100, 94, 4), (1, 100, 6, 80)]);
    assert!((80.0..=88.0).contains(&p95(&book, 10 * MINUTE)));
    book.count(
        &[fact("a", "20801", 0, Some(1)), fact("a", "20801", 0, Some(0))],
        at(90),
    );
    for _ in 0..20 {
        book.count(&[fact("a", "20801", 0, Some(4))], at(90));
    }
    assert!(
        (4.0..=4.4).contains(&p95(&book, 10 * MINUTE)),
        "six in 122 are fewer than five in a hundred"
    );
    let slow = self::book(&[(0, 100, 100, 3 * HOUR)]);
    assert!(p95(&slow, 3 * HOUR) >= 3_600.0, "beyond an hour nobody is told apart");
}

#[test]
fn old_times_to_delivery_give_way_to_new_ones() {
    let book = book(&[(0, 1_000, 1_000, 60), (1, 1_000, 1_000, 4)]);
    assert!(p95(&book, 10 * MINUTE) >= 60.0, "half of them are slow");
    book.count(&vec![fact("a", "20801", 2, Some(4)); 1_000], at(90));
    assert!(
        p95(&book, 10 * MINUTE) <= 4.4,
        "those in place of which others came are gone"
    );
    let quiet = self::book(&[(0, 40, 40, 60), (5 * HOUR, 1, 1, 4)]);
    assert!(p95(&quiet, 5 * HOUR) <= 4.4, "five hours later they say nothing");
    let quiet = self::book(&[(0, 40, 40, 60), (3 * HOUR, 1, 1, 4)]);
    assert!(p95(&quiet, 3 * HOUR) >= 60.0);
}

#[test]
fn no_more_pairs_are_counted_than_fit_and_the_idle_make_room() {
    let book = Book::new(START);
    let networks = (0..PAIRS_MAX).map(|at| format!("{:03}{:03}", at / 1_000, at % 1_000));
    let facts: Vec<_> = networks.map(|network| fact("a", &network, 0, None)).collect();
    book.count(&facts, at(0));
    book.count(&[fact("b", "20801", 0, None)], at(0));
    assert_eq!(figures_of(&book, "b", "20801", 10 * MINUTE), None);
    assert!(figures_of(&book, "a", "000001", 10 * MINUTE).is_some());
    book.refresh(at(5 * HOUR));
    book.count(&[fact("b", "20801", 5 * HOUR, None)], at(5 * HOUR));
    assert!(figures_of(&book, "b", "20801", 5 * HOUR).is_some());
}

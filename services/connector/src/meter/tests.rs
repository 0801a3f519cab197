//! Waits and paces over counts of one second.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn queue(orders: u64, left: u64) -> Queue {
    Queue { orders, left }
}

/// A lane with these counts, one a second.
fn lane(counts: &[(u64, u64)]) -> LanePace {
    let mut lane = LanePace::default();
    for (orders, left) in counts {
        lane.count(SECOND, queue(*orders, *left), true);
    }
    lane
}

#[test]
fn an_empty_lane_has_no_wait() {
    assert_eq!(lane(&[]).wait(queue(0, 0), None), Some(Duration::ZERO));
}

#[test]
fn a_backlog_waits_as_long_as_the_lane_took_for_as_many() {
    let busy = lane(&[(100, 0), (90, 10), (80, 20)]);
    assert_eq!(busy.wait(queue(80, 20), Some(1_000)), Some(SECOND * 8));
}

#[test]
fn seconds_without_a_backlog_say_nothing_of_the_pace() {
    let idle = lane(&[(0, 1), (0, 2), (0, 3)]);
    assert_eq!(idle.wait(queue(50, 3), None), None);
    assert_eq!(idle.wait(queue(50, 3), Some(10)), Some(SECOND * 5));
    let then_busy = lane(&[(0, 1), (0, 2), (500, 3), (400, 103)]);
    assert_eq!(then_busy.wait(queue(400, 103), Some(10)), Some(SECOND * 4));
}

/// Hundreds of orders must not look like hours.
#[test]
fn a_lane_that_stands_still_waits_longer_by_the_time_that_it_stands() {
    let still = |seconds: usize| {
        let mut counts = vec![(500, 0), (400, 100)];
        counts.extend(vec![(400, 100); seconds]);
        lane(&counts).wait(queue(400, 100), Some(200))
    };
    assert_eq!(still(COUNTS_MAX), Some(SECOND * 7), "at its limit, once it moves");
    assert_eq!(still(60), Some(SECOND * 62));
    let mut counts = vec![(500, 0), (400, 100)];
    counts.extend([(400, 100); COUNTS_MAX]);
    let wait = lane(&counts).wait(queue(400, 100), None).unwrap();
    assert!(
        wait <= SECOND * 25,
        "the pace of the last seconds in which it moved: {wait:?}"
    );
    let never = |seconds: usize| lane(&vec![(10, 0); seconds]).wait(queue(10, 0), None);
    assert_eq!((never(1), never(3)), (None, Some(SECOND * 2)), "it never moved");
}

#[test]
fn seconds_in_which_a_lane_could_not_move_say_nothing_of_the_pace() {
    let mut lane = lane(&[(500, 0), (400, 100)]);
    lane.count(SECOND, queue(400, 100), false);
    assert_eq!(lane.wait(queue(400, 100), None), Some(SECOND * 4));
}

#[test]
fn what_was_long_ago_is_forgotten() {
    let mut counts = vec![(1_000, 0), (900, 100)];
    counts.extend((2..8).map(|second| (900 - second, 100 + second)));
    assert_eq!(lane(&counts).wait(queue(60, 107), None), Some(SECOND * 60));
}

#[test]
fn a_pace_is_the_mean_of_the_last_seconds() {
    let mut pace = Pace::default();
    assert_eq!(pace.per_second(), 0.0);
    for total in [100, 110, 120, 130, 140, 150] {
        pace.count(SECOND, total);
    }
    assert_eq!(pace.per_second(), 10.0);
}

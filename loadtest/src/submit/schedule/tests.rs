//! When messages are due, held by arithmetic alone.

use std::time::Duration;

use super::*;

#[tokio::test(start_paused = true)]
async fn connections_share_the_rate_and_leave_no_message_out() {
    let schedule = Schedule::starting_now(1_000, 10, 3);
    assert_eq!([0, 1, 2].map(|connection| schedule.messages_of(connection)), [4, 3, 3]);
    let mut places: Vec<u64> = (0..3)
        .flat_map(|c| (0..schedule.messages_of(c)).map(move |own| schedule.place(c, own)))
        .collect();
    places.sort_unstable();
    assert_eq!(places, (0..10).collect::<Vec<_>>());
    assert_eq!(schedule.due(7) - schedule.due(0), Duration::from_millis(7));
}

/// Asks at the very moment each message is due and a little before, for rates that do and do not divide a second.
#[tokio::test(start_paused = true)]
async fn a_message_is_due_from_its_moment_on() {
    for rate in [1, 3, 7_000, 1_000_000] {
        let schedule = Schedule::starting_now(rate, 1_000, 4);
        for own in 0..schedule.messages_of(1) {
            // The moment is cut to whole nanoseconds, so the next one is past it for certain.
            let due = schedule.due(schedule.place(1, own)) + Duration::from_nanos(1);
            assert_eq!(schedule.due_until(1, due), own + 1, "rate {rate}");
            assert_eq!(
                schedule.due_until(1, due - Duration::from_nanos(10)),
                own,
                "rate {rate}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_due_beyond_the_last() {
    let schedule = Schedule::starting_now(10, 5, 2);
    let late = schedule.due(0) + Duration::from_secs(3_600);
    assert_eq!((schedule.due_until(0, late), schedule.due_until(1, late)), (3, 2));
}

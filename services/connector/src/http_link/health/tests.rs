//! How a link without a connection stands, with made-up time.

use service::time;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn health() -> Health {
    Health::new(SECOND..=SECOND * 4, SECOND * 300, Dice::seeded(1))
}

#[test]
fn three_failures_in_a_row_are_a_carrier_that_is_away_and_an_answer_between_is_not() {
    let (mut health, now) = (health(), time::now());
    for _ in 0..5 {
        assert_eq!((health.unreachable(now), health.unreachable(now)), (None, None));
        health.answered();
    }
    health.unreachable(now);
    health.unreachable(now);
    assert!(health.unreachable(now).is_some_and(|wait| wait <= SECOND));
    assert!(!health.is_up());
    assert_eq!(health.unreachable(now), None, "it is down already");
    assert_eq!(health.due(now + SECOND), Some(Due::Knock));
    health.rise();
    assert!(
        health.is_up() && health.unreachable(now).is_some(),
        "one more failure is enough then"
    );
}

/// Draws 200 waits.
#[test]
fn waits_grow_to_the_longest_and_are_spread() {
    let (mut health, now) = (health(), time::now());
    let waits: Vec<Duration> = (0..200).map(|_| health.away(now)).collect();
    assert!(waits[0] <= SECOND && waits[1] <= SECOND * 2 && waits.iter().all(|wait| *wait <= SECOND * 4));
    assert!(waits.iter().any(|wait| *wait > SECOND * 3) && waits.iter().any(|wait| *wait < SECOND / 2));
}

#[test]
fn refused_credentials_are_tried_again_after_minutes() {
    let (mut health, now) = (health(), time::now());
    assert_eq!((health.refused(now), health.refused(now)), (Some(SECOND * 300), None));
    assert_eq!(
        (health.due(now + SECOND * 299), health.due(now + SECOND * 300)),
        (None, Some(Due::Rise))
    );
}

#[test]
fn the_longest_wish_to_be_left_alone_counts_up_to_a_minute() {
    let (mut health, now) = (health(), time::now());
    let rule = crate::UNMAPPED;
    health.rest(now, SECOND * 9, rule, "first".to_owned());
    health.rest(now, SECOND * 2, rule, "second".to_owned());
    assert_eq!(
        health.resting(now + SECOND * 8).map(|rest| rest.detail.as_str()),
        Some("first")
    );
    assert_eq!(health.resting(now + SECOND * 9), None);
    health.rest(now, SECOND * 3_600, rule, "third".to_owned());
    assert!(health.resting(now + SECOND * 59).is_some() && health.resting(now + SECOND * 60).is_none());
}

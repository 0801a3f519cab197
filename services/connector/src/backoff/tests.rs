//! How long a link waits before it connects again.

use super::*;

fn backoff() -> Backoff {
    Backoff::new(
        Duration::from_secs(1)..=Duration::from_secs(60),
        Duration::from_secs(300),
        Dice::seeded(7),
    )
}

#[test]
fn waits_grow_up_to_the_most_and_are_spread() {
    let mut backoff = backoff();
    for ceiling in [1, 2, 4, 8, 16, 32, 60, 60] {
        assert!(backoff.next(None) <= Duration::from_secs(ceiling));
    }
    let waits: Vec<_> = (0..100).map(|_| backoff.next(None).as_secs()).collect();
    assert!(
        waits.iter().any(|wait| *wait < 15) && waits.iter().any(|wait| *wait > 45),
        "{waits:?}"
    );
}

#[test]
fn a_connection_that_held_starts_over_and_one_that_did_not_goes_on() {
    let mut backoff = backoff();
    for _ in 0..10 {
        backoff.next(Some(Duration::from_secs(1)));
    }
    assert_eq!(backoff.ceiling, Duration::from_secs(60));
    backoff.next(Some(Duration::from_secs(6)));
    assert_eq!(backoff.ceiling, Duration::from_secs(2));
}

#[test]
fn refused_credentials_wait_long_at_once() {
    assert_eq!(backoff().refused(), Duration::from_secs(300));
}

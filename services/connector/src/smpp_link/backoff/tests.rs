//! How long a link waits before it connects again.

use super::*;

fn end(bound_for: Option<u64>, is_refused: bool) -> End {
    End {
        reason: String::new(),
        is_closing: false,
        bound_for: bound_for.map(Duration::from_secs),
        is_refused,
    }
}

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
        assert!(backoff.next(&end(None, false)) <= Duration::from_secs(ceiling));
    }
    let waits: Vec<_> = (0..100).map(|_| backoff.next(&end(None, false)).as_secs()).collect();
    assert!(
        waits.iter().any(|wait| *wait < 15) && waits.iter().any(|wait| *wait > 45),
        "{waits:?}"
    );
}

#[test]
fn a_bind_that_held_starts_over_and_one_that_did_not_goes_on() {
    let mut backoff = backoff();
    for _ in 0..10 {
        backoff.next(&end(Some(1), false));
    }
    assert_eq!(backoff.ceiling, Duration::from_secs(60));
    backoff.next(&end(Some(6), false));
    assert_eq!(backoff.ceiling, Duration::from_secs(2));
}

#[test]
fn a_refused_bind_waits_long_at_once() {
    assert_eq!(backoff().next(&end(None, true)), Duration::from_secs(300));
}

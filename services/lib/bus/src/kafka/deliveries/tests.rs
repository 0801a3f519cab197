//! When publishes count as failing.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn some_time() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "an instant is made in no other way")]
    Instant::now()
}

#[test]
fn a_log_that_nothing_was_published_to_is_fine() {
    assert_eq!(Deliveries::default().failing(some_time()), None);
}

#[test]
fn a_failure_counts_until_a_record_is_kept() {
    let (deliveries, now) = (Deliveries::default(), some_time());
    deliveries.failed("no rights".to_owned(), now);
    let failed = Some(Failing::Failed("no rights".to_owned()));
    assert_eq!(deliveries.failing(now + 59 * SECOND), failed);
    deliveries.kept(now + SECOND);
    assert_eq!(deliveries.failing(now + SECOND), None);
}

#[test]
fn a_failure_that_nothing_followed_counts_a_minute() {
    let (deliveries, now) = (Deliveries::default(), some_time());
    deliveries.failed("no rights".to_owned(), now);
    assert_eq!(deliveries.failing(now + 60 * SECOND), None);
}

#[test]
fn the_oldest_publish_counts_once_it_is_late() {
    let (deliveries, now) = (Deliveries::default(), some_time());
    let (old, new) = (Topic::new("old"), Topic::new("new"));
    let first = deliveries.begin(&old, now);
    deliveries.begin(&new, now + 3 * SECOND);
    assert_eq!(deliveries.failing(now + 4 * SECOND), None);
    let late = Some(Failing::Late(old, 5 * SECOND));
    assert_eq!(deliveries.failing(now + 5 * SECOND), late);
    deliveries.end(first);
    deliveries.end(first);
    assert_eq!(deliveries.failing(now + 7 * SECOND), None);
    assert_eq!(
        deliveries.failing(now + 8 * SECOND),
        Some(Failing::Late(new, 5 * SECOND))
    );
}

#[test]
fn a_publish_may_wait_longer_while_others_are_kept() {
    let (deliveries, now) = (Deliveries::default(), some_time());
    let topic = Topic::new("t");
    deliveries.begin(&topic, now);
    deliveries.kept(now + 6 * SECOND);
    assert_eq!(deliveries.failing(now + 10 * SECOND), None);
    deliveries.kept(now + 14 * SECOND);
    assert_eq!(deliveries.failing(now + 14 * SECOND), None);
    let late = Some(Failing::Late(topic, 15 * SECOND));
    assert_eq!(deliveries.failing(now + 15 * SECOND), late);
}

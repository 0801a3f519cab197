//! The token bucket over time.

use super::*;
use service::time;

#[tokio::test(start_paused = true)]
async fn over_ten_seconds_no_more_than_the_rate_and_one_burst_pass() {
    let mut bucket = Bucket::new(Some(50), time::now());
    let start = time::now();
    let mut sent = 0;
    while time::now().duration_since(start) < Duration::from_secs(10) {
        bucket.fill(time::now());
        while bucket.is_open(Lane::Bulk) {
            bucket.take(1, Lane::Bulk);
            sent += 1;
        }
        time::sleep(bucket.opens_in(Lane::Bulk).max(Duration::from_millis(1))).await;
    }
    assert!((495..=505).contains(&sent), "{sent}");
}

#[tokio::test(start_paused = true)]
async fn a_long_message_is_paid_for_before_the_next_one_goes() {
    let mut bucket = Bucket::new(Some(10), time::now());
    bucket.take(11, Lane::Bulk);
    assert!(!bucket.is_open(Lane::Bulk));
    time::sleep(Duration::from_millis(1_050)).await;
    bucket.fill(time::now());
    assert!(!bucket.is_open(Lane::Bulk));
    time::sleep(Duration::from_millis(100)).await;
    bucket.fill(time::now());
    assert!(bucket.is_open(Lane::Bulk));
}

#[tokio::test(start_paused = true)]
async fn without_a_rate_there_is_no_wait() {
    let mut bucket = Bucket::new(None, time::now());
    bucket.take(1_000_000, Lane::Bulk);
    assert!(bucket.is_open(Lane::Bulk));
    assert_eq!(bucket.opens_in(Lane::Bulk), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_password_does_not_pay_for_the_long_message_before_it() {
    let mut bucket = Bucket::new(Some(10), time::now());
    bucket.take(20, Lane::Bulk);
    assert!(bucket.is_open(Lane::Urgent) && !bucket.is_open(Lane::Normal));
    bucket.take(1, Lane::Urgent);
    assert!(!bucket.is_open(Lane::Urgent));
    assert_eq!(
        bucket.opens_in(Lane::Urgent),
        Duration::from_secs(1),
        "a tenth of the rate"
    );
    assert_eq!(bucket.opens_in(Lane::Bulk), Duration::from_secs_f64(2.1));
}

#[tokio::test(start_paused = true)]
async fn what_is_reserved_adds_nothing_to_the_rate() {
    let mut bucket = Bucket::new(Some(50), time::now());
    let start = time::now();
    let mut sent = 0;
    while time::now().duration_since(start) < Duration::from_secs(10) {
        bucket.fill(time::now());
        while bucket.is_open(Lane::Bulk) {
            bucket.take(10, Lane::Bulk);
            sent += 10;
        }
        while bucket.is_open(Lane::Urgent) {
            bucket.take(1, Lane::Urgent);
            sent += 1;
        }
        time::sleep(Duration::from_millis(5)).await;
    }
    assert!((495..=517).contains(&sent), "{sent}");
}

#[test]
fn a_rate_is_divided_among_those_that_use_it() {
    let mut one = Share::default();
    let mut other = one.clone();
    assert_eq!(one.of(1_000), 1_000.0, "nobody does");
    one.set_used(true);
    one.set_used(true);
    assert_eq!(other.of(1_000), 1_000.0);
    other.set_used(true);
    assert_eq!((one.of(1_000), one.clone().of(1_000)), (500.0, 500.0));
    one.set_used(false);
    assert_eq!(other.of(1_000), 1_000.0);
    one.set_used(true);
    drop(one);
    assert_eq!(other.of(1_000), 1_000.0, "one that is gone uses nothing");
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_what_flows_in_within_a_span() {
    let span = Duration::from_millis(5);
    let mut bucket = Bucket::new(Some(1_000), time::now());
    bucket.take(96, Lane::Bulk);
    assert!(bucket.is_open(Lane::Bulk) && !bucket.holds(span), "4 of 5");
    time::sleep(Duration::from_millis(1)).await;
    bucket.fill(time::now());
    assert!(bucket.holds(span));
    assert!(Bucket::new(None, time::now()).holds(span));
}

/// A slow link holds one part at the most, and that is its batch.
#[tokio::test(start_paused = true)]
async fn a_full_bucket_holds_a_batch_whatever_the_span() {
    for rate in [1, 9, 100, 100_000] {
        assert!(
            Bucket::new(Some(rate), time::now()).holds(Duration::from_secs(1)),
            "{rate}"
        );
    }
}

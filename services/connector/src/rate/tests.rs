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
        while bucket.is_open() {
            bucket.take(1);
            sent += 1;
        }
        time::sleep(bucket.opens_in().max(Duration::from_millis(1))).await;
    }
    assert!((495..=505).contains(&sent), "{sent}");
}

#[tokio::test(start_paused = true)]
async fn a_long_message_is_paid_for_before_the_next_one_goes() {
    let mut bucket = Bucket::new(Some(10), time::now());
    bucket.take(11);
    assert!(!bucket.is_open());
    time::sleep(Duration::from_millis(1_050)).await;
    bucket.fill(time::now());
    assert!(!bucket.is_open());
    time::sleep(Duration::from_millis(100)).await;
    bucket.fill(time::now());
    assert!(bucket.is_open());
}

#[tokio::test(start_paused = true)]
async fn without_a_rate_there_is_no_wait() {
    let mut bucket = Bucket::new(None, time::now());
    bucket.take(1_000_000);
    assert!(bucket.is_open());
    assert_eq!(bucket.opens_in(), Duration::ZERO);
}

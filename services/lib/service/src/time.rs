//! Waiting. Under a paused tokio runtime every wait is virtual.
#![expect(clippy::disallowed_methods, reason = "this is where waiting is allowed")]

use std::time::Duration;

pub use tokio::time::Instant;
use tokio::time::{Interval, MissedTickBehavior};

/// Waits for `duration`. Cancel-safe.
pub async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// Waits until `deadline`. Cancel-safe.
pub async fn sleep_until(deadline: Instant) {
    tokio::time::sleep_until(deadline).await;
}

/// The output of `future`, or `None` if `limit` passes first.
pub async fn timeout<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    tokio::time::timeout(limit, future).await.ok()
}

/// The monotonic present, for measuring spans.
pub fn now() -> Instant {
    Instant::now()
}

/// Ticks every `period`, first after one period; late ticks are not made up for.
pub fn every(period: Duration) -> Interval {
    let mut interval = tokio::time::interval_at(Instant::now() + period, period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

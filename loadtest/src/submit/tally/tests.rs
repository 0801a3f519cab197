//! What is counted, and how often.

use super::*;

/// One stall of a second under ten messages, one due every 100 ms: nine of them waited, and all of them count.
#[tokio::test(start_paused = true)]
#[expect(clippy::disallowed_methods, reason = "the clock of this test is paused")]
async fn latency_counts_from_the_moment_a_message_was_due() {
    let start = Instant::now();
    let after = start + Duration::from_secs(1);
    let mut tally = Tally::default();
    for message in 0..10 {
        tally.accept(1, start + Duration::from_millis(100) * message, after);
    }
    assert!(tally.latency.value_at_quantile(0.5).abs_diff(500_000) <= 1_000);
    assert!(tally.latency.max().abs_diff(1_000_000) <= 1_000);
}

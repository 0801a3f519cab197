//! The end of a run: receipts that carriers still have are handed over.

use std::time::Duration;

use service::time;

/// Longest wait for them.
const TIMEOUT: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Waits until none `are_waiting` at carriers, for half a minute at the most: what is left then is the books' to tell.
pub(crate) async fn handed_over(are_waiting: impl Fn() -> bool) {
    let waiting = async {
        while are_waiting() {
            time::sleep(LOOK_EVERY).await;
        }
    };
    let _ = time::timeout(TIMEOUT, waiting).await;
}

//! A start that is asked to stop.

use super::*;

#[tokio::test]
async fn a_start_that_stands_still_is_given_up_when_it_is_asked_to_stop_and_any_other_is_finished() {
    let (handle, stop) = Stop::new();
    let started = unless_stopped(&stop, async { "started" }).await;
    handle.request();
    let stands_still = unless_stopped(&stop, std::future::pending::<()>()).await;
    let is_through = unless_stopped(&stop, async { "started" }).await;
    assert_eq!(
        (started, stands_still, is_through),
        (Some("started"), None, Some("started"))
    );
}

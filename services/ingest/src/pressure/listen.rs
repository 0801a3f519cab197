//! Follows the `carriers` topic. From its end on: what is worth knowing is said again within a second.

use std::time::Duration;

use bus::{ConsumeError, Position};
use service::{Deps, Seldom, Stop, time};
use signalbox_proto::topics;
use tracing::warn;

use super::Pressure;

/// Words taken at once.
const RECORDS_MAX: usize = 1_000;
/// Wait before a log that is away is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// A log that is away is found out at every try.
static TOLD: Seldom = Seldom::new();

/// Keeps `pressure` up to date until `stop`. While the log cannot be read nothing is known, and nothing is refused.
pub async fn keep_pressure(pressure: Pressure, deps: Deps, stop: Stop) {
    let following = async {
        loop {
            match follow(&pressure, &deps).await {
                ConsumeError::Closed => return,
                error if TOLD.is_due("carriers") => {
                    warn!(%error, "cannot read what routers have before them, trying again");
                }
                _ => {}
            }
            time::sleep(RETRY).await;
        }
    };
    tokio::select! {
        biased;
        () = stop.requested() => {}
        () = following => {}
    }
}

/// Takes words as they come, until the log fails.
async fn follow(pressure: &Pressure, deps: &Deps) -> ConsumeError {
    let mut reader = match deps.bus.read(&topics::carriers(), Position::End).await {
        Ok(reader) => reader,
        Err(error) => return error,
    };
    loop {
        match reader.next(RECORDS_MAX).await {
            Ok(records) => pressure.learn(&records, deps.clock.now()),
            Err(error) => return error,
        }
    }
}

//! Follows the `carriers` topic. What stood there before tells the log's time and nothing else: what is worth knowing is said
//! again within a second. Where nobody speaks a word of ours, which says nothing, tells the log's time.

use std::time::Duration;

use bus::{ConsumeError, Position, PublishError, Read, Record};
use service::{Deps, Seldom, Stop, time};
use signalbox_proto::{record, topics};
use tracing::warn;

use super::Pressure;

/// Words taken at once.
const RECORDS_MAX: usize = 1_000;
/// Wait before a log that is away is tried again.
const RETRY: Duration = Duration::from_millis(500);
/// Longest wait for what stands on the topic before anything is accepted.
const FIRST_MAX: Duration = Duration::from_secs(5);

/// So long after the last word ours is said: connectors speak every second.
const SILENCE: Duration = Duration::from_secs(2);

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

/// Hears the log's time before anything is accepted. Where the log cannot be read, nothing is until [`keep_pressure`] has heard
/// it.
pub async fn hear_first(pressure: &Pressure, deps: &Deps) {
    pressure.0.log.known(false);
    let heard = time::timeout(FIRST_MAX, kept(pressure, deps)).await;
    if !matches!(heard, Some(Ok(_))) {
        warn!("the log's time is not known yet: nothing is accepted until it is");
    }
}

/// A reader at the end of what stands there, our word included, of which the log's time is learnt.
async fn kept(pressure: &Pressure, deps: &Deps) -> Result<Box<dyn Read>, ConsumeError> {
    say(deps).await?;
    let mut reader = deps.bus.read(&topics::carriers(), Position::Start).await?;
    let mut records = reader.next(RECORDS_MAX).await?;
    while !records.is_empty() {
        pressure.learn_time(&records);
        records = reader.poll(RECORDS_MAX).await?;
    }
    pressure.0.log.known(true);
    Ok(reader)
}

/// Says a word of which nothing counts but when the log takes it. Returns once it is there.
async fn say(deps: &Deps) -> Result<(), ConsumeError> {
    let word = Record::new(record::time_key().0, record::time_word_to_bytes());
    let said = async { deps.bus.publish(&topics::carriers(), vec![word]).await?.await };
    said.await.map_err(|error| match error {
        PublishError::Closed => ConsumeError::Closed,
        error => ConsumeError::Away(error.to_string()),
    })
}

/// Takes words as they come, until the log fails.
async fn follow(pressure: &Pressure, deps: &Deps) -> ConsumeError {
    let mut reader = match kept(pressure, deps).await {
        Ok(reader) => reader,
        Err(error) => return error,
    };
    loop {
        match time::timeout(SILENCE, reader.next(RECORDS_MAX)).await {
            Some(Ok(records)) => pressure.learn(&records, deps.clock.now()),
            Some(Err(error)) => return error,
            None => {
                if let Err(error) = say(deps).await {
                    return error;
                }
            }
        }
    }
}

//! Reads the `carriers` topic: all that is kept there before the first decision, then every word as it comes.

use std::{sync::Arc, time::Duration};

use bus::{ConsumeError, Position, Read};
use service::{Stop, time};
use signalbox_proto::topics;
use tracing::warn;

use crate::{
    Error,
    desk::{Desk, RETRY},
};

/// Longest wait before the first decision; whoever is not known by then is not refused.
const CATCH_UP_LIMIT: Duration = Duration::from_secs(5);
/// Records taken at once.
const RECORDS_MAX: usize = 1_000;
/// How often the metrics are brought up to date: silence changes them too.
const SHOW_EVERY: Duration = Duration::from_secs(1);

/// Reads all there is, unless that takes too long: then `None`, and [`follow`] goes on from the start.
pub(crate) async fn catch_up(desk: &Arc<Desk>) -> Option<Box<dyn Read>> {
    match time::timeout(CATCH_UP_LIMIT, read_up(desk)).await {
        Some(Ok(reader)) => Some(reader),
        Some(Err(error)) => {
            warn!(%error, "cannot read how the carriers stand, starting without");
            None
        }
        None => {
            warn!("the log did not tell how the carriers stand in time, starting without");
            None
        }
    }
}

/// Follows the topic until `stop`, from where `reader` got to.
pub(crate) async fn follow(desk: Arc<Desk>, reader: Option<Box<dyn Read>>, stop: Stop) -> Result<(), Error> {
    let following = async {
        let mut reader = reader;
        loop {
            let mut open = match reader.take() {
                Some(reader) => reader,
                None => read_up(&desk).await?,
            };
            if let Err(error) = listen(&desk, &mut *open).await {
                lost(error).await?;
            }
        }
    };
    tokio::select! {
        biased;
        () = stop.requested() => Ok(()),
        ended = following => ended,
    }
}

/// A reader at the end of all there is. Tries until the log lets it, unless the log is closed.
async fn read_up(desk: &Arc<Desk>) -> Result<Box<dyn Read>, Error> {
    loop {
        match desk.bus().read(&topics::carriers(), Position::Start).await {
            Ok(mut reader) => match drain(desk, &mut *reader).await {
                Ok(()) => return Ok(reader),
                Err(error) => lost(error).await?,
            },
            Err(error) => lost(error).await?,
        }
    }
}

async fn drain(desk: &Arc<Desk>, reader: &mut dyn Read) -> Result<(), ConsumeError> {
    loop {
        let records = reader.poll(RECORDS_MAX).await?;
        if records.is_empty() {
            return Ok(());
        }
        desk.carriers.learn(&records, desk.now(), false);
    }
}

/// Takes words as they come, until the log fails.
async fn listen(desk: &Arc<Desk>, reader: &mut dyn Read) -> Result<(), ConsumeError> {
    let mut show = time::every(SHOW_EVERY);
    loop {
        tokio::select! {
            biased;
            _ = show.tick() => desk.carriers.show(desk.now()),
            records = reader.next(RECORDS_MAX) => desk.carriers.learn(&records?, desk.now(), true),
        }
    }
}

/// Waits a moment; only a log that was closed stays lost.
async fn lost(error: ConsumeError) -> Result<(), Error> {
    if error == ConsumeError::Closed {
        return Err(error.into());
    }
    warn!(%error, "cannot read how the carriers stand, trying again");
    time::sleep(RETRY).await;
    Ok(())
}

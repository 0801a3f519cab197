//! Reads the `carriers` topic: all that is kept there before the first decision, then every word as it comes.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use bus::{ConsumeError, Position, Read};
use service::{Stop, time};
use signalbox_proto::topics;
use sms::{CarrierName, UnixMs};
use tracing::warn;

use crate::{
    Error,
    desk::{Desk, RETRY, TOLD},
};

/// Longest wait before the first decision; whoever is not known by then is not refused.
const CATCH_UP_LIMIT: Duration = Duration::from_secs(5);
/// Records taken at once.
const RECORDS_MAX: usize = 1_000;
/// How often the metrics are brought up to date: silence changes them too.
const SHOW_EVERY: Duration = Duration::from_secs(1);

/// Carriers that were warned about, and the table they were of.
#[derive(Default)]
struct Told {
    table: String,
    carriers: BTreeSet<CarrierName>,
}

impl Told {
    /// Warns of carriers of the table in force that nobody ever spoke of, once for each table.
    fn warn(&mut self, desk: &Desk) {
        let table = desk.table.snapshot();
        if self.table != table.version() {
            (self.table, self.carriers) = (table.version().to_owned(), BTreeSet::new());
        }
        let names = table.carriers().iter().map(|carrier| carrier.name());
        for carrier in desk.carriers.unheard(names) {
            if self.carriers.insert(carrier.clone()) {
                warn!(%carrier, "no connector speaks of this carrier: it gets no orders until one does");
            }
        }
    }
}

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
        let mut told = Told::default();
        loop {
            let mut open = match reader.take() {
                Some(reader) => reader,
                None => read_up(&desk).await?,
            };
            if let Err(error) = listen(&desk, &mut *open, &mut told).await {
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
async fn listen(desk: &Arc<Desk>, reader: &mut dyn Read, told: &mut Told) -> Result<(), ConsumeError> {
    let mut show = time::every(SHOW_EVERY);
    loop {
        tokio::select! {
            biased;
            _ = show.tick() => {
                let table = desk.table.snapshot();
                let enabled = table.carriers().iter().filter(|carrier| carrier.is_enabled());
                desk.carriers.show(enabled.map(|carrier| carrier.name()), desk.now());
                told.warn(desk);
            }
            records = reader.next(RECORDS_MAX) => {
                let (records, here) = (records?, time::now());
                if let Some(last) = records.last() {
                    desk.epochs.log.hear(UnixMs(last.stored_at_ms), here);
                }
                desk.carriers.learn(&records, desk.now(), true);
            }
        }
    }
}

/// Waits a moment; only a log that was closed stays lost.
async fn lost(error: ConsumeError) -> Result<(), Error> {
    if error == ConsumeError::Closed {
        return Err(error.into());
    }
    if TOLD.is_due("carriers") {
        warn!(%error, "cannot read how the carriers stand, trying again");
    }
    time::sleep(RETRY).await;
    Ok(())
}

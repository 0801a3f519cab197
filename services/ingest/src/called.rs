//! Counts inbound messages by whether an account owns the number they called: once each, however many processes of ingest
//! there are, as they read as one group. What nobody owns stays on the log for whoever is given the number.

use std::{sync::Arc, time::Duration};

use bus::{Batch, ConsumeError, Subscribe};
use service::{Deps, Seldom, Stop, time};
use signalbox_proto::{record, topics};
use sms::Msisdn;
use tracing::warn;

use crate::{Directory, metrics};

/// Who counts together.
const GROUP: &str = "ingest.inbound";
/// Messages read at a time.
const BATCH_RECORDS: usize = 500;
/// Wait before the log is asked again.
const RETRY: Duration = Duration::from_secs(5);

/// A number that nobody owns is seldom called once.
static TOLD: Seldom = Seldom::new();

/// Counts until `stop`.
pub(crate) async fn count_called(directory: Arc<Directory>, deps: Deps, stop: Stop) {
    loop {
        let counting = count(&directory, &deps);
        tokio::select! {
            biased;
            () = stop.requested() => return,
            ended = counting => if let Err(error) = ended
                && TOLD.is_due("away")
            {
                warn!(%error, "cannot count inbound messages, trying again");
            },
        }
        tokio::select! {
            biased;
            () = stop.requested() => return,
            () = time::sleep(RETRY) => {}
        }
    }
}

async fn count(directory: &Directory, deps: &Deps) -> Result<(), ConsumeError> {
    let mut member: Box<dyn Subscribe> = deps.bus.subscribe(GROUP, &[topics::inbound()]).await?;
    loop {
        let batch = member.next_batch(BATCH_RECORDS).await?;
        look(directory, &batch);
        match member.ack(&batch.delivered).await {
            // Another process counts it too: rather twice than never.
            Ok(()) | Err(ConsumeError::Revoked(..)) => {}
            Err(error) => return Err(error),
        }
    }
}

fn look(directory: &Directory, batch: &Batch) {
    let (mut owned, mut unowned) = (0, 0);
    for record in &batch.records {
        // Streams put aside what cannot be read.
        let Ok(inbound) = record::inbound_from_bytes(&record.value) else {
            continue;
        };
        if directory.is_owned(&inbound.carriers, &inbound.to) {
            owned += 1;
            continue;
        }
        unowned += 1;
        if TOLD.is_due("unowned") {
            let number = Msisdn::new(&inbound.to).map_or_else(|_| "no number".to_owned(), |number| number.masked());
            warn!(carrier = %inbound.carriers.first(), number, "messages come to a number that no account owns: give it to one in the accounts file");
        }
    }
    metrics::called(owned, unowned);
}

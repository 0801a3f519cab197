//! Guards the store: notices that it was lost, rebuilds it from the log unless another router does, and goes on under the
//! new epoch.

mod replay;
mod unread;

use std::{sync::Arc, time::Duration};

use bus::Position;
use service::{Stop, time};
use signalbox_proto::{keys, record, topics};
use sms::UnixMs;
use store::{Epoch, Op, Rebuild, Store, StoreError};
use tracing::{debug, info, warn};

use crate::{
    Error,
    desk::{Desk, TOLD},
    epochs::SKEW_MAX,
    metrics,
};
use replay::{Counts, Replay};

pub(crate) use unread::follow;

/// How often the store is asked for its epoch.
const LOOK: Duration = Duration::from_millis(250);
/// What was decided under the lost epoch is on the log this long after the loss was seen, or is decided anew.
const QUIET: Duration = Duration::from_secs(2);
/// Notes of rebuilds read at once.
const NOTES_MAX: usize = 100;
/// How long orders from before a loss may be somewhere: as long as the log keeps them.
const DOUBT_KEPT: Duration = topics::RETENTION_DEFAULT;

/// How often damaged states are looked for: each time reads the log from the oldest of their messages on.
const MEND_EVERY: Duration = Duration::from_secs(10);

/// What stands in the way of a rebuild.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    /// The store is away, or somebody else took over.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The log is away.
    #[error("{0}")]
    Read(#[from] bus::ConsumeError),
    /// The log is away.
    #[error("{0}")]
    Write(#[from] bus::PublishError),
}

/// Goes on under the epoch the store is in, if it is in one.
pub(crate) async fn begin(desk: &Arc<Desk>) {
    let begun = match desk.store().epoch().await {
        Ok(epoch) => adopt(desk, epoch).await,
        Err(StoreError::Lost) => note_loss(desk).await,
        Err(error) => Err(error.into()),
    };
    if let Err(trouble) = begun {
        debug!(%trouble, "the store is not ready yet");
    }
}

/// Notes that the store is lost, if there ever was one.
async fn note_loss(desk: &Arc<Desk>) -> Result<(), Trouble> {
    desk.epochs.lost(desk.now());
    if is_first(desk).await? {
        desk.epochs.is_first();
    }
    Ok(())
}

/// Guards until `stop`.
pub(crate) async fn guard(desk: Arc<Desk>, stop: Stop) -> Result<(), Error> {
    let mut is_lost = false;
    loop {
        let looked = tokio::select! {
            biased;
            () = stop.requested() => return Ok(()),
            looked = look(&desk, &mut is_lost) => looked,
        };
        if let Err(trouble) = looked
            && TOLD.is_due("rebuild")
        {
            warn!(%trouble, "the store is not ready, trying again");
        }
        tokio::select! {
            biased;
            () = stop.requested() => return Ok(()),
            () = time::sleep(LOOK) => {}
        }
    }
}

/// Makes states that were found damaged again from the log, until `stop`: without one a message would never end.
pub(crate) async fn mend(desk: Arc<Desk>, stop: Stop) -> Result<(), Error> {
    loop {
        tokio::select! {
            biased;
            () = stop.requested() => return Ok(()),
            () = time::sleep(MEND_EVERY) => {}
        }
        let damaged = desk.take_damaged();
        if damaged.is_empty() {
            continue;
        }
        let found = damaged.len();
        let mending = Replay::new(&desk, desk.store(), desk.now()).mend(damaged.clone());
        tokio::select! {
            biased;
            () = stop.requested() => return Ok(()),
            mended = mending => match mended {
                Ok(mended) => {
                    metrics::mended(mended);
                    warn!(found, mended, "states that were damaged are made again from the log");
                }
                Err(trouble) => {
                    warn!(found, %trouble, "damaged states cannot be made again yet, trying again");
                    damaged.into_iter().for_each(|message| desk.damaged(message));
                }
            },
        }
    }
}

/// Looks once at the epoch, and does what follows from it.
async fn look(desk: &Arc<Desk>, is_lost: &mut bool) -> Result<(), Trouble> {
    let epoch = desk.store().epoch().await;
    desk.epochs.heard(epoch.is_ok());
    match epoch {
        Ok(epoch) => {
            *is_lost = false;
            if !desk.epochs.is(&epoch) {
                adopt(desk, epoch).await?;
            }
            Ok(())
        }
        Err(StoreError::Lost) => {
            if !std::mem::replace(is_lost, true) {
                warn!("the store is lost or new: nothing is started until it is rebuilt from the log");
                note_loss(desk).await?;
            }
            match desk.store().rebuild().await? {
                // Nothing was started under the lost epoch after this instant; a later one errs on the safe side.
                Some(rebuild) => make(desk, rebuild, desk.now()).await,
                None => {
                    debug!("another router rebuilds the store");
                    Ok(())
                }
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// Goes on under `epoch`, with no case half done.
async fn adopt(desk: &Arc<Desk>, epoch: Epoch) -> Result<(), Trouble> {
    let _alone = desk.epochs.pause().await;
    // Should the store go away half way, nothing goes on by the rules of the epoch before.
    desk.epochs.left(desk.now());
    desk.store().adopt(&epoch);
    let found = desk.store().get(vec![keys::doubt(), keys::doubt_copy()]).await?;
    // One that cannot be read is no reason to doubt nothing: it is asked for again.
    let doubt = record::doubt_from_values(&found).map_err(|invalid| StoreError::Away(invalid.to_string()))?;
    debug!(epoch = epoch.word, "epoch adopted");
    desk.epochs.adopted(epoch, doubt.unwrap_or_default(), desk.now());
    Ok(())
}

/// Rebuilds the store and begins its epoch.
async fn make(desk: &Arc<Desk>, rebuild: Box<dyn Rebuild>, lost_at: UnixMs) -> Result<(), Trouble> {
    let (started, store) = (time::now(), rebuild.store());
    info!("rebuilding the store from the log");
    let is_first = is_first(desk).await?;
    // Before the epoch begins, so that whoever rebuilds after it knows that there was one.
    let note = bus::Record::new(0, record::rebuilt_to_bytes(lost_at));
    desk.bus().publish(&topics::store(), vec![note]).await?.await?;
    let noted_at = last_note(desk).await?;
    // The store must hear of its rebuilder, who would be thought dead.
    store.get(vec![keys::doubt()]).await?;
    let quiet = if is_first { Duration::ZERO } else { QUIET };
    let counts = Replay::new(desk, &*store, lost_at).run(quiet).await?;
    if !is_first {
        doubt(desk, &*store, noted_at).await?;
    }
    let epoch = rebuild.finish().await?;
    let took = time::now().duration_since(started);
    report(&counts, took);
    adopt(desk, epoch).await
}

/// Whether there never was an epoch: nobody can have started anything.
async fn is_first(desk: &Arc<Desk>) -> Result<bool, Trouble> {
    let mut notes = desk.bus().read(&topics::store(), Position::Start).await?;
    Ok(notes.poll(1).await?.is_empty())
}

/// When the log took the last note of a rebuild. That is after the loss, and by the clock that says when orders were stored,
/// which no other need agree with.
async fn last_note(desk: &Arc<Desk>) -> Result<UnixMs, Trouble> {
    let mut notes = desk.bus().read(&topics::store(), Position::Start).await?;
    let mut last = UnixMs(0);
    loop {
        let read = notes.poll(NOTES_MAX).await?;
        if read.is_empty() {
            return Ok(last);
        }
        last = read
            .iter()
            .map(|note| UnixMs(note.stored_at_ms))
            .fold(last, UnixMs::max);
    }
}

/// Says in the store which orders may have been started under the epoch that was lost: those stored before `noted_at`.
async fn doubt(desk: &Arc<Desk>, store: &dyn Store, noted_at: UnixMs) -> Result<(), StoreError> {
    let expires_at_ms = (desk.now() + DOUBT_KEPT).0;
    let put = |key| Op::Put {
        key,
        value: record::doubt_to_bytes(noted_at + SKEW_MAX),
        expires_at_ms,
    };
    store
        .apply(vec![put(keys::doubt()), put(keys::doubt_copy())])
        .await?
        .1
        .await
}

fn report(counts: &Counts, took: Duration) {
    metrics::rebuilt(took);
    let Counts {
        records,
        states,
        ended,
        correlations,
        claims,
        keys,
        unreadable,
    } = counts;
    info!(
        "store rebuilt in {:.1} s from {records} records: {states} messages, {ended} of them ended, {claims} claims of \
         answered orders, {correlations} ids of carriers, {keys} idempotency keys; {unreadable} records could not be read",
        took.as_secs_f64()
    );
}

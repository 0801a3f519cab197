//! Goes on under the store's next epoch once somebody has rebuilt it. Ingest remembers nothing of an epoch but the keys of
//! messages it is publishing, and puts those back itself.

use std::{sync::Arc, time::Duration};

use service::{Stop, time};
use store::{Store, StoreError};

/// How often the store is asked for its epoch.
const LOOK: Duration = Duration::from_millis(250);

/// Adopts every epoch of `store`, until `stop`.
pub async fn keep_epoch(store: Arc<dyn Store>, stop: Stop) {
    let mut adopted = None;
    loop {
        match store.epoch().await {
            Ok(epoch) if adopted.as_ref() != Some(&epoch) => {
                store.adopt(&epoch);
                tracing::debug!(epoch = epoch.word, "epoch adopted");
                adopted = Some(epoch);
            }
            Ok(_) => {}
            Err(StoreError::Lost) if adopted.take().is_some() => {
                tracing::warn!("the store was lost: messages with an idempotency key are refused until it is rebuilt");
            }
            Err(error) => tracing::debug!(%error, "cannot ask for the epoch"),
        }
        tokio::select! {
            biased;
            () = stop.requested() => return,
            () = time::sleep(LOOK) => {}
        }
    }
}

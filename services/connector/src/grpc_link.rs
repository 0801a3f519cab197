//! A link over gRPC: the carrier implements `CarrierService`, and this side calls it.
//!
//! Submissions go over one stream in batches, or by a call each where the carrier has no stream; receipts and inbound messages
//! come over streams of their own, which are opened again when they break and confirmed item by item. Carriers get every
//! message as one piece: `proto/signalbox/carrier/v1` says what they implement.

mod answer;
mod charge;
mod client;
mod config;
mod feed;
mod inbound;
mod receipt;
mod session;
mod unanswered;
mod way;
mod words;

use std::sync::Arc;

use service::{Dice, time};
use tracing::{info, warn};

use crate::{
    backoff::Backoff,
    link::{Event, Plug},
    maps::LiveMaps,
};
use session::{End, Session};

pub use config::GrpcConfig;

/// Longest id of a message kept, in characters: ids become keys of the store. What is longer is cut alike in answers and
/// receipts.
const REMOTE_ID_CHARS_MAX: usize = 128;

/// What a link does beside its connection's configuration.
#[derive(Clone, Debug)]
pub(crate) struct Dialect {
    /// Its name, for logs and metrics.
    pub link: Arc<str>,
    /// Parts that may be unanswered at once.
    pub window: u32,
    /// How to connect.
    pub grpc: GrpcConfig,
    /// What its words mean.
    pub maps: LiveMaps,
}

/// Keeps the link up until it is told to close.
pub(crate) async fn run(dialect: Dialect, dice: Dice, mut plug: Plug) {
    let grpc = &dialect.grpc;
    let mut backoff = Backoff::new(grpc.reconnect.clone(), grpc.credentials_pause, dice.fork());
    let mut token_next = 0;
    loop {
        let end = match plug.until_closed(session::open(&dialect)).await {
            None => return,
            Some(Ok((client, opened))) => {
                let session = Session::new(&dialect, &client, opened.way, &dice, &mut plug, &mut token_next);
                session.serve(opened.first).await
            }
            Some(Err(failure)) => End {
                reason: failure.reason,
                is_closing: false,
                held: None,
                is_refused: failure.is_refused,
            },
        };
        let (link, reason) = (&dialect.link, &end.reason);
        let _ = plug.events.send(Event::Down { reason: reason.clone() });
        if end.is_closing {
            info!(%link, reason, "link closed");
            return;
        }
        let wait = match end.is_refused {
            true => backoff.refused(),
            false => backoff.next(end.held),
        };
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        if end.is_refused {
            warn!(%link, reason, wait_ms, "the carrier refuses us, check the key");
        } else {
            info!(%link, reason, wait_ms, "no connection, trying again");
        }
        if plug.until_closed(time::sleep(wait)).await.is_none() {
            return;
        }
    }
}

/// The carrier's id of a message as it is kept. Carriers write it alike everywhere, so case and zeros count.
fn remote_id(id: &str) -> String {
    short(id, REMOTE_ID_CHARS_MAX)
}

/// The first characters of `text`.
fn short(text: &str, chars_max: usize) -> String {
    text.chars().take(chars_max).collect()
}

#[cfg(test)]
mod tests;

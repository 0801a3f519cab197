//! Says on the `carriers` topic whom this router ejects, so that all routers spare a carrier what one of them found out.

use std::{sync::Arc, time::Duration};

use bus::{PublishError, Record};
use journey::{Ejection, Ejections};
use service::{Stop, time};
use signalbox_proto::{record, topics};
use sms::UnixMs;
use tracing::debug;

use super::breakers::PROBE_EVERY;
use crate::{Error, desk::Desk};

/// How often it is said while there is anybody: a third of the time for which others believe it.
const SAID_EVERY: Duration = Duration::from_secs(1);
/// Longest wait for the log. What cannot be said is dropped, and said anew.
const SAID_LIMIT: Duration = Duration::from_secs(1);

/// Speaks until `stop`.
pub(crate) async fn run(desk: Arc<Desk>, stop: Stop) -> Result<(), Error> {
    let mut tick = time::every(PROBE_EVERY);
    let mut told: (Vec<Ejection>, UnixMs) = Default::default();
    loop {
        tokio::select! {
            biased;
            () = stop.requested() => return Ok(()),
            _ = tick.tick() => {}
        }
        let now = desk.now();
        let own = desk.carriers.ejected_here(now);
        let is_due = own != told.0 || (!own.is_empty() && now.since(told.1) >= SAID_EVERY);
        if !is_due {
            continue;
        }
        match time::timeout(SAID_LIMIT, say(&desk, own.clone(), now)).await {
            Some(Ok(())) => told = (own, now),
            Some(Err(error)) => debug!(%error, "a word about carriers that fail was dropped"),
            None => debug!("the log did not take a word about carriers that fail in time"),
        }
    }
}

async fn say(desk: &Desk, ejected: Vec<Ejection>, now: UnixMs) -> Result<(), PublishError> {
    let router = desk.carriers.run(|| format!("{:016x}", desk.draw()));
    let key = record::router_key(&router);
    let said = Ejections {
        router,
        said_at: now,
        ejected,
    };
    let word = Record::new(key.0, record::ejections_to_bytes(&said));
    desk.bus().publish(&topics::carriers(), vec![word]).await?.await
}

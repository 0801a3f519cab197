//! Says on the `carriers` topic whom this router ejects, so that all routers spare a carrier what one of them found out; and
//! how much it has before it, so that ingest takes no more than can be sent in time.

use std::{sync::Arc, time::Duration};

use bus::{PublishError, Record};
use journey::{Ejection, Ejections, Pressure, RouterReport};
use service::{Stop, time};
use signalbox_proto::{record, topics};
use sms::UnixMs;
use tracing::debug;

use super::breakers::PROBE_EVERY;
use crate::{Error, desk::Desk};

/// How often it is said while there is anything to say: a third of the time for which others believe it.
const SAID_EVERY: Duration = Duration::from_secs(1);
/// Longest wait for the log. What cannot be said is dropped, and said anew.
const SAID_LIMIT: Duration = Duration::from_secs(1);

/// What was said last, and when.
#[derive(Default)]
struct Told {
    ejected: Vec<Ejection>,
    pressure: Pressure,
    /// When it was looked how much there is; whom it ejects may have been said since.
    pressure_at: UnixMs,
    at: UnixMs,
}

impl Told {
    /// What there is to say at `now`; `None` = nothing that is new or due.
    fn next(&self, desk: &Desk, now: UnixMs) -> Option<Self> {
        let ejected = desk.carriers.ejected_here(now);
        let (is_due, has_changed) = (now.since(self.pressure_at) >= SAID_EVERY, ejected != self.ejected);
        let (pressure, pressure_at) = match is_due {
            true => (desk.gauge.pressure(&desk.carriers.snapshot(now), now), now),
            false => (self.pressure.clone(), self.pressure_at),
        };
        let is_calm = ejected.is_empty() && pressure.is_none() && self.pressure.is_none();
        let next = Self {
            ejected,
            pressure,
            pressure_at,
            at: now,
        };
        (has_changed || (is_due && !is_calm)).then_some(next)
    }
}

/// Speaks until `stop`.
pub(crate) async fn run(desk: Arc<Desk>, stop: Stop) -> Result<(), Error> {
    let mut tick = time::every(PROBE_EVERY);
    let mut told = Told::default();
    loop {
        tokio::select! {
            biased;
            () = stop.requested() => return Ok(()),
            _ = tick.tick() => {}
        }
        let now = desk.now();
        let Some(next) = told.next(&desk, now) else { continue };
        match time::timeout(SAID_LIMIT, say(&desk, &next)).await {
            Some(Ok(())) => told = next,
            Some(Err(error)) => debug!(%error, "a word about carriers and waits was dropped"),
            None => debug!("the log did not take a word about carriers and waits in time"),
        }
    }
}

async fn say(desk: &Desk, told: &Told) -> Result<(), PublishError> {
    let router = desk.carriers.run(|| format!("{:016x}", desk.draw()));
    let key = record::router_key(&router);
    let report = RouterReport {
        ejections: Ejections {
            router,
            said_at: told.at,
            ejected: told.ejected.clone(),
        },
        pressure: told.pressure.clone(),
    };
    let word = Record::new(key.0, record::router_report_to_bytes(&report));
    desk.bus().publish(&topics::carriers(), vec![word]).await?.await
}

//! How much this router has before it: how far it is behind, and where messages would have to wait. Said on `carriers` with
//! whom it ejects, so that ingest takes no more than can be sent in time.
//!
//! A batch is counted once, after it was decided, and only while a carrier has a queue or a message had to wait.

mod heads;
mod lag;

use std::sync::{Mutex, PoisonError};

use journey::{LAG_SAID_MIN, Pressure, WAIT_SAID_MIN};
use sms::{Lane, UnixMs};

use crate::{carriers::Snapshot, metrics, place::Placed};
use heads::Heads;

pub(crate) use lag::{Held, Lags};

/// What the loops count, and the speaker says.
#[derive(Default)]
pub(crate) struct Gauge {
    pub(crate) lags: Lags,
    heads: Mutex<Heads>,
}

impl Gauge {
    /// Counts what became of a batch decided on `carriers`; the first `new` of it were just accepted.
    pub(crate) fn count(&self, placed: &[Placed], new: usize, carriers: &Snapshot, now: UnixMs) {
        let is_waiting = |placed: &Placed| matches!(placed, Placed::Wait(..) | Placed::Park(_));
        if !carriers.is_busy() && !placed.iter().any(is_waiting) {
            return;
        }
        let mut heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        for (place, placed) in placed.iter().enumerate() {
            heads.count(placed, place < new, now);
        }
    }

    /// What there is to say at `now`. What was behind since this was asked last counts too.
    pub(crate) fn pressure(&self, carriers: &Snapshot, now: UnixMs) -> Pressure {
        let lags = self.lags.take(now);
        let mut heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        heads.forget(now);
        let congested = heads.congested(now, WAIT_SAID_MIN, |carrier, lane| carriers.wait(carrier, lane));
        drop(heads);
        for (lane, lag) in Lane::ALL.iter().zip(lags) {
            let named = congested.iter().filter(|one| one.lane == *lane).count();
            metrics::pressure(lane.as_str(), lag, named);
        }
        Pressure {
            lags: lags.map(|lag| if lag < LAG_SAID_MIN { Default::default() } else { lag }),
            congested,
        }
    }
}

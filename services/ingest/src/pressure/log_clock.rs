//! The log's time, as far as it is heard. A machine whose clock is behind it stamps messages with an instant that is past, and
//! routers would take them for overdue: nothing is accepted until somebody has set it right.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use arc_swap::ArcSwapOption;
use bus::ConsumeError;
use service::{
    Clock, Readiness, Seldom, Stop,
    time::{self, Instant},
};
use sms::UnixMs;
use tracing::error;

use super::Pressure;
use crate::{Refusal, metrics};

/// How far this machine may be behind the log: what a message loses of its time to live at the most.
pub const BEHIND_MAX: Duration = Duration::from_secs(10);

/// A log that stores words at one instant for so long waits for its machine to catch up, and its instants say nothing.
const STANDS_AFTER: Duration = Duration::from_secs(2);
/// How often it is told how far this machine is behind.
const LOOK: Duration = Duration::from_secs(1);
/// What a process lacks then.
const NEED: &str = "log clock";

/// Told again while it stays so.
static TOLD: Seldom = Seldom::new();

/// What the instants of words say about our clock.
#[derive(Default)]
pub(super) struct LogClock {
    last: ArcSwapOption<Heard>,
    /// Whether nobody could read what the log's time is.
    is_unknown: AtomicBool,
}

/// The last word that was stored at another instant than those before it.
#[derive(Clone, Copy)]
struct Heard {
    stored_at: UnixMs,
    heard_at: Instant,
    /// Whether words are stored at that instant still.
    stands: bool,
}

impl LogClock {
    /// Takes that a word stored at `stored_at` is heard now.
    pub(super) fn heard(&self, stored_at: UnixMs) {
        let heard_at = time::now();
        let last = self.last.load().as_deref().copied();
        let heard = match last.filter(|last| last.stored_at == stored_at) {
            Some(last) => Heard {
                stands: heard_at.duration_since(last.heard_at) >= STANDS_AFTER,
                ..last
            },
            None => Heard {
                stored_at,
                heard_at,
                stands: false,
            },
        };
        self.last.store(Some(heard.into()));
    }

    /// Says whether what stood on the log could be read.
    pub(super) fn known(&self, is_known: bool) {
        self.is_unknown.store(!is_known, Ordering::Release);
    }

    /// How far `now` is behind the log, whose time goes on where nobody speaks; `None` = no further than it may be, or nobody
    /// knows.
    fn behind(&self, now: UnixMs) -> Option<Duration> {
        let last = self.last.load();
        let last = last.as_deref().filter(|last| !last.stands)?;
        let behind = (last.stored_at + last.heard_at.elapsed()).since(now);
        (behind > BEHIND_MAX).then_some(behind)
    }
}

impl Pressure {
    /// Why nothing is accepted that comes at `now`, whatever it is; `None` = it is.
    pub(crate) fn refuse_all(&self, now: UnixMs) -> Option<Refusal> {
        if self.0.log.is_unknown.load(Ordering::Acquire) {
            let away = ConsumeError::Away("the log's time is not known yet".to_owned());
            return Some(Refusal::Consume(away));
        }
        self.0.log.behind(now).map(Refusal::ClockBehind)
    }
}

/// Says until `stop` how far this machine is behind the log, and that the process is not ready while that is far.
pub(crate) async fn watch_log_clock(pressure: Pressure, clock: Clock, readiness: Readiness, stop: Stop) {
    loop {
        let behind = pressure.0.log.behind(clock.now());
        metrics::clock_behind(behind.unwrap_or_default());
        match behind {
            None => readiness.have(NEED),
            Some(behind) => {
                let seconds = behind.as_secs();
                if TOLD.is_due(NEED) {
                    error!(
                        seconds,
                        "this machine's clock is behind the log's: nothing is accepted until it is set"
                    );
                }
                readiness.miss(NEED, "this machine's clock is behind the log's: set it");
            }
        }
        tokio::select! {
            biased;
            () = stop.requested() => return,
            () = time::sleep(LOOK) => {}
        }
    }
}

#[cfg(test)]
mod tests;

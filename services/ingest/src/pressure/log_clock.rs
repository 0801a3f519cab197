//! The log's time, as far as it is heard. A machine whose clock is behind it stamps messages with an instant that is past, and
//! routers would take them for overdue: nothing is accepted until somebody has set it right.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use bus::ConsumeError;
use service::{Clock, Readiness, Seldom, Stop, time};
use sms::UnixMs;
use tracing::error;

use super::{FRESH, Pressure};
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
    /// When the last word was stored that is later than those before it, and when it was heard.
    last: Mutex<Option<(UnixMs, UnixMs)>>,
    behind: ArcSwapOption<Behind>,
    /// Whether nobody could read what the log's time is.
    is_unknown: AtomicBool,
}

/// That this machine is behind the log.
struct Behind {
    by: Duration,
    fresh_until: UnixMs,
}

impl LogClock {
    /// Takes that a word stored at `stored_at` was heard at `now`.
    pub(super) fn heard(&self, stored_at: UnixMs, now: UnixMs) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (stored_last, heard_last) = *last.get_or_insert((stored_at, now));
        if stored_at != stored_last {
            *last = Some((stored_at, now));
        } else if now.since(heard_last) >= STANDS_AFTER {
            return self.behind.store(None);
        }
        let by = stored_at.since(now);
        let fresh_until = now + FRESH;
        let behind = Behind { by, fresh_until };
        self.behind.store((by > BEHIND_MAX).then(|| behind.into()));
    }

    /// Says whether what stood on the log could be read.
    pub(super) fn known(&self, is_known: bool) {
        self.is_unknown.store(!is_known, Ordering::Release);
    }

    /// How far `now` is behind the log; `None` = no further than it may be, or nobody knows.
    fn behind(&self, now: UnixMs) -> Option<Duration> {
        let behind = self.behind.load();
        let behind = behind.as_ref().filter(|behind| now < behind.fresh_until)?;
        Some(behind.by)
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

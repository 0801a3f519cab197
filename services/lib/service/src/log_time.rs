//! The log's clock, as far as this process hears it: by what was stored a moment ago.
//!
//! Neither the machine's clock nor that of any other process says when the log took a record, and an hour between them is
//! not unheard of. What is heard live was stored a moment before it is heard; of all that was heard the latest counts, so
//! that the log is never thought to be earlier than it is by more than the quickest delivery took.

use std::sync::{Arc, Mutex, PoisonError};

use sms::UnixMs;

use crate::time::Instant;

/// Tells the log's time at instants of this process. Clones share what was heard.
#[derive(Clone, Debug, Default)]
pub struct LogTime(Arc<Mutex<Option<Heard>>>);

/// A moment by both clocks.
#[derive(Clone, Copy, Debug)]
struct Heard {
    here: Instant,
    there: UnixMs,
}

impl Heard {
    fn at(&self, instant: Instant) -> UnixMs {
        match instant.checked_duration_since(self.here) {
            Some(later) => self.there + later,
            None => self.there - self.here.duration_since(instant),
        }
    }
}

impl LogTime {
    /// A record that was stored at `stored_at` was heard live, `now`.
    pub fn hear(&self, stored_at: UnixMs, now: Instant) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if heard.is_none_or(|heard| heard.at(now) < stored_at) {
            *heard = Some(Heard {
                here: now,
                there: stored_at,
            });
        }
    }

    /// The log's time at `instant`; `None` = nothing was heard yet.
    pub fn at(&self, instant: Instant) -> Option<UnixMs> {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.map(|heard| heard.at(instant))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::time;

    #[tokio::test(start_paused = true)]
    async fn the_latest_that_was_heard_counts() {
        let (log, start) = (LogTime::default(), time::now());
        assert_eq!(log.at(start), None);
        log.hear(UnixMs(7_000_000), start);
        let second = Duration::from_secs(1);
        log.hear(UnixMs(7_000_500), start + second);
        assert_eq!(
            log.at(start + second),
            Some(UnixMs(7_001_000)),
            "a slow delivery says less"
        );
        log.hear(UnixMs(7_009_000), start + second);
        assert_eq!(log.at(start), Some(UnixMs(7_008_000)));
    }
}

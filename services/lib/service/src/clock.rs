//! The one clock.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sms::UnixMs;

/// Tells the time. Cheap to clone. The virtual clock follows tokio's paused time and starts at a fixed instant.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    Wall,
    Virtual {
        origin: tokio::time::Instant,
        at_origin: UnixMs,
    },
}

impl Clock {
    /// The machine's clock.
    pub const fn wall() -> Self {
        Self(Source::Wall)
    }

    /// A clock that reads `start` now and advances with tokio's time; for runs under `start_paused`.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn starting_at(start: UnixMs) -> Self {
        Self(Source::Virtual {
            origin: tokio::time::Instant::now(),
            at_origin: start,
        })
    }

    /// The present.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn now(&self) -> UnixMs {
        match &self.0 {
            Source::Wall => {
                let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
                UnixMs(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
            }
            Source::Virtual { origin, at_origin } => *at_origin + origin.elapsed(),
        }
    }

    /// A closure over this clock in milliseconds, for crates that know nothing of ours.
    pub fn as_millis_fn(&self) -> Arc<dyn Fn() -> u64 + Send + Sync> {
        let clock = self.clone();
        Arc::new(move || clock.now().0)
    }
}

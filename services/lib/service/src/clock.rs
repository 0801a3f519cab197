//! The one clock: it tells what the machine's clock tells, and never goes back.
//!
//! A machine's clock is set now and then, by people too. Forward is followed at once. Back is not, as what was due would be due
//! again later: from there on the clock of this process is ahead, and runs slower by a twentieth until the machine's has caught
//! up. That is slow enough for no lease to outlive its margin and no wait to be felt, and fast enough for half a minute to be
//! gone in ten. Who is ahead by more for a minute stays so for hours, and takes fresh messages of others for overdue: it says
//! that it is not ready and wants to be started again, which ends it at once. Standing still instead would hold up every
//! message here for as long.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};
use sms::{UnixMs, UnixUs};
use tracing::{error, warn};

use crate::{Readiness, Stop, telemetry, time};

const STEPS: &str = "signalbox_clock_steps_total";
const AHEAD: &str = "signalbox_clock_ahead_seconds";

/// A machine's clock that is off by more than this was set; what is less is slewed, or the time between two looks.
const STEP_US: i64 = 1_000_000;

/// A process that is ahead by more than this for [`AHEAD_FOR`] is not ready: what it gives back in ten minutes.
const AHEAD_MAX: Duration = Duration::from_secs(30);
const AHEAD_FOR: Duration = Duration::from_secs(60);
/// How often that is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// What a process lacks then.
const NEED: &str = "clock";

/// Of what passes while the machine's clock is behind, one part in so many is given back.
const SLEW_PARTS: i64 = 20;

/// Tells the time. Cheap to clone; clones are one clock. The virtual one follows tokio's paused time and starts at a fixed
/// instant.
#[derive(Clone, Debug)]
pub struct Clock {
    machine: Machine,
    process: Arc<Process>,
}

/// The machine's clocks: one that only ever advances, and one that people set.
#[derive(Clone, Debug)]
enum Machine {
    Real {
        origin: std::time::Instant,
    },
    Virtual {
        origin: tokio::time::Instant,
        at_origin: UnixMs,
        /// By how much it was set since, all in all.
        set_ms: Arc<AtomicI64>,
    },
}

/// What one process makes of them, in microseconds.
#[derive(Debug)]
struct Process {
    /// What is added to the monotonic clock.
    offset: AtomicI64,
    /// What would have to be added to it for the machine's clock, as far as that was told.
    told: AtomicI64,
    /// Until when, by the monotonic clock, time ahead was given back.
    slewed: AtomicI64,
    /// The latest instant that was told: none is before it.
    latest: AtomicI64,
}

impl Clock {
    /// The machine's clock, as this process sees it.
    pub fn wall() -> Self {
        static WALL: OnceLock<Clock> = OnceLock::new();
        #[expect(clippy::disallowed_methods, reason = "this is the clock")]
        let wall = || {
            Self::of(Machine::Real {
                origin: std::time::Instant::now(),
            })
        };
        WALL.get_or_init(wall).clone()
    }

    /// A clock that reads `start` now and advances with tokio's time; for runs under `start_paused`.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn starting_at(start: UnixMs) -> Self {
        Self::of(Machine::Virtual {
            origin: tokio::time::Instant::now(),
            at_origin: start,
            set_ms: Arc::default(),
        })
    }

    fn of(machine: Machine) -> Self {
        let process = Process {
            offset: AtomicI64::new(i64::MIN),
            told: AtomicI64::new(i64::MIN),
            slewed: AtomicI64::new(0),
            latest: AtomicI64::new(i64::MIN),
        };
        Self {
            machine,
            process: Arc::new(process),
        }
    }

    /// The clock of another process on the same machine, which begins with what the machine says by then.
    #[must_use]
    pub fn of_next_process(&self) -> Self {
        Self::of(self.machine.clone())
    }

    /// The clock of a process on another machine, whose time is this one's until it is set. A real machine has no other.
    #[must_use]
    pub fn of_next_machine(&self) -> Self {
        let mut machine = self.machine.clone();
        if let Machine::Virtual { set_ms, .. } = &mut machine {
            *set_ms = Arc::new(AtomicI64::new(set_ms.load(Relaxed)));
        }
        Self::of(machine)
    }

    /// Sets a virtual machine's clock forward, or back if `by_ms` is negative, for all processes on it.
    ///
    /// # Panics
    /// This clock is the real machine's.
    pub fn set_machine(&self, by_ms: i64) {
        match &self.machine {
            Machine::Real { .. } => panic!("only a virtual machine's clock can be set"),
            Machine::Virtual { set_ms, .. } => set_ms.fetch_add(by_ms, Relaxed),
        };
    }

    /// The present.
    pub fn now(&self) -> UnixMs {
        self.precisely().millis()
    }

    /// The present to the microsecond. Processes on one machine agree to within some of them.
    pub fn precisely(&self) -> UnixUs {
        // A thread may stand still between the two clocks: the offset is between these two.
        let before = self.machine.elapsed_us();
        let wall = self.machine.wall_us();
        let elapsed = self.machine.elapsed_us();
        let (low, high) = (wall - elapsed, wall - before);
        let offset = self.process.offset(elapsed, low, high);
        self.process.notice(low, high);
        let now = elapsed + offset;
        let now = now.max(self.process.latest.fetch_max(now, Relaxed));
        UnixUs(u64::try_from(now).unwrap_or(0))
    }

    /// How far this process is ahead of its machine's clock; zero = it is not.
    pub fn ahead(&self) -> Duration {
        let now = i64::try_from(self.precisely().0).unwrap_or(i64::MAX);
        Duration::from_micros(u64::try_from(now - self.machine.wall_us()).unwrap_or(0))
    }

    /// A closure over this clock in milliseconds, for crates that know nothing of ours.
    pub fn as_millis_fn(&self) -> Arc<dyn Fn() -> u64 + Send + Sync> {
        let clock = self.clone();
        Arc::new(move || clock.now().0)
    }
}

impl Machine {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn wall_us(&self) -> i64 {
        match self {
            Self::Real { .. } => micros(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO)),
            Self::Virtual {
                origin,
                at_origin,
                set_ms,
            } => {
                let set_ms = set_ms.load(Relaxed).saturating_add_unsigned(at_origin.0);
                set_ms.saturating_mul(1_000).saturating_add(micros(origin.elapsed()))
            }
        }
    }

    fn elapsed_us(&self) -> i64 {
        match self {
            Self::Real { origin } => micros(origin.elapsed()),
            Self::Virtual { origin, .. } => micros(origin.elapsed()),
        }
    }
}

impl Process {
    /// What to add to `elapsed`, where the machine's clock would have `low` to `high` added.
    fn offset(&self, elapsed: i64, low: i64, high: i64) -> i64 {
        let offset = self.offset.fetch_max(low, Relaxed).max(low);
        let slewed = self.slewed.load(Relaxed);
        if high >= offset {
            if slewed != elapsed {
                self.slewed.store(elapsed, Relaxed);
            }
            return offset;
        }
        let back = ((elapsed - slewed) / SLEW_PARTS).min(offset - high);
        let moves = || {
            self.slewed
                .compare_exchange(slewed, slewed + back * SLEW_PARTS, Relaxed, Relaxed)
        };
        if back <= 0 || moves().is_err() {
            return offset;
        }
        // One that is set forward meanwhile stays ahead by this much less, until the next look.
        self.offset.fetch_sub(back, Relaxed) - back
    }

    /// Says once that the machine's clock was set; small differences add up to none.
    fn notice(&self, low: i64, high: i64) {
        let told = self.told.load(Relaxed);
        let is_first = told == i64::MIN;
        let by_us = if is_first || low > told {
            low.saturating_sub(told)
        } else {
            (high - told).min(0)
        };
        // What drifts is followed before it looks like a step.
        if by_us.abs() <= STEP_US / 2 || self.told.compare_exchange(told, low, Relaxed, Relaxed).is_err() {
            return;
        }
        if by_us.abs() > STEP_US && !is_first {
            tell(by_us / 1_000);
        }
    }
}

#[cold]
fn tell(by_ms: i64) {
    if by_ms > 0 {
        counter!(STEPS, "direction" => "forward").increment(1);
        warn!(by_ms, "the machine's clock was set forward");
    } else {
        counter!(STEPS, "direction" => "back").increment(1);
        warn!(
            by_ms = -by_ms,
            "the machine's clock was set back: this process is ahead until that has caught up or it starts again"
        );
    }
}

/// Says until `stop` how far this process is ahead of its machine's clock, and that it is not ready while that is far.
pub async fn watch_clock(clock: Clock, readiness: Readiness, stop: Stop) {
    let (mut since, mut is_told) = (None, false);
    loop {
        let ahead = clock.ahead();
        gauge!(AHEAD).set(ahead.as_secs_f64());
        let now = time::now();
        if ahead <= AHEAD_MAX {
            (since, is_told) = (None, false);
            readiness.have(NEED);
        } else if now.duration_since(*since.get_or_insert(now)) >= AHEAD_FOR && !is_told {
            is_told = true;
            let seconds = ahead.as_secs();
            error!(
                seconds,
                "this process is ahead of its machine's clock, which was set back: start it again"
            );
            readiness.miss(
                NEED,
                "ahead of the machine's clock, which was set back: start this process again",
            );
        }
        tokio::select! {
            biased;
            () = stop.requested() => return,
            () = time::sleep(LOOK) => {}
        }
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

pub(crate) fn describe() {
    describe_counter!(STEPS, Unit::Count, "times the machine's clock was set, by direction");
    telemetry::begin(STEPS, &[("direction", &["forward", "back"])]);
    describe_gauge!(
        AHEAD,
        Unit::Seconds,
        "how far this process is ahead of its machine's clock, which was set back"
    );
}

#[cfg(test)]
mod tests;

//! The one clock: it tells what the machine's clock tells, and never goes back.
//!
//! A machine's clock is set now and then, by people too. Forward is followed at once. Back is not: from there on the clock of
//! this process goes on by the monotonic one, ahead of the machine's, until that has caught up or the process starts again.
//! So nothing that was due is due again later, no lease lasts longer than it was given for, and no two instants of one
//! process are in the wrong order.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};
use sms::UnixMs;
use tracing::warn;

const STEPS: &str = "signalbox_clock_steps_total";
const AHEAD: &str = "signalbox_clock_ahead_seconds";

/// A machine's clock that is off by more than this was set; what is less is slewed, or the time between two looks.
const STEP_MS: i64 = 1_000;

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

/// What one process makes of them, in milliseconds.
#[derive(Debug)]
struct Process {
    /// What is added to the monotonic clock; only grows.
    offset: AtomicI64,
    /// How far the machine's clock was behind when that was told last.
    told: AtomicI64,
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
            told: AtomicI64::new(0),
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
        // A thread may stand still between the two clocks: an offset taken so is never too large.
        let before = self.machine.elapsed_ms();
        let wall = self.machine.wall_ms();
        let elapsed = self.machine.elapsed_ms();
        let offset = self.process.offset.fetch_max(wall - elapsed, Relaxed);
        let is_first = offset == i64::MIN;
        if !is_first && (wall - elapsed > offset + STEP_MS || offset - (wall - before) > STEP_MS) {
            self.process.tell(offset, wall - before);
        }
        let now = elapsed + offset.max(wall - elapsed);
        UnixMs(u64::try_from(now).unwrap_or(0))
    }

    /// A closure over this clock in milliseconds, for crates that know nothing of ours.
    pub fn as_millis_fn(&self) -> Arc<dyn Fn() -> u64 + Send + Sync> {
        let clock = self.clone();
        Arc::new(move || clock.now().0)
    }
}

impl Machine {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn wall_ms(&self) -> i64 {
        match self {
            Self::Real { .. } => millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO)),
            Self::Virtual {
                origin,
                at_origin,
                set_ms,
            } => i64::try_from(at_origin.0).unwrap_or(i64::MAX) + millis(origin.elapsed()) + set_ms.load(Relaxed),
        }
    }

    fn elapsed_ms(&self) -> i64 {
        match self {
            Self::Real { origin } => millis(origin.elapsed()),
            Self::Virtual { origin, .. } => millis(origin.elapsed()),
        }
    }
}

impl Process {
    /// Says once that the machine's clock was set, and from when on it is followed again.
    #[cold]
    fn tell(&self, offset: i64, machine: i64) {
        let behind = (offset - machine).max(0);
        let told = self.told.load(Relaxed);
        let forward = machine - offset;
        if forward > STEP_MS {
            self.told.store(0, Relaxed);
            gauge!(AHEAD).set(0.0);
            counter!(STEPS, "direction" => "forward").increment(1);
            warn!(by_ms = forward, "the machine's clock was set forward");
            return;
        }
        if (behind - told).abs() <= STEP_MS || self.told.compare_exchange(told, behind, Relaxed, Relaxed).is_err() {
            return;
        }
        gauge!(AHEAD).set(Duration::from_millis(behind.unsigned_abs()).as_secs_f64());
        if behind > told {
            counter!(STEPS, "direction" => "back").increment(1);
            warn!(
                by_ms = behind - told,
                "the machine's clock was set back: this process keeps its own until that has caught up or it starts again"
            );
        } else {
            counter!(STEPS, "direction" => "forward").increment(1);
            warn!(
                behind_ms = behind,
                "the machine's clock was set forward, and is behind still"
            );
        }
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

pub(crate) fn describe() {
    describe_counter!(STEPS, Unit::Count, "times the machine's clock was set, by direction");
    describe_gauge!(
        AHEAD,
        Unit::Seconds,
        "how far this process is ahead of its machine's clock, which was set back"
    );
}

#[cfg(test)]
mod tests;

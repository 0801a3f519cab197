//! The clock of a measurement, and the core it runs on.

use std::time::{Duration, Instant};

/// Times that a clock is read to learn what reading it takes.
const READS: usize = 100_001;

/// The time now. What is measured here is this machine itself, so no other clock would do.
#[expect(clippy::disallowed_methods, reason = "a measurement reads the real clock")]
#[inline]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// What `work` takes.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = now();
    let done = work();
    (done, begun.elapsed())
}

/// What reading the clock adds to a time, in nanoseconds: the median between two readings.
pub(crate) fn cost_ns() -> u64 {
    let reads = (0..READS).map(|_| {
        let begun = now();
        (now() - begun).as_nanos() as u64
    });
    let mut reads: Vec<u64> = reads.collect();
    reads.sort_unstable();
    reads[READS / 2]
}

/// The median of `figures`, which are not empty.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Keeps the calling thread on one core: of those it may use, the one at `place` from the last. Returns its number; `None` =
/// this system does not do that.
#[cfg(target_os = "linux")]
pub(crate) fn pin(place: usize) -> Option<usize> {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let allowed = sched_getaffinity(None).ok()?;
    let core = (0..CpuSet::MAX_CPU)
        .rev()
        .filter(|core| allowed.is_set(*core))
        .nth(place)?;
    let mut one = CpuSet::new();
    one.set(core);
    sched_setaffinity(None, &one).ok()?;
    Some(core)
}

/// As on Linux, but threads are not pinned here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn pin(_place: usize) -> Option<usize> {
    None
}

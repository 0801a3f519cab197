//! The clocks of a measurement: time as it passes, and time that a thread had a core.

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

/// Time that this thread has had a core; what else ran there meanwhile does not count.
#[cfg(target_os = "linux")]
pub(crate) fn on_core() -> Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(spent.tv_sec as u64, spent.tv_nsec as u32)
}

/// Where the system does not tell, any time counts.
#[cfg(not(target_os = "linux"))]
pub(crate) fn on_core() -> Duration {
    static BEGUN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    BEGUN.get_or_init(now).elapsed()
}

/// What `work` takes of a core, and the share of one that it was given meanwhile.
pub(crate) fn worked(work: impl FnOnce()) -> (Duration, f64) {
    let (begun, core) = (now(), on_core());
    work();
    let (spent, whole) = (on_core() - core, begun.elapsed());
    (spent, spent.as_secs_f64() / whole.as_secs_f64())
}

/// Programs that run or wait for a core, over the last minute; `None` = this system does not say.
pub(crate) fn load_average() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next()?.parse().ok()
}

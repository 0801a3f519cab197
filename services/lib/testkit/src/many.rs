//! Many seeds, on as many threads as there are cores.

use std::{
    ops::Range,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use crate::{Report, Scenario, run};

/// Stack of a thread that simulates: futures are large in a build that is not optimised.
const STACK_OCTETS: usize = 16 * 1_024 * 1_024;

/// Runs every seed of `seeds`, each in a runtime of its own, and hands each report to `each` as it comes; order is that of
/// finishing. `each` answers whether to go on: after a `false` no further seed is begun.
pub fn simulate_all(seeds: Range<u64>, each: impl FnMut(Report) -> bool + Send) {
    run_all(seeds, Scenario::draw, each);
}

/// The same with what `scenario` makes of each seed.
pub fn run_all(seeds: Range<u64>, scenario: fn(u64) -> Scenario, each: impl FnMut(Report) -> bool + Send) {
    let (next, is_over, each) = (AtomicU64::new(seeds.start), AtomicBool::new(false), Mutex::new(each));
    let work = || {
        while !is_over.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let report = run(&scenario(seed));
            let mut each = each.lock().expect("whoever hears of a run does not panic");
            if !each(report) {
                is_over.store(true, Ordering::Relaxed);
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let thread = std::thread::Builder::new().stack_size(STACK_OCTETS);
            thread
                .spawn_scoped(scope, work)
                .expect("the system has room for a thread a core");
        }
    });
}

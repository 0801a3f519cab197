//! The pipeline under seeded faults: `SIM_SEED=n` runs one seed and tells all about it, `SIM_SEEDS=n` runs so many.

use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

use testkit::{Report, Scenario, run, simulate};

/// Seeds of an ordinary run.
const SEEDS_DEFAULT: u64 = 50;
/// Stack of a thread that simulates: futures are large in a debug build.
const STACK_OCTETS: usize = 16 * 1_024 * 1_024;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is \"{text}\", wanted is a number")),
    )
}

/// Runs `seeds` on as many threads as there are cores, each run in a runtime of its own.
fn run_all(seeds: u64) -> Vec<Report> {
    let next = AtomicU64::new(0);
    let reports = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let work = || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        return;
                    }
                    let report = simulate(seed);
                    reports.lock().expect("no run panics").push(report);
                }
            };
            std::thread::Builder::new()
                .stack_size(STACK_OCTETS)
                .spawn_scoped(scope, work)
                .expect("the system has room for a thread a core");
        }
    });
    let mut reports = reports.into_inner().expect("no run panics");
    reports.sort_by_key(|report| report.seed);
    reports
}

/// What must have happened in many runs, or they show less than they seem to.
const SEEN: [&str; 12] = [
    "answer_hold",
    "answer_link_down",
    "answer_next",
    "answer_unknown",
    "delivered",
    "duplicates",
    "expired",
    "failed",
    "late_receipts",
    "rejected",
    "repeated_ends",
    "unknown",
];

/// Many seeds, or the one asked for: no promise is broken in any.
#[test]
fn promises_hold_whatever_fails() {
    let reports = match number("SIM_SEED") {
        Some(seed) => vec![simulate(seed)],
        None => run_all(number("SIM_SEEDS").unwrap_or(SEEDS_DEFAULT)),
    };
    let mut broken = 0;
    for report in &reports {
        print!("{report}");
        broken += usize::from(!report.findings.is_empty());
    }
    assert_eq!(broken, 0, "of {} seeds, {broken} broke promises", reports.len());
    if reports.len() as u64 >= SEEDS_DEFAULT {
        let is_seen = |name: &&str| reports.iter().any(|report| report.count(name) > 0);
        let unseen: Vec<_> = SEEN.into_iter().filter(|name| !is_seen(name)).collect();
        assert!(unseen.is_empty(), "in no run was there any {unseen:?}");
    }
}

/// One seed twice in one process: the same log, octet for octet and with the same times.
#[test]
fn a_seed_is_a_run() {
    for seed in [3, 11] {
        assert_eq!(simulate(seed).hash, simulate(seed).hash, "seed {seed}");
    }
    assert_ne!(simulate(3).hash, simulate(11).hash);
}

/// Without faults, everything that has a way is delivered, nothing twice.
#[test]
fn a_quiet_world_loses_nothing() {
    for seed in 0..3 {
        let report = run(&Scenario::quiet(seed));
        assert!(report.findings.is_empty(), "{report}");
        let ended = ["delivered", "sent", "rejected"]
            .map(|state| report.count(state))
            .iter()
            .sum::<usize>();
        assert_eq!(
            (ended, report.count("duplicates")),
            (report.count("accepted"), 0),
            "{report}"
        );
    }
}

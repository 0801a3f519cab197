//! The measurement of look-ups, with few numbers. No time decides here.

use cap::Cap;
use mimalloc::MiMalloc;
use serde_json::Value;
use signalbox_loadtest::lookup::{self, Args};

#[global_allocator]
static HEAP: Cap<MiMalloc> = Cap::new(MiMalloc, usize::MAX);

/// Measures in all its ways but Redis: it fails by itself where a number is known that should not be, or is not. One test alone,
/// as the allocator counts for the whole program.
#[test]
fn numbers_are_known_and_one_that_is_not_costs_no_memory() {
    let args = Args {
        numbers: 8_000,
        ported: 2_000,
        stored: 1_200,
        rounds: 2,
        rate: 500,
        seconds: 3,
        hits: 90,
        latency: 20,
        redis: None,
        json: true,
    };
    let none = Args {
        numbers: 0,
        ..args.clone()
    };
    assert!(lookup::measure(&none, &HEAP).is_err());

    let report = lookup::measure(&args, &HEAP).unwrap();
    let found = serde_json::to_value(&report).unwrap();
    assert_eq!(found["warm"]["miss_octets"], 0.0, "{found}");
    let octets = found["warm"]["octets_per_number"].as_f64().unwrap();
    assert!((24.0..26.0).contains(&octets), "{found}");
    assert_eq!(found["shared"][0]["store"], "embedded");
    assert_eq!(found["steady"]["messages"], 1_500);
    let others = found["steady"]["provider"].as_u64().unwrap() + found["steady"]["plan"].as_u64().unwrap();
    assert!((100..200).contains(&others), "{found}");
    for field in FIELDS {
        assert!(found.pointer(field).is_some_and(Value::is_number), "{field} in {found}");
    }
    assert!(report.to_string().contains("\ntargets\n"), "{report}");
}

/// Fields that other programs read.
const FIELDS: [&str; 7] = [
    "/warm/hits/per_second",
    "/warm/misses/per_second",
    "/warm/listed/per_second",
    "/shared/0/per_second",
    "/steady/per_second",
    "/steady/wait_ms_p99",
    "/steady/growth_octets",
];

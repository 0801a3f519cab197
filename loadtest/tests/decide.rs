//! The measurement of the routing table, on a table of a few thousand rows. No time decides here.

use cap::Cap;
use mimalloc::MiMalloc;
use serde_json::Value;
use signalbox_loadtest::decide::{self, Args};

#[global_allocator]
static HEAP: Cap<MiMalloc> = Cap::new(MiMalloc, usize::MAX);

/// Reads each field that other programs read. One test alone, as the allocator counts for the whole program.
#[test]
fn a_measurement_finds_no_allocation_and_has_its_fields() {
    let args = Args {
        rows: 5_000,
        carriers: 6,
        policies: 100,
        queries: 2_000,
        rounds: 1,
        seed: 7,
        json: true,
    };
    let few = Args {
        rows: 10,
        ..args.clone()
    };
    let error = decide::measure(&few, &HEAP).unwrap_err().to_string();
    assert!(error.contains("10 rows asked of 6 carriers, allowed are"), "{error}");

    let found = serde_json::to_value(decide::measure(&args, &HEAP).unwrap()).unwrap();
    assert_eq!(found["deciding"]["allocations"]["per_decision"], 0.0);
    assert_eq!(found["deciding"]["allocations"]["bytes_per_decision"], 0.0);
    let numbers = [
        "/rows",
        "/compiled/seconds",
        "/compiled/table_bytes",
        "/deciding/decisions_per_second",
        "/deciding/latency/p50_ns",
        "/deciding/latency/p99_ns",
        "/deciding/latency/p999_ns",
        "/deciding/allocations/per_decision",
    ];
    for field in numbers {
        assert!(found.pointer(field).is_some_and(Value::is_number), "{field} in {found}");
    }
}

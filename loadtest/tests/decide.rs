//! The measurement of the routing table, on small tables. No time decides here.

use cap::Cap;
use mimalloc::MiMalloc;
use serde_json::Value;
use signalbox_loadtest::decide::{self, Args};

#[global_allocator]
static HEAP: Cap<MiMalloc> = Cap::new(MiMalloc, usize::MAX);

/// Measures in all its ways: it fails by itself where the table answers otherwise than the reference, or otherwise while
/// tables are swapped. One test alone, as the allocator counts for the whole program.
#[test]
fn the_table_decides_as_the_reference_does_and_allocates_nothing() {
    let args = Args {
        rows: 30_000,
        carriers: 2,
        policies: 100,
        queries: 3_000,
        rounds: 1,
        seed: 8,
        growth: true,
        swap: true,
        json: true,
    };
    let few = Args {
        rows: 10,
        ..args.clone()
    };
    let error = decide::measure(&few, &HEAP).unwrap_err().to_string();
    assert!(error.contains("10 rows asked of 2 carriers, allowed are"), "{error}");

    let report = decide::measure(&args, &HEAP).unwrap();
    let found = serde_json::to_value(&report).unwrap();
    assert_eq!(found["answers"]["compared"], 3_000);
    assert_eq!(found["answers"]["explained"], 3_000);
    assert!(found["answers"]["policies_ending"].as_u64().unwrap() > 50, "{found}");
    for act in ["recipient", "sender", "text", "copy", "lookup"] {
        assert!(found["answers"]["acted"][act].as_f64().unwrap() > 0.0, "{act}: {found}");
    }
    assert_eq!(found["deciding"]["allocations"]["per_decision"], 0.0);
    assert_eq!(found["deciding"]["allocations"]["bytes_per_decision"], 0.0);
    assert_eq!(found["swapping"]["decided_by"].as_object().unwrap().len(), 2);
    for field in FIELDS {
        assert!(found.pointer(field).is_some_and(Value::is_number), "{field} in {found}");
    }
    assert!(report.to_string().contains("\ntargets\n"), "{report}");
}

/// Fields that other programs read.
const FIELDS: [&str; 13] = [
    "/rows",
    "/compiled/seconds",
    "/compiled/table_bytes",
    "/compiled/peak_bytes",
    "/deciding/decisions_per_second",
    "/deciding/latency/p50_ns",
    "/deciding/latency/p99_ns",
    "/deciding/latency/p999_ns",
    "/deciding/allocations/per_decision",
    "/reference/decisions_per_second",
    "/reference/ratio",
    "/growth/ratio",
    "/swapping/p999_ratio",
];

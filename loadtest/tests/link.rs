//! The measurement of SMPP, with few messages. No time decides here.

use serde_json::Value;
use signalbox_loadtest::link::{self, Args};

/// Measures in all its ways: it fails by itself where a PDU is read otherwise than written, or the link loses a message.
#[test]
fn pdus_are_read_as_written_and_a_link_loses_no_message() {
    let args = Args {
        pdus: 3_000,
        messages: 5_000,
        window: 50,
        rounds: 2,
        json: true,
    };
    let none = Args {
        rounds: 0,
        ..args.clone()
    };
    assert!(link::measure(&none).is_err());

    let report = link::measure(&args).unwrap();
    let found = serde_json::to_value(&report).unwrap();
    assert_eq!(found["flow"]["messages"], 5_000);
    for field in FIELDS {
        assert!(found.pointer(field).is_some_and(Value::is_number), "{field} in {found}");
    }
    let targets = found["targets"].as_array().unwrap();
    let is_met = targets.iter().all(|target| target["is_met"] == true);
    assert_eq!((targets.len(), report.is_met()), (5, is_met));
    assert!(report.to_string().contains("\ntargets\n"), "{report}");
}

/// Fields that other programs read.
const FIELDS: [&str; 5] = [
    "/codec/submit_written/per_second",
    "/codec/submit_read/per_second",
    "/codec/reply_written/per_second",
    "/codec/reply_read/per_second",
    "/flow/per_second",
];

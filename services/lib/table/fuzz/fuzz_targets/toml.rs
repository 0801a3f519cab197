//! The TOML readers: `table.toml`, `carriers.toml`, `policies.toml` and `cases.toml` of any content give problems or a table.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sms::UnixMs;
use table::Query;

fuzz_target!(|input: &[u8]| {
    let files = table_fuzz::files(input, |name| name.ends_with(".toml") || name.starts_with("sets/"));
    if let Some(table) = table_fuzz::build(&files) {
        for to in ["33612345678", "4477001", "1"] {
            let query = Query {
                text: Some("a text"),
                ..Query::new(to, UnixMs(1_795_262_400_000))
            };
            assert!(!table.explain(&query).to_string().is_empty());
        }
    }
});

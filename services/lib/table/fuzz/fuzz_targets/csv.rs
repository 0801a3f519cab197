//! The CSV readers and the sets: every sheet of any content gives problems or a table.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sms::UnixMs;
use table::Query;

fuzz_target!(|input: &[u8]| {
    let files = table_fuzz::files(input, |name| !name.ends_with(".toml"));
    if let Some(table) = table_fuzz::build(&files) {
        for at in [0, 1_795_262_400_000, u64::MAX] {
            for to in ["33612345678", "4477001", "1"] {
                assert!(!table.explain(&Query::new(to, UnixMs(at))).to_string().is_empty());
            }
        }
    }
});

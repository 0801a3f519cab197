//! Has the linker put our function in the place of one of librdkafka: `services/lib/bus/src/kafka/leader_hint.c` says why.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if matches!(env::var("CARGO_CFG_TARGET_OS").as_deref(), Ok("linux" | "freebsd")) {
        let name = "rd_kafka_metadata_update_op";
        println!("cargo::rustc-link-arg=-Wl,--undefined=__wrap_{name},--wrap={name}");
    }
}

//! Compiles what stands in for a function of librdkafka, and has the tests of this crate linked with it. A binary that reads
//! from Kafka asks for the same in its own build.rs, since a library cannot speak to the linker for it.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=src/kafka/leader_hint.c");
    // The linkers of Apple and Microsoft know no such wish: there, a process may die while a partition has no leader.
    let is_known = matches!(env::var("CARGO_CFG_TARGET_OS").as_deref(), Ok("linux" | "freebsd"));
    if is_known {
        cc::Build::new()
            .file("src/kafka/leader_hint.c")
            .compile("signalbox_leader_hint");
        let name = "rd_kafka_metadata_update_op";
        println!("cargo::rustc-link-arg=-Wl,--undefined=__wrap_{name},--wrap={name}");
    }
}

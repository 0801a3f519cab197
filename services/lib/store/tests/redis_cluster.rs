//! The store in a cluster keeps every guarantee. The one server here refuses, as any does in a cluster, a script whose keys
//! are in different slots, so the suite also shows that no script of ours is such a one.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

#[path = "rig/fixture.rs"]
mod fixture;

use backing::{Redis, RedisOptions};
use fixture::{OnRedis, durable};

fn clustered() -> RedisOptions {
    RedisOptions {
        cluster: true,
        ..durable()
    }
}

store::conformance_suite!(OnRedis::new(clustered()));

#[test]
fn a_cluster_refuses_a_script_across_slots() {
    let server = Redis::start(clustered()).unwrap();
    let refused = |words: &[&str]| server.command(words).unwrap_err().to_string();
    let both = ["EVAL", "return 0", "2", "signalbox:{b00}:due", "signalbox:{b01}:due"];
    assert!(refused(&both).contains("CROSSSLOT"));
    // Newer servers hold a script to the slot of the keys it names, if its first line says so.
    let reach = "#!lua\nreturn redis.call('GET', 'signalbox:{b01}:due')";
    let undeclared = refused(&["EVAL", reach, "1", "signalbox:{b00}:due"]);
    assert!(undeclared.contains("same slot"), "{undeclared}");
}

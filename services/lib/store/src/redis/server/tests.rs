//! Answers of servers as they are and should not be.

use super::*;

const GOOD: &str = "# Server\r\nrun_id:abc\r\n# Memory\r\nmaxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n# Persistence\r\n\
    loading:0\r\naof_enabled:1\r\n# Replication\r\nrole:master\r\nmaster_replid2:0000\r\n";

fn settings(text: &str) -> HashMap<String, String> {
    let pairs = text.split_whitespace().filter_map(|setting| setting.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn refusal(from: &str, to: &str) -> String {
    let refused = Server::of_info("redis://host", &GOOD.replace(from, to), &settings(""));
    refused.expect_err("it must be refused").to_string()
}

#[test]
fn a_restart_loses_nothing_only_if_every_write_was_on_disk() {
    let durable = |info: &str, text| {
        let server = Server::of_info("redis://host", info, &settings(text));
        server.expect("it is good").is_durable
    };
    assert!(durable(GOOD, "appendfsync=always no-appendfsync-on-rewrite=no"));
    assert!(!durable(GOOD, "appendfsync=always no-appendfsync-on-rewrite=yes"));
    assert!(!durable(GOOD, "appendfsync=everysec"));
    assert!(!durable(GOOD, ""), "it would not say");
    assert!(!durable(
        &GOOD.replace("aof_enabled:1", "aof_enabled:0"),
        "appendfsync=always"
    ));
    assert!(
        !durable(&GOOD.replace("replid2:0000", "replid2:12ab"), "appendfsync=always"),
        "it was a replica"
    );
}

#[test]
fn a_server_that_may_not_hold_a_store_is_told_why() {
    assert!(refusal("run_id:abc\r\n", "").contains("is it a Redis"));
    assert!(refusal("loading:0", "loading:1").contains("loading"));
    assert!(refusal("role:master", "role:slave").contains("primary"));
    assert!(refusal("maxmemory:0", "maxmemory:1048576").contains("set maxmemory-policy noeviction"));
}

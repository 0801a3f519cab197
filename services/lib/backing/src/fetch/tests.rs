//! What is missing is named, with what to do about it.

use super::{kafka_version, need};

#[test]
fn a_missing_program_is_named_with_the_command_that_installs_it() {
    need("sh").unwrap();
    let said = need("no-such-server").unwrap_err().to_string();
    assert!(said.contains("`no-such-server` is not on the path"), "{said}");
    assert!(said.contains("`make services-fetch`"), "{said}");
}

#[test]
fn the_version_is_read_from_the_pom() {
    assert!(kafka_version().starts_with("4."), "{}", kafka_version());
}

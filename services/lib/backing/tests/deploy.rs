//! A laptop with a container engine gets the Kafka that the tests ran against.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{fs, path::Path};

#[test]
fn compose_names_the_version_that_is_tested() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../deploy/compose.yaml");
    let image = format!("image: apache/kafka:{}\n", backing::kafka_version());
    assert!(fs::read_to_string(path).unwrap().contains(&image), "{image}");
}

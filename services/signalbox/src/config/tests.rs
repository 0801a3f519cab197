//! What the configuration file may say, and what is said about the rest.

use super::*;

const GOOD: &str = r#"
[bus]
kind = "embedded"
path = "data/log"
[store]
kind = "embedded"
path = "data/log"
[table]
path = "table"
[ingest]
grpc = "127.0.0.1:7070"
accounts = "accounts.toml"
[connector]
links = "links.toml"
[telemetry]
http = "127.0.0.1:9090"
"#;

#[test]
fn a_relative_path_starts_at_the_folder_of_the_file() {
    let config = parse("signalbox.toml", GOOD, Path::new("/etc/signalbox")).unwrap();
    assert_eq!(
        config.bus,
        Engine::Embedded {
            path: "/etc/signalbox/data/log".into()
        }
    );
    assert_eq!(config.table.unwrap(), Path::new("/etc/signalbox/table"));
}

#[test]
fn every_problem_is_told_at_once_with_its_line() {
    let bad = GOOD.replace("127.0.0.1:7070", "localhost").replace("links =", "lnks =");
    let problems = parse("signalbox.toml", &bad, Path::new("")).unwrap_err().to_string();
    assert!(problems.contains("signalbox.toml:11: error"), "{problems}");
    assert!(problems.contains("did you mean \"links\""), "{problems}");
}

#[test]
fn a_variable_overrides_a_key_and_leaves_the_lines_alone() {
    let variables = [("SIGNALBOX__INGEST__GRPC".to_owned(), "127.0.0.1:8080".to_owned())];
    let text = overrides::apply(GOOD, variables.into_iter()).unwrap();
    assert_eq!(text.lines().count(), GOOD.lines().count());
    let config = parse("signalbox.toml", &text, Path::new("")).unwrap();
    assert_eq!(config.ingest.unwrap().grpc, "127.0.0.1:8080".parse().unwrap());
}

#[test]
fn a_secret_is_never_shown() {
    let text = GOOD.replace("accounts =", "key_secret = \"hush-hush-hush-hush\"\naccounts =");
    let config = parse("signalbox.toml", &text, Path::new("")).unwrap();
    assert!(!shown(&config).contains("hush"), "{}", shown(&config));
}

/// With less, a stop gives up on a part just before the wait for its answer ends, and its message is in doubt for nothing.
#[test]
fn a_drain_outlasts_the_longest_wait_for_an_answer() {
    let config = parse("signalbox.toml", GOOD, Path::new("")).unwrap();
    for class in sms::Class::ALL {
        assert!(config.drain_limit > class.answer_timeout());
    }
}

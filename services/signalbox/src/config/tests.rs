//! What the configuration file may say, and what is said about the rest.

use ::lookup::Share;

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
grpc = "127.0.0.1:7074"
[lookup]
providers = "providers.toml"
secret = "hush-hush-hush-hush"
budget_otp = "200ms"
dead = "send"
assumed_ported = 0.25
[telemetry]
http = "127.0.0.1:9090"
otlp = "http://127.0.0.1:4317"
sample_ratio = 0.25
"#;

#[test]
fn a_relative_path_starts_at_the_folder_of_the_file() {
    let config = parse("signalbox.toml", GOOD, Path::new("/etc/signalbox")).unwrap();
    assert_eq!(
        config.engine,
        Engine::Embedded {
            path: "/etc/signalbox/data/log".into()
        }
    );
    assert_eq!(
        config.table.unwrap(),
        TableFrom::Directory("/etc/signalbox/table".into())
    );
}

#[test]
fn what_is_not_said_of_look_ups_has_its_default() {
    let config = parse("signalbox.toml", GOOD, Path::new("/etc/signalbox")).unwrap();
    let lookup = config.lookup.unwrap();
    assert_eq!(lookup.providers, Path::new("/etc/signalbox/providers.toml"));
    assert_eq!((lookup.budget_otp.as_millis(), lookup.budget.as_millis()), (200, 2_000));
    assert_eq!(
        (lookup.assumed.ported, lookup.assumed.dead),
        (Share::percent(25), Share::percent(1))
    );
    assert_eq!((lookup.dead, lookup.waiting_max), (::router::DeadNumbers::Send, 10_000));
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

const APART: &str = r#"
[bus]
kind = "kafka"
brokers = "one:9092, two:9092"
sasl = { mechanism = "SCRAM-SHA-512", user = "signalbox", password = "hush-bus" }
tls = { ca = "ca.pem" }
[store]
kind = "redis"
url = "rediss://user:hush-store@redis:6380/0"
[ingest]
grpc = "127.0.0.1:7070"
accounts = "accounts.toml"
key_secret = "hush-hush-hush-hush"
"#;

#[test]
fn a_log_and_a_store_apart_are_read_and_their_passwords_never_shown() {
    let config = parse("ingest.toml", APART, Path::new("/etc/signalbox")).unwrap();
    let Engine::Apart { kafka, redis } = &config.engine else {
        panic!("{:?}", config.engine)
    };
    assert_eq!(kafka.brokers, "one:9092,two:9092");
    assert_eq!(
        kafka.tls.as_ref().unwrap().ca.as_ref().unwrap(),
        Path::new("/etc/signalbox/ca.pem")
    );
    assert_eq!(redis.tls, engine::Trust::default());
    let page = shown(&config);
    assert!(
        !page.contains("hush") && !format!("{config:?}").contains("hush"),
        "{page}"
    );
    assert!(page.contains("url = \"rediss://***@redis:6380/0\""), "{page}");
    assert!(page.contains("mechanism = \"SCRAM-SHA-512\""), "{page}");
}

/// What is shown is itself a configuration.
#[test]
fn what_is_shown_can_be_read_again() {
    for text in [GOOD, APART] {
        let config = parse("signalbox.toml", text, Path::new("/etc")).unwrap();
        let page = shown(&config);
        let again =
            parse("shown.toml", &page, Path::new("/etc")).unwrap_or_else(|problems| panic!("{problems}\n{page}"));
        assert_eq!(shown(&again), page);
    }
}

#[test]
fn what_is_traced_is_one_message_in_a_thousand_unless_it_is_said() {
    let traces = |text: &str| parse("signalbox.toml", text, Path::new("")).unwrap().traces;
    let otlp = "http://127.0.0.1:4317".to_owned();
    let sample_ratio = 0.25;
    assert_eq!(
        traces(GOOD),
        Some(Traces {
            otlp: otlp.clone(),
            sample_ratio
        })
    );
    let sample_ratio = 0.001;
    let unsaid = GOOD.replace("sample_ratio = 0.25", "");
    assert_eq!(traces(&unsaid), Some(Traces { otlp, sample_ratio }));
    assert_eq!(traces(APART), None);
}

#[test]
fn traces_that_lead_nowhere_are_refused_with_what_to_write() {
    for (right, wrong, said) in [
        ("0.25", "1.5", "is 1.5, allowed are 0 to 1"),
        ("0.25", "-1", "is -1, allowed are 0 to 1"),
        ("0.25", "nan", "is nan, allowed are 0 to 1"),
        (
            "http://127.0.0.1:4317",
            "127.0.0.1:4317",
            "neither http:// nor https://",
        ),
        ("http://127.0.0.1:4317", "http://", "such as http://127.0.0.1:4317"),
        (
            "http://127.0.0.1:4317",
            "http://here:99999",
            "such as http://127.0.0.1:4317",
        ),
        (
            "http://127.0.0.1:4317",
            "http://user:hush-hush@here:4317",
            "such as http://127.0.0.1:4317",
        ),
        (
            "otlp = \"http://127.0.0.1:4317\"",
            "",
            "add otlp = \"http://HOST:4317\"",
        ),
    ] {
        let problems = parse("signalbox.toml", &GOOD.replace(right, wrong), Path::new(""))
            .unwrap_err()
            .to_string();
        assert!(problems.contains(said) && !problems.contains("hush"), "{problems}");
    }
}

#[test]
fn kinds_that_do_not_go_together_are_refused_with_those_that_do() {
    let pairs = [
        (
            "kind = \"embedded\"\npath = \"log\"",
            "kind = \"redis\"\nurl = \"redis://here\"",
        ),
        (
            "kind = \"kafka\"\nbrokers = \"here:9092\"",
            "kind = \"embedded\"\npath = \"log\"",
        ),
        ("kind = \"kafka\"\nbrokers = \"here:9092\"", "kind = \"memory\""),
        ("kind = \"memory\"", "kind = \"embedded\"\npath = \"log\""),
    ];
    for (bus, store) in pairs {
        let text = format!("[bus]\n{bus}\n[store]\n{store}\n");
        let problems = parse("signalbox.toml", &text, Path::new("")).unwrap_err().to_string();
        assert!(problems.contains("use kafka with redis"), "{problems}");
    }
}

#[test]
fn a_store_apart_asks_for_a_key_secret() {
    let text = APART.replace("key_secret = \"hush-hush-hush-hush\"", "");
    let problems = parse("ingest.toml", &text, Path::new("")).unwrap_err().to_string();
    assert!(
        problems.contains("C052") && problems.contains("openssl rand -hex 16"),
        "{problems}"
    );
}

#[test]
fn addresses_that_lead_nowhere_are_refused_without_their_passwords() {
    for (right, wrong, said) in [
        ("one:9092, two:9092", "one:9092, two", "\"two\" is no host:port"),
        ("rediss://", "http://", "is no URL of Redis"),
        ("ca = \"ca.pem\"", "key = \"key.pem\"", "give both, or neither"),
        (
            "rediss://user:hush-store@redis:6380/0\"",
            "redis://user:hush@redis\"\ntls = { ca = \"ca.pem\" }",
            "rediss:// instead",
        ),
    ] {
        let problems = parse("ingest.toml", &APART.replace(right, wrong), Path::new(""))
            .unwrap_err()
            .to_string();
        assert!(problems.contains(said) && !problems.contains("hush"), "{problems}");
    }
}

#[test]
fn a_variable_reaches_into_an_inline_table_and_leaves_text_text() {
    let file = "[bus]\nsasl = { user = \"a\", password = \"b\" }\n";
    let variables = [("SIGNALBOX__BUS__SASL__PASSWORD".to_owned(), "1234".to_owned())];
    let text = overrides::apply(file, variables.into_iter()).unwrap();
    assert_eq!(text, "[bus]\nsasl = { user = \"a\", password = \"1234\" }\n");
}

#[test]
fn a_table_that_is_published_takes_no_directory() {
    let bus = GOOD.replace("path = \"table\"", "source = \"bus\"");
    let config = parse("signalbox.toml", &bus, Path::new("")).unwrap();
    assert_eq!(config.table, Some(TableFrom::Bus));
    assert!(
        shown(&config).contains("[table]\nsource = \"bus\"\n"),
        "{}",
        shown(&config)
    );
    let both = GOOD.replace("path = \"table\"", "source = \"bus\"\npath = \"table\"");
    let problems = parse("signalbox.toml", &both, Path::new("")).unwrap_err().to_string();
    assert!(problems.contains("error[C056]: \"table.path\""), "{problems}");
    let other = GOOD.replace("path = \"table\"", "source = \"topic\"");
    let problems = parse("signalbox.toml", &other, Path::new("")).unwrap_err().to_string();
    assert!(problems.contains("allowed are directory, bus"), "{problems}");
}

//! `providers.toml`: every problem at once, each at its line with what to do, and no secret in any of them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::time::Duration;

use lookup::{BreakerConfig, ProviderConfig, read_providers};
use table::Micros;

fn read(text: &str) -> Result<Vec<ProviderConfig>, String> {
    read_providers("providers.toml", text, "/nowhere".as_ref()).map_err(|problems| problems.to_string())
}

/// Reads a provider over HTTP with `keys` in its table and `rest` after them.
fn http(keys: &str, rest: &str) -> Result<Vec<ProviderConfig>, String> {
    read(&format!(
        "[[provider]]\nname = \"a\"\nkind = \"http\"\nprice = \"0\"\n{keys}\n[provider.answer]\nmccmnc = \"/n\"\n{rest}"
    ))
}

#[test]
fn what_is_not_said_has_a_default() {
    let found = &http("url = \"https://a/{msisdn}\"", "").unwrap()[0];
    assert_eq!(
        (found.name.as_str(), found.price, found.is_authoritative),
        ("a", Micros(0), false)
    );
    assert_eq!((found.numbers_max, found.rate, found.calls_max), (1, None, 100));
    assert_eq!(
        (found.timeout, found.breaker),
        (Duration::from_secs(2), BreakerConfig::default())
    );
}

#[test]
fn rate_timeout_and_breaker_are_read() {
    let keys = "url = \"https://a/{msisdn}\"\nauthoritative = true\nrate = 50\ncalls_max = 7\ntimeout = \"300ms\"\n\
                breaker = { failures = 3, pause = \"1s\", pause_max = \"1m\" }";
    let found = &http(keys, "").unwrap()[0];
    assert_eq!(
        (found.is_authoritative, found.rate, found.calls_max),
        (true, Some(50), 7)
    );
    assert_eq!(found.timeout, Duration::from_millis(300));
    let breaker = BreakerConfig {
        failures: 3,
        pause: Duration::from_secs(1),
        pause_max: Duration::from_secs(60),
    };
    assert_eq!(found.breaker, breaker);
}

#[test]
fn every_problem_is_told_at_once() {
    let text = r#"
[[provider]]
name = "Atlas One"
kind = "htp"
price = "free"
[[provider]]
name = "b"
kind = "http"
prise = "0.01"
rate = 0
timeout = "2"
url = "https://a/{msidn}"
[provider.answer]
status = "status"
statuses = { ON = "conected" }
[[provider]]
name = "b"
kind = "http"
price = "0.01"
url = "http://b/?n={msisdn}"
[provider.answer]
mcc = "/mcc"
[provider.answer.codes]
"4xx" = "unknown"
"#;
    let expected = "\
providers.toml:3: error[P007]: \"provider.name\" is \"Atlas One\"
  allowed are small letters, digits, - _ and . since it labels metrics
  help: rename it";
    let found = read(text).unwrap_err();
    assert!(found.starts_with(expected), "{found}");
    for line in [
        "providers.toml:4: error[P006]: \"provider.kind\" is \"htp\"",
        "providers.toml:5: error[P007]: \"provider.price\" is refused: \"free\" is no decimal number",
        "providers.toml:9: error[P002]: unknown key \"provider.prise\"",
        "  help: did you mean \"price\"?",
        "providers.toml:10: error[P005]: \"provider.rate\" is 0, allowed are 1 to 1000000",
        "providers.toml:11: error[P007]: \"provider.timeout\" is refused: \"2\" is no duration",
        "providers.toml:12: error[P007]: \"provider.url\" is refused: {msidn} stands for nothing, known are msisdn, did you mean",
        "providers.toml:14: error[P007]: \"provider.answer.status\" is \"status\"",
        "  help: write /status",
        "providers.toml:15: error[P006]: \"provider.answer.statuses.ON\" is \"conected\"",
        "  help: did you mean \"connected\"?",
        "providers.toml:17: error[P009]: \"provider.name\" is \"b\" like the provider in line 7",
        "providers.toml:20: error[P007]: \"provider.url\" is in plain text",
        "providers.toml:22: error[P003]: \"provider.answer.mcc\" is of no use without mnc",
        "\"provider.answer.codes\" names \"4xx\"",
    ] {
        assert!(found.contains(line), "{line}\nis missing in\n{found}");
    }
}

/// One key each that is wrong, and what is said of it.
#[test]
fn each_key_over_http_is_checked() {
    for (keys, rest, expected) in [
        ("url = \"https://a/\"", "", "\"provider.url\" asks about no number"),
        ("url = \"/a/{msisdn}\"", "", "has no https:// and host in front"),
        ("url = \"https://u:p@a/{msisdn}\"", "", "has a user before its host"),
        (
            "url = \"https://{msisdn}.a/\"",
            "",
            "has a host that is not written out",
        ),
        ("url = \"https://a b/{msisdn}\"", "", "is no address"),
        ("url = \"https://a/{msisdn}\"\nbody = \"{}\"", "", "is never sent"),
        (
            "url = \"https://a/\"\nmethod = \"POST\"\nbody = \"{msisdn\"",
            "",
            "is no JSON once the number is in it",
        ),
        (
            "url = \"https://a/{msisdn}\"\nmethod = \"POST\"\nbody = \"1\"\nform = \"1\"",
            "",
            "stands beside body",
        ),
        (
            "url = \"https://a/{msisdn}\"\nheaders = { \"a b\" = \"c\" }",
            "",
            "has no name of a header",
        ),
        (
            "url = \"https://a/{msisdn}\"\nheaders = { a = \"c\\nd\" }",
            "",
            "has a control character",
        ),
        (
            "url = \"https://a/{msisdn}\"\nsecrets = { k = { env = \"SIGNALBOX_NOT_SET\" } }",
            "",
            "\"provider.secrets.k\" cannot be had: environment variable SIGNALBOX_NOT_SET is not set",
        ),
        (
            "url = \"https://a/{msisdn}\"\nsecrets = { k = { file = \"gone\" } }",
            "",
            "/nowhere/gone: No such file",
        ),
        ("url = \"https://a/{msisdn}\"\nsecrets = { k = \"\" }", "", "is empty"),
        (
            "url = \"https://a/{msisdn}\"\nbasic = { user = \"u\" }",
            "",
            "\"provider.basic.password\" is missing",
        ),
        (
            "url = \"https://a/{msisdn}\"\nnumbers_max = 5",
            "",
            "unknown key \"provider.numbers_max\"",
        ),
        (
            "url = \"https://a/{msisdn}\"",
            "mcc = \"/m\"\nmnc = \"/n\"",
            "stands beside mcc",
        ),
        (
            "url = \"https://a/{msisdn}\"",
            "error = \"/e\"",
            "is of no use without errors",
        ),
        (
            "url = \"https://a/{msisdn}\"",
            "ported = \"/{number}\"",
            "{number} stands for nothing",
        ),
        (
            "url = \"https://a/{msisdn}\"\nbreaker = { pause = \"1m\", pause_max = \"1s\" }",
            "",
            "is shorter than pause",
        ),
    ] {
        let found = http(keys, rest).expect_err(keys);
        assert!(found.contains(expected), "{keys}\n{rest}\n{found}");
    }
}

#[test]
fn plain_text_is_for_the_loopback_or_when_asked_for() {
    for host in ["127.0.0.1:80", "localhost", "[::1]:80"] {
        http(&format!("url = \"http://{host}/{{msisdn}}\""), "").unwrap();
    }
    http("plaintext = true\nurl = \"http://gateway/{msisdn}\"", "").unwrap();
}

#[test]
fn secrets_are_not_shown() {
    let keys = "url = \"https://a/{k}/{msisdn}\"\nsecrets = { k = \"hidden\" }\nheaders = { a = \"x {k}\" }\n\
                basic = { user = \"hidden\", password = \"hidden\" }";
    let found = format!("{:?}", http(keys, "").unwrap());
    assert!(!found.contains("hidden") && !found.contains("aGlkZGVu"), "{found}");
    let found = http(&keys.replace("{msisdn}", "{hidden"), "").unwrap_err();
    assert!(!found.contains("x hidden"), "{found}");
}

#[test]
fn a_file_without_providers_is_refused() {
    assert!(read("").unwrap_err().contains("\"provider\" is missing"));
    assert!(
        read("[[provider]]")
            .unwrap_err()
            .contains("\"provider.name\" is missing")
    );
    assert!(read("provider = 3").unwrap_err().contains("wanted is a table"));
    assert!(read("[[provider").unwrap_err().contains("P008"));
}

//! The keys of HTTP links: what is refused where, and what maps hold.

use super::*;
use crate::HttpCode;

const LINK: &str = r#"[[link]]
name = "atlas"
kind = "http"
carriers = ["atlas"]
url = "http://127.0.0.1/send"
json = { to = "{to}", text = "{text}" }
"#;

/// The problems with [`LINK`] after `from` became `to`; a new key is line 7.
fn problems(from: &str, to: &str) -> String {
    read(&LINK.replace(from, to)).map(|_| ()).unwrap_err()
}

fn with(keys: &str) -> String {
    read(&format!("{LINK}{keys}\n")).map(|_| ()).unwrap_err()
}

#[test]
fn little_is_enough() {
    let link = read(LINK).unwrap().remove(0);
    assert_eq!(link.cutting().concatenation, Concatenation::Payload);
    assert_eq!((link.connections(), link.window_in_effect()), (1, 10));
}

#[test]
fn what_is_missing_or_makes_no_sense_is_refused_with_its_line() {
    for (from, to, word) in [
        ("url = \"http://127.0.0.1/send\"", "", "\"link.url\" is missing"),
        ("http://127.0.0.1/send", "http://sms.example.com/send", "in plain text"),
        (
            "http://127.0.0.1/send",
            "https://user:pw@sms.example.com/",
            "has a user before its host",
        ),
        (
            "http://127.0.0.1/send",
            "https://{to}.example.com/",
            "has a host that is not written out",
        ),
        ("{to}", "{too}", "did you mean {to}?"),
        ("{text}", "text", "{text} stands in neither"),
        ("{to}", "to", "{to} stands in neither"),
        ("json = {", "method = \"GET\"\njson = {", "only POST has a body"),
        ("json = {", "form = {}\njson = {", "a request has one of them"),
        (
            "json = {",
            "json = { url = \"{receipt_url}\",",
            "{receipt_url} is the url of the link's webhook",
        ),
        ("json = {", "secrets = { to = \"x\" }\njson = {", "rename it"),
        (
            "json = {",
            "secrets = { key = { env = \"NOBODY_SETS_THIS\" } }\njson = {",
            "cannot be had",
        ),
    ] {
        let problems = problems(from, to);
        assert!(
            problems.contains("links.toml:") && problems.contains(word),
            "{from} -> {to}: {problems}"
        );
    }
    for (keys, word) in [
        ("headers = { \"a b\" = \"x\" }", "has no name of a header"),
        ("headers = { a = \"x\\ny\" }", "control character"),
        ("idempotency_header = \"a b\"", "no name of a header"),
        ("answer = { id = \"id\" }", "write /id"),
        ("answer = { success = [199] }", "allowed are 200 to 599"),
        ("answer = { ok = { at = \"/a\" } }", "ok.is\" is missing"),
        ("answer = { idd = \"/id\" }", "unknown key"),
        ("credentials_pause = \"1ms\"", "allowed are 1s to 1h"),
        ("ca = \"gone.pem\"\nurl2 = 1", "unknown key"),
        ("outcomes = { 4xx = \"next\" }", "neither a status of HTTP"),
        ("outcomes = { 404 = \"drop\" }", "is no action"),
        ("codes = { a = 21610 }\noutcomes = { b = \"next\" }", "\"b\" is neither"),
    ] {
        let problems = with(keys);
        assert!(
            problems.contains("links.toml:7") || problems.contains("links.toml:8"),
            "{keys}: {problems}"
        );
        assert!(problems.contains(word), "{keys}: {problems}");
    }
}

#[test]
fn a_webhook_says_where_what_and_how_it_is_proved() {
    let hook = |keys: &str| format!("answer = {{ id = \"/id\" }}\n[link.webhook]\n{keys}");
    let whole = "listen = \"127.0.0.1:9\"\nurl = \"https://a.example/x\"\nreceipts = { id = \"id\", status = \"s\" }\n";
    assert!(read(&format!("{LINK}{}unproved = true\n", hook(whole))).is_ok());
    for (keys, word) in [
        (whole.to_owned(), "whoever knows the address could end messages"),
        (whole.replace("127.0.0.1:9", "localhost"), "write 127.0.0.1:8090"),
        (whole.replace("https://a.example/x", "/x"), "is no address"),
        (
            whole.replace("https://a.example/x", "https://a.example/{key}"),
            "{key} stands for nothing",
        ),
        (
            whole.replace("receipts = { id = \"id\", status = \"s\" }", ""),
            "nothing would be heard",
        ),
        (whole.replace("id = \"id\", ", ""), "receipts.id\" is missing"),
        (format!("{whole}path = \"x\""), "is no path"),
        (format!("{whole}proof = {{ secret = \"x\" }}"), "names no proof"),
        (format!("{whole}proof = {{ header = \"x\", value = \"\" }}"), "is empty"),
        (
            format!(
                "{whole}proof = {{ hmac = \"md5\", key = \"k\", over = \"body\", header = \"x\", encoding = \"hex\" }}"
            ),
            "allowed are sha1, sha256, sha512",
        ),
        (
            format!(
                "{whole}proof = {{ hmac = \"sha1\", key = \"k\", over = \"head\", header = \"x\", encoding = \"hex\" }}"
            ),
            "allowed are url, bare_url, body, form",
        ),
        (
            whole.replace("status = \"s\"", "status = \"s\", times = \"often\""),
            "allowed are any, unix, unix_ms",
        ),
    ] {
        let problems = with(&hook(&keys));
        assert!(problems.contains(word), "{keys}: {problems}");
    }
    let without_id = with(&format!("[link.webhook]\n{whole}unproved = true"));
    assert!(
        without_id.contains("a receipt tells its message by the id of the answer"),
        "{without_id}"
    );
}

#[test]
fn a_secret_in_the_path_proves_enough() {
    let text = "answer = { id = \"/id\" }\nsecrets = { key = \"k/1\" }\n[link.webhook]\nlisten = \"127.0.0.1:9\"\n\
                url = \"https://a.example/r/{key}?a=b\"\nreceipts = { id = \"id\", status = \"s\" }\n";
    let link = read(&format!("{LINK}{text}")).unwrap().remove(0);
    let LinkKind::Http(http) = &link.kind else {
        panic!("HTTP")
    };
    assert_eq!(http.hook.as_ref().unwrap().path(), "/r/k%2F1");
    let elsewhere = text.replace("/r/{key}?a=b", "/r?key={key}");
    assert!(
        with(&elsewhere).contains("whoever knows the address"),
        "a query is not looked at"
    );
}

#[test]
fn maps_hold_statuses_and_words_of_the_body_and_are_shared() {
    let maps = "map = \"theirs\"\ncodes = { throttled = 20429 }\noutcomes = { throttled = \"hold\", 404 = \"fail\" }\n\
                [map.theirs]\noutcomes = { \"body REJECTED\" = \"next as content\", 404 = \"next\" }\n";
    let link = read(&format!("{LINK}{maps}")).unwrap().remove(0);
    let action = |code: HttpCode| link.outcomes.http.rule(code).action.to_string();
    assert_eq!(action(HttpCode::body("20429").unwrap()), "hold");
    assert_eq!(action(HttpCode::Status(404)), "fail", "the link's own word counts");
    let rejected = link.outcomes.http.rule(HttpCode::body("REJECTED").unwrap());
    assert_eq!(
        (rejected.action.to_string().as_str(), rejected.code),
        ("next", "content")
    );
    assert_eq!(link.outcomes.http.name(HttpCode::body("20429").unwrap()), "throttled");
}

#[test]
fn links_do_not_share_a_path() {
    let hook = "secrets = { key = \"k\" }\nanswer = { id = \"/id\" }\n[link.webhook]\nlisten = \"127.0.0.1:9\"\n\
                url = \"https://a.example/{key}\"\nreceipts = { id = \"id\", status = \"s\" }\n";
    let other = LINK.replace("atlas", "cirrus");
    let both = |hook_of_other: &str| read(&format!("{LINK}{hook}{other}{hook_of_other}"));
    assert_eq!(both(&hook.replace("\"k\"", "\"other\"")).unwrap().len(), 2);
    let problems = both(hook).unwrap_err();
    assert!(
        problems.contains("links.toml:") && problems.contains("as that of link atlas"),
        "{problems}"
    );
    assert!(!problems.contains("/k"), "{problems}");
}

//! The keys of a gRPC link: what is read, and what is refused where.

use std::{path::Path, time::Duration};

use crate::{Concatenation, GrpcAnswer, LinkConfig, LinkKind, read_links};

fn read(text: &str) -> Result<Vec<LinkConfig>, String> {
    read_links("links.toml", text, Path::new(".")).map_err(|problems| problems.to_string())
}

#[test]
fn every_key_is_read() {
    let text = r#"
[[link]]
name = "atlas"
kind = "grpc"
carriers = ["atlas"]
url = "https://sms.atlas.example:443"
key = "k3y"
window = 200
rate = 500
keep_alive = "30s"
reconnect_min = "2s"
reconnect_max = "30s"
credentials_pause = "10m"
codes = { spam = 1001 }
outcomes = { spam = "fail as content", REFUSAL_THROTTLED = "hold 1 then next", UNAVAILABLE = "hold" }
receipt_states = { SENT = "enroute" }
map = "wholesale"
[map.wholesale]
outcomes = { REFUSAL_THROTTLED = "next", 1002 = "next" }
"#;
    let link = read(text).unwrap().remove(0);
    let LinkKind::Grpc(grpc) = &link.kind else {
        panic!("gRPC")
    };
    assert_eq!(
        (&*grpc.url, grpc.keep_alive),
        ("https://sms.atlas.example:443", Duration::from_secs(30))
    );
    assert_eq!(grpc.reconnect, Duration::from_secs(2)..=Duration::from_secs(30));
    assert_eq!(grpc.credentials_pause, Duration::from_secs(600));
    assert_eq!(grpc.key.as_ref().unwrap().reveal(), "k3y");
    let map = &link.outcomes.grpc;
    let action = |answer: &str| map.rule(answer.parse().unwrap()).action.to_string();
    assert_eq!(map.rule(GrpcAnswer::Refusal(1_001)).code, "content");
    assert_eq!(map.name(GrpcAnswer::Refusal(1_001)), "spam");
    assert_eq!((&*action("1001"), &*action("1002")), ("fail", "next"));
    assert_eq!(
        (&*action("REFUSAL_THROTTLED"), &*action("UNAVAILABLE")),
        ("hold 1 then next", "hold")
    );
    assert_eq!((link.connections(), link.window_in_effect()), (1, 200));
    assert_eq!(link.cutting().concatenation, Concatenation::Payload);
    assert!(!format!("{link:?}").contains("k3y"), "the key is masked");
}

/// A map is read in the words of each link that names it.
#[test]
fn a_map_of_words_that_a_link_does_not_speak_is_refused() {
    let text = r#"
[[link]]
name = "atlas"
kind = "grpc"
carriers = ["atlas"]
url = "https://sms.atlas.example"
map = "smpp-words"
[map.smpp-words]
outcomes = { ESME_RTHROTTLED = "next" }
"#;
    let problems = read(text).unwrap_err();
    assert!(problems.contains("links.toml:9: error"), "{problems}");
    assert!(problems.contains("no refusal like REFUSAL_THROTTLED"), "{problems}");
}

#[test]
fn an_address_is_encrypted_unless_it_stays_on_this_machine_or_somebody_says_so() {
    let url = |url: &str, more: &str| {
        read(&format!(
            "[[link]]\nname = \"a\"\nkind = \"grpc\"\ncarriers = [\"a\"]\nurl = \"{url}\"\n{more}\n"
        ))
        .map(|links| links.len())
    };
    for good in [
        "https://sms.atlas.example",
        "https://10.0.0.1:8443",
        "http://127.0.0.1:50051",
        "http://[::1]:50051",
        "http://localhost:1",
    ] {
        assert_eq!(url(good, ""), Ok(1), "{good}");
    }
    assert_eq!(url("http://10.0.0.1:1", "plaintext = true"), Ok(1));
    for (bad, word) in [
        ("http://10.0.0.1:1", "is in plain text"),
        ("ftp://a", "no https://"),
        ("atlas.example:443", "no https://"),
        ("https://me:secret@atlas.example", "has a user"),
        ("https://atlas.example/v1", "has a path"),
        ("", "url"),
    ] {
        let problems = url(bad, "").unwrap_err();
        assert!(
            problems.contains("links.toml:5: error") && problems.contains(word),
            "{bad}: {problems}"
        );
    }
}

#[test]
fn every_problem_is_told_at_once_with_its_line() {
    let text = r#"
[[link]]
name = "atlas"
kind = "grpc"
carriers = ["atlas"]
url = "http://127.0.0.1:1"
key = "two words"
tls = {}
concatenation = "udh8"
keep_alive = "1ms"
address = "here:1"
codes = { spam = 999, OK = 1000 }
outcomes = { OK = "next", REFUSAL_BOGUS = "next", ESME_RSYSERR = "next" }
[[link]]
name = "borealis"
kind = "grpc"
carriers = ["borealis"]
"#;
    let problems = read(text).unwrap_err();
    for (line, word) in [
        (7, "no header may have"),
        (8, "nothing without https://"),
        (9, "has no meaning"),
        (10, "keep_alive"),
        (11, "address"),
        (12, "is no code of this protocol"),
        (12, "the protocol's own"),
        (13, "is success"),
        (13, "REFUSAL_BOGUS"),
        (13, "ESME_RSYSERR"),
        (14, "url"),
    ] {
        let is_told = problems.split("\nlinks.toml:").any(|problem| {
            problem
                .trim_start_matches("links.toml:")
                .starts_with(&format!("{line}:"))
                && problem.contains(word)
        });
        assert!(is_told, "line {line}: {word}\n{problems}");
    }
}

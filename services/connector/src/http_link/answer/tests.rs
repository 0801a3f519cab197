//! Every status, alone and with a body.

use web::StatusCode;

use super::*;
use crate::outcome::HttpCode;

fn answer(status: u16, body: &str) -> Answer {
    Answer {
        status: StatusCode::from_u16(status).unwrap(),
        retry_after: None,
        body: Ok(body.to_owned().into()),
    }
}

fn shape() -> AnswerShape {
    AnswerShape {
        id: Some("/id".to_owned()),
        code: Some("/code".to_owned()),
        ..AnswerShape::default()
    }
}

/// What each status comes to with nothing in the body, in the words of a map.
fn said(status: u16) -> String {
    let read = read(&shape(), &OutcomeMap::default(), &[], &answer(status, "{}"));
    match read.verdict {
        Verdict::Taken { .. } => "accept".to_owned(),
        Verdict::Unanswered => "unanswered".to_owned(),
        Verdict::Refused { rule, .. } => format!("{} as {}", rule.action, rule.code),
        other => panic!("{other:?}"),
    }
}

/// Every status from 100 to 599 against the map: what has no rule is unmapped and told, and none ends a message.
#[test]
fn every_status_comes_to_what_its_map_says() {
    for status in 100..=599 {
        let rule = OutcomeMap::<HttpCode>::default().rule(HttpCode::Status(status));
        let wanted = match status {
            200..=299 => "accept".to_owned(),
            504 => "unanswered".to_owned(),
            _ => format!("{} as {}", rule.action, rule.code),
        };
        assert_eq!(said(status), wanted, "{status}");
        let read = read(&shape(), &OutcomeMap::default(), &[], &answer(status, "{}"));
        assert_eq!(read.unmapped.is_some(), wanted.ends_with("unmapped"), "{status}");
    }
}

#[test]
fn a_body_that_could_mean_anything_never_fails_a_success() {
    for body in [
        "",
        "[]",
        "7",
        "null",
        "\"id\"",
        r#"{"id":null}"#,
        r#"{"id":{}}"#,
        r#"{"id":""}"#,
        "{\"id\":\"a\\u0000b\"}",
    ] {
        let read = read(&shape(), &OutcomeMap::default(), &[], &answer(200, body));
        let is_json = serde_json::from_str::<Value>(body).is_ok();
        match is_json {
            true => assert_eq!(
                (read.verdict, read.oddity),
                (taken(""), Some("answer_without_id")),
                "{body}"
            ),
            false => assert_eq!(
                (read.verdict, read.oddity),
                (Verdict::Unanswered, Some("answer_garbled")),
                "{body}"
            ),
        }
    }
}

#[test]
fn success_is_what_the_link_says() {
    let shape = AnswerShape {
        success: vec![202],
        ..AnswerShape::default()
    };
    let verdict = |status| read(&shape, &OutcomeMap::default(), &[], &answer(status, "")).verdict;
    assert_eq!(verdict(202), taken(""));
    assert!(matches!(verdict(200), Verdict::Refused { rule, .. } if rule == UNMAPPED));
}

#[test]
fn numbers_of_people_do_not_get_through() {
    let shape = AnswerShape {
        detail: Some("/code".to_owned()),
        ..shape()
    };
    let body = r#"{"code":"bad 447700900123"}"#;
    let read = read(&shape, &OutcomeMap::default(), &[], &answer(400, body));
    let Verdict::Refused { detail, .. } = read.verdict else {
        panic!("{read:?}")
    };
    assert_eq!(detail, "HTTP 400 body bad ************: bad ************");
}

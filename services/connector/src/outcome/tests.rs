//! The default map over every status, and overrides.

use super::*;

/// The word of the practice for every status, held against the map; a status of the specification that is not listed
/// here must be unmapped.
#[test]
fn every_status_of_the_specification_has_the_expected_action() {
    let map = OutcomeMap::default();
    let expected = [
        ("accept", "ROK"),
        ("hold", "RTHROTTLED"),
        ("hold 2 then next", "RMSGQFUL"),
        ("hold 1 then next", "RSYSERR RX_T_APPN RUNKNOWNERR"),
        ("next then fail", "RX_P_APPN RINVDSTADR"),
        (
            "link_down",
            "RINVBNDSTS RALYBND RBINDFAIL RINVPASWD RINVSYSID RINVSYSTYP RINVSERTYP",
        ),
    ];
    for (name, status) in Status::named() {
        let wanted = expected
            .iter()
            .find(|(_, names)| names.split(' ').any(|known| known == name));
        let wanted = wanted.map_or("next", |(action, _)| action);
        assert_eq!(map.rule(status).action.to_string(), wanted, "{name}");
    }
}

#[test]
fn a_status_that_nobody_mapped_goes_to_the_next_carrier_and_says_so() {
    let map = OutcomeMap::default();
    for vendor in 0x400..0x500 {
        assert_eq!(map.rule(Status(vendor)), UNMAPPED);
    }
    assert_eq!(map.rule(Status::RQUERYFAIL), UNMAPPED);
}

#[test]
fn a_link_replaces_the_action_and_keeps_the_word() {
    let mut map = OutcomeMap::default();
    map.set(Status::RTHROTTLED, Action::Fail);
    map.set(Status(0x421), Action::LinkDown);
    assert_eq!(
        map.rule(Status::RTHROTTLED),
        Rule {
            action: Action::Fail,
            code: "throttled"
        }
    );
    assert_eq!(
        map.rule(Status(0x421)),
        Rule {
            action: Action::LinkDown,
            code: "mapped"
        }
    );
}

/// Every status that IANA lists, by what becomes of a message; one that is not listed here must be unmapped.
#[test]
fn every_status_of_http_has_the_expected_action() {
    let map = OutcomeMap::<HttpCode>::default();
    let expected: [(&str, &[u16]); 6] = [
        ("hold", &[425, 429]),
        ("hold 2 then next", &[409, 503]),
        ("hold 1 then next", &[408, 423, 424, 500, 502, 507]),
        ("unanswered", &[504]),
        ("link_down", &[401, 402, 403, 407]),
        (
            "next",
            &[
                300, 301, 302, 303, 304, 305, 307, 308, 400, 404, 405, 406, 410, 411, 412, 413, 414, 415, 416, 417,
                421, 422, 426, 428, 431, 451, 501, 505, 506, 508, 510, 511,
            ],
        ),
    ];
    for status in 100..=599 {
        let wanted = expected.iter().find(|(_, statuses)| statuses.contains(&status));
        let rule = map.rule(HttpCode::Status(status));
        match wanted {
            Some((action, _)) => assert_eq!(rule.action.to_string(), *action, "{status}"),
            None => assert_eq!(rule, UNMAPPED, "{status}"),
        }
    }
}

#[test]
fn statuses_and_words_of_the_body_are_told_apart() {
    let read = |text: &str| text.parse::<HttpCode>();
    assert_eq!(read("429"), Ok(HttpCode::Status(429)));
    assert_eq!(read("body 429"), Ok(HttpCode::body("429").unwrap()));
    assert_eq!(read("21610"), read("body 21610"));
    assert_eq!(HttpCode::of_number(600), HttpCode::body("600"));
    let longest = "é".repeat(24);
    assert_eq!(HttpCode::body(&longest).unwrap().spelled(), format!("body {longest}"));
    assert_eq!(HttpCode::body(&format!("{longest}x")), None);
    for wrong in ["", "too_many", "body ", "-1", "4xx"] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}

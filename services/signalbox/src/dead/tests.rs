//! What people see of dead records.

use super::*;

fn record() -> pb::DeadRecord {
    let at = |seconds| {
        Some(prost_types::Timestamp {
            seconds,
            nanos: 5_000_000,
        })
    };
    pb::DeadRecord {
        id: "1a0c4506c00-dcb68069".to_owned(),
        set_aside_at: at(1_790_000_000),
        topic: "signalbox.outcomes".to_owned(),
        fault: "checksum".to_owned(),
        reason: "record was cut\u{1b}[2J short".to_owned(),
        size: 283,
        omitted: 0,
        stored_at: at(1_789_999_999),
        key: 7,
        replayed_at: None,
    }
}

#[test]
fn a_line_says_what_when_where_and_why_and_moves_no_cursor() {
    let line = "1a0c4506c00-dcb68069  2026-09-21T14:13:20.005Z  signalbox.outcomes  checksum  283               \
                record was cut\\u{1b}[2J short\n";
    let shown = table(&[record()], true);
    assert!(
        shown.starts_with("ID                    SET ASIDE                 TOPIC "),
        "{shown}"
    );
    assert_eq!(
        shown.lines().nth(1).map(|line| format!("{line}\n")),
        Some(line.to_owned())
    );
}

#[test]
fn octets_are_shown_only_where_asked_for() {
    let shown = pb::ShowDeadResponse {
        record: Some(record()),
        octets: vec![0xAB; 33].into(),
        reading: Some(Reading::Unreadable("written in format 2".to_owned())),
    };
    let short = sheet(&shown, false);
    assert!(
        !short.contains("abab") && short.contains("now         not readable: written in format 2"),
        "{short}"
    );
    let full = sheet(&shown, true);
    assert!(
        full.ends_with(&format!("00000000    {}\n00000020    ab\n", "ab".repeat(32))),
        "{full}"
    );
}

#[test]
fn since_is_an_instant_or_a_span() {
    assert_eq!(since("2026-09-21T14:13:20Z").unwrap().seconds, 1_790_000_000);
    let hour_ago = since("1h").unwrap().seconds;
    let now = i64::try_from(Clock::wall().now().0 / 1_000).unwrap();
    assert!((now - hour_ago - 3_600).abs() < 10);
    assert!(since("yesterday").unwrap_err().to_string().contains("--since"));
}

#[test]
fn programs_get_an_object() {
    let object = object(&record());
    assert_eq!(object["octets"], 283);
    assert_eq!(object["replayed_at"], serde_json::Value::Null);
    assert_eq!(object["stored_at"], "2026-09-21T14:13:19.005Z");
}

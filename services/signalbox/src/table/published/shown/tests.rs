//! What people read.

use super::*;

fn table() -> pb::PublishedTable {
    pb::PublishedTable {
        number: 12,
        version: "0123456789abcdef".to_owned(),
        at: Some(prost_types::Timestamp {
            seconds: 1_767_225_600,
            nanos: 0,
        }),
        confirm_by: Some(prost_types::Timestamp {
            seconds: 1_767_225_900,
            nanos: 0,
        }),
        who: "ann".to_owned(),
        note: "atlas is\u{1b}[2Jcheaper".to_owned(),
        state: pb::TableState::Pending.into(),
        ..pb::PublishedTable::default()
    }
}

#[test]
fn a_version_is_told_in_a_line_and_until_when_it_may_be_confirmed_in_another() {
    assert_eq!(
        line("published", &table()),
        "published: version 12 (0123456789abcdef), by ann: atlas is\\u{1b}[2Jcheaper\n  until 2026-01-01T00:05:00Z unless it is confirmed"
    );
}

#[test]
fn a_router_that_lags_is_shown_with_its_reason() {
    let router = |router: &str, number, fault: &str| pb::ServingRouter {
        router: router.to_owned(),
        number,
        version: if number > 0 {
            "0123456789abcdef".to_owned()
        } else {
            String::new()
        },
        said_at: Some(prost_types::Timestamp {
            seconds: 1_767_225_600,
            nanos: 0,
        }),
        fault: fault.to_owned(),
    };
    let status = pb::WatchTablesResponse {
        routers: vec![
            router("router-0", 12, ""),
            router("router-11", 0, "table.toml:1: error"),
        ],
        ..pb::WatchTablesResponse::default()
    };
    assert_eq!(
        routers(&status),
        "ROUTER     NUMBER  VERSION           SAID                  FAULT\n\
         router-0   12      0123456789abcdef  2026-01-01T00:00:00Z\n\
         router-11  -       none              2026-01-01T00:00:00Z  table.toml:1: error\n"
    );
}

#[test]
fn a_program_reads_absence_as_null() {
    let object = object(&pb::PublishedTable {
        confirm_by: None,
        ..table()
    });
    assert_eq!(
        (&object["confirm_by"], &object["again"], &object["state"]),
        (&Value::Null, &Value::Null, &"to confirm".into())
    );
}

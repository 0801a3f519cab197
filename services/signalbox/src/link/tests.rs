//! How links are shown.

use super::*;

fn link() -> pb::Link {
    pb::Link {
        name: "atlas".into(),
        kind: "smpp".into(),
        carriers: vec!["atlas".into(), "atlas-premium".into()],
        state: LinkState::Up.into(),
        since: Some(prost_types::Timestamp {
            seconds: 1_000,
            nanos: 0,
        }),
        binds_up: 2,
        binds: 2,
        window_slots: 50,
        window_used: 7,
        account: "atlas".into(),
        rate_configured: Some(100),
        rate_ordered: None,
        rate_in_force: Some(50),
        queued: 12,
        in_flight: 7,
        parts_taken: 10_000,
        round_trip_last: None,
        round_trip_p50: Some(prost_types::Duration {
            seconds: 0,
            nanos: 12_340_000,
        }),
        error: String::new(),
        error_at: None,
        unmapped_codes: 0,
    }
}

fn shown(links: &[(&str, pb::Link)], has_several: bool) -> Vec<String> {
    let now = Timestamp::from_second(8_000).unwrap();
    table(links, has_several, now).lines().map(str::to_owned).collect()
}

#[test]
fn a_link_is_one_line_and_a_connector_is_named_where_there_are_several() {
    let lines = shown(&[("http://a", link())], false);
    assert_eq!(
        lines,
        [
            "LINK   KIND  STATE  SINCE  BINDS  WINDOW  RATE/S  LIMIT/S  QUEUED  FLYING  P50    UNMAPPED  CARRIERS             LAST ERROR",
            "atlas  smpp  up     116m   2/2    7/50    50      100      12      7       12 ms  0         atlas,atlas-premium  -",
        ]
    );
    let lines = shown(&[("http://a", link()), ("http://b", link())], true);
    assert!(lines[2].starts_with("http://b   atlas  "), "{lines:?}");
}

#[test]
fn an_order_stands_out_and_an_error_has_its_age() {
    let paused = pb::Link {
        state: LinkState::Paused.into(),
        rate_ordered: Some(60),
        binds_up: 0,
        error: "10.0.0.1:2775:\u{1b}[2J refused".into(),
        error_at: Some(prost_types::Timestamp {
            seconds: 7_990,
            nanos: 0,
        }),
        ..link()
    };
    let line = &shown(&[("http://a", paused.clone())], false)[1];
    assert!(line.contains("paused (down)"), "{line}");
    assert!(line.contains("60 ordered"), "{line}");
    assert!(line.ends_with("10s ago: 10.0.0.1:2775:\\u{1b}[2J refused"), "{line}");
    assert_eq!(
        sentence(&paused),
        "atlas is paused: submits nothing new, 12 orders are held, 7 are in flight; until: signalbox link resume atlas"
    );
    assert_eq!(
        limit(&paused),
        "account atlas is limited to 60/s by order (100/s configured)"
    );
}

#[test]
fn a_rate_outside_its_limits_is_refused_with_them() {
    assert_eq!("50".parse(), Ok(RateWord(Some(50))));
    assert_eq!("configured".parse(), Ok(RateWord(None)));
    for text in ["0", "100001", "fast", "-1", ""] {
        let refused = text.parse::<RateWord>().unwrap_err();
        assert!(refused.contains("1 to 100000"), "{refused}");
    }
}

//! Instants read and written.

use sms::UnixMs;

use super::{InstantError, Span, instant, instant_text, unix_ms};

#[test]
fn dates_are_their_midnight_and_instants_are_utc() {
    assert_eq!(instant("1970-01-02"), Ok(86_400_000));
    assert_eq!(instant("1970-01-01T00:00:01Z"), Ok(1_000));
    assert_eq!(instant("1970-01-01t00:00:01.5z"), Ok(1_500));
    assert_eq!(instant("1970-01-01T00:00:01+00:00"), Ok(1_000));
    assert_eq!(instant("1969-12-31T23:59:59.9995Z"), Ok(0));
    assert!(matches!(
        instant("1970-01-01T00:00:01+01:00"),
        Err(InstantError::Offset(_))
    ));
    assert!(matches!(instant("1970-01-01T00:00:01"), Err(InstantError::Zoneless(_))));
    for text in [
        "",
        "now",
        "1970-1-1",
        "19700101",
        "1970-W01-1",
        "1970-02-30",
        "10:00:00",
        "1970-01-01T25:00:00Z",
    ] {
        assert!(matches!(instant(text), Err(InstantError::Format(_))), "{text}");
    }
}

#[test]
fn queries_may_use_any_offset_from_1970_on() {
    assert_eq!(unix_ms("1970-01-01T01:00:00+01:00"), Ok(UnixMs(0)));
    assert!(matches!(unix_ms("1969-12-31"), Err(InstantError::Early(_))));
    assert_eq!(instant_text(UnixMs(1_795_262_400_000)), "2026-11-21T12:00:00Z");
    assert_eq!(instant_text(UnixMs(1_795_262_400_250)), "2026-11-21T12:00:00.250Z");
    assert!(instant_text(UnixMs(u64::MAX)).starts_with("9999-12-"));
}

#[test]
fn spans_are_half_open() {
    let span = Span { from: 10, until: 20 };
    assert_eq!(
        [9, 10, 19, 20].map(|at| span.contains(UnixMs(at))),
        [false, true, true, false]
    );
    assert!(Span::ALWAYS.contains(UnixMs(u64::MAX)));
}

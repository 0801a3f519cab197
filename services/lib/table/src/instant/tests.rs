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
        "10:00:00",
        "1970-01-01T25:00:00Z",
        "2026-11-21T12:00:00+05:00Z",
        "2026-11-21T12:00:00+05:00+00:00",
        "2026-11-21T12:00:00-05Z",
        "2026-11-21T12:00:00ZZ",
    ] {
        assert!(matches!(instant(text), Err(InstantError::Format(_))), "{text}");
    }
}

#[test]
fn the_last_day_is_one_and_the_thirtieth_of_february_is_told() {
    let last = 253_402_214_400_000;
    assert_eq!(instant("9999-12-31"), Ok(last));
    for text in [
        "9999-12-31T00:00:00Z",
        "9999-12-31t00:00:00z",
        "9999-12-31T00:00:00+00:00",
    ] {
        assert_eq!(instant(text), Ok(last), "{text}");
    }
    assert_eq!(instant("9999-12-31T23:59:59.999Z"), Ok(last + 86_399_999));
    assert_eq!(instant_text(UnixMs(253_402_214_400_000)), "9999-12-31T00:00:00Z");
    assert_eq!(instant_text(UnixMs(u64::MAX)), "9999-12-31T23:59:59.999Z");
    let said = |text: &str| instant(text).expect_err("no day").to_string();
    assert_eq!(
        said("2026-02-30"),
        "\"2026-02-30\" is no such day: February 2026 has 28 days"
    );
    assert_eq!(
        said("2024-02-30T12:00:00Z"),
        "\"2024-02-30T12:00:00Z\" is no such day: February 2024 has 29 days"
    );
    assert_eq!(
        said("2026-13-01"),
        "\"2026-13-01\" is no such day: a year has 12 months"
    );
    assert!(matches!(
        instant("2026-02-30T12:00:00"),
        Err(InstantError::NoSuchDay(..))
    ));
}

#[test]
fn queries_may_use_any_offset_from_1970_on() {
    assert_eq!(unix_ms("1970-01-01T01:00:00+01:00"), Ok(UnixMs(0)));
    assert!(matches!(unix_ms("1969-12-31"), Err(InstantError::Early(_))));
    assert!(matches!(
        unix_ms("2026-11-21T12:00:00+05:00Z"),
        Err(InstantError::Format(_))
    ));
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

//! Times of validity, relative and absolute.

use super::*;

/// 2026-11-21T12:00:00Z.
const NOW: UnixMs = UnixMs(1_795_262_400_000);

#[test]
fn relative_form_counts_days_hours_minutes_and_seconds() {
    assert_eq!(relative_validity(Duration::from_secs(120)), "000000000200000R");
    assert_eq!(
        relative_validity(Duration::from_secs(2 * 86_400 + 3 * 3_600 + 4 * 60 + 5)),
        "000002030405000R"
    );
    assert_eq!(
        relative_validity(Duration::ZERO),
        "000000000001000R",
        "nothing would mean no validity at all"
    );
    assert_eq!(relative_validity(Duration::from_secs(90 * 86_400)), "000031000000000R");
}

#[test]
fn what_is_written_reads_back() {
    for seconds in [1, 59, 60, 3_599, 86_399, 86_400, 31 * 86_400] {
        let span = Duration::from_secs(seconds);
        assert_eq!(relative_validity(span).len(), 16);
        assert_eq!(validity_duration(&relative_validity(span), NOW), Some(span));
        let at = UnixMs(NOW.0 + seconds * 1_000);
        assert_eq!(validity_duration(&absolute_validity(at).unwrap(), NOW), Some(span));
    }
}

#[test]
fn absolute_form_is_utc_with_tenths() {
    assert_eq!(absolute_validity(NOW).unwrap(), "261121120000000+");
    assert_eq!(absolute_validity(UnixMs(NOW.0 + 1_950)).unwrap(), "261121120001900+");
    assert_eq!(absolute_validity(UnixMs(0)), None);
}

#[test]
fn quarter_hours_shift_the_absolute_form() {
    assert_eq!(
        validity_duration("261121140000008+", NOW),
        Some(Duration::ZERO),
        "two hours ahead of UTC"
    );
    assert_eq!(
        validity_duration("261121120000008-", NOW),
        Some(Duration::from_secs(7_200))
    );
}

#[test]
fn anything_else_is_no_time() {
    for text in [
        "",
        "261121120000000",
        "261121120000000Z",
        "261321120000000+",
        "26112112000000x+",
        "260230120000000+",
    ] {
        assert_eq!(validity_duration(text, NOW), None, "{text}");
    }
}

//! When a carrier says that something happened, in the ways in which carriers write times.

use std::time::Duration;

use jiff::{Timestamp, civil::DateTime, fmt::strtime};
use sms::UnixMs;

/// How the times of a link are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum TimeFormat {
    /// As in RFC 3339 or RFC 2822, or by the clock of UTC without a zone: `2026-01-31 12:30:00.123`.
    #[default]
    Any,
    /// Seconds since 1970.
    Unix,
    /// Milliseconds since 1970.
    UnixMs,
    /// As `strftime` writes it; UTC where it names no zone.
    Pattern(String),
}

impl TimeFormat {
    /// The instant that `text` names; `None` = it names none.
    pub(super) fn read(&self, text: &str) -> Option<UnixMs> {
        let text = text.trim();
        let instant = match self {
            Self::Any => any(text)?,
            Self::Unix => Timestamp::UNIX_EPOCH.checked_add(seconds(text)?).ok()?,
            Self::UnixMs => Timestamp::from_millisecond(text.parse().ok()?).ok()?,
            Self::Pattern(pattern) => pattern_of(pattern, text)?,
        };
        u64::try_from(instant.as_millisecond()).ok().map(UnixMs)
    }
}

fn any(text: &str) -> Option<Timestamp> {
    let as_utc = |time: DateTime| {
        time.to_zoned(jiff::tz::TimeZone::UTC)
            .ok()
            .map(|zoned| zoned.timestamp())
    };
    let rfc_3339 = text.parse::<Timestamp>().ok();
    let without_zone = || text.parse::<DateTime>().ok().and_then(as_utc);
    let rfc_2822 = || jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp());
    rfc_3339.or_else(without_zone).or_else(rfc_2822)
}

fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

fn pattern_of(pattern: &str, text: &str) -> Option<Timestamp> {
    let read = strtime::parse(pattern, text).ok()?;
    let as_utc = || read.to_datetime().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok();
    read.to_timestamp()
        .ok()
        .or_else(|| as_utc().map(|zoned| zoned.timestamp()))
}

#[cfg(test)]
mod tests {
    //! Times as carriers write them.

    use super::*;

    #[test]
    fn times_are_read_in_the_ways_in_which_carriers_write_them() {
        let noon = Some(UnixMs(1_767_268_800_000));
        let any = [
            "2026-01-01T12:00:00Z",
            "2026-01-01T13:00:00.000+01:00",
            "2026-01-01T12:00:00.000+0000",
            "2026-01-01 12:00:00",
            "2026-01-01 12:00:00.000000",
            "Thu, 1 Jan 2026 12:00:00 +0000",
        ];
        for text in any {
            assert_eq!(TimeFormat::Any.read(text), noon, "{text}");
        }
        assert_eq!(TimeFormat::Unix.read("1767268800"), noon);
        assert_eq!(TimeFormat::UnixMs.read(" 1767268800000 "), noon);
        let pattern = |pattern: &str| TimeFormat::Pattern(pattern.to_owned());
        assert_eq!(pattern("%y%m%d%H%M").read("2601011200"), noon);
        assert_eq!(pattern("%Y-%m-%d %H:%M %z").read("2026-01-01 07:00 -0500"), noon);
    }

    #[test]
    fn what_names_no_time_is_none() {
        for text in [
            "",
            "yesterday",
            "-1",
            "99999999999999999999",
            "1e400",
            "2026-13-01 00:00:00",
        ] {
            for format in [TimeFormat::Any, TimeFormat::Unix, TimeFormat::UnixMs] {
                assert_eq!(format.read(text), None, "{text} {format:?}");
            }
        }
    }
}

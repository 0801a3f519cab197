//! Instants as tables and queries write them: RFC 3339 dates, or instants in UTC.

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use sms::UnixMs;

/// Length of a date, in octets.
const DATE_LEN: usize = 10;

/// A half-open span of time `[from, until)`, in milliseconds since 1970 UTC. Unbounded sides are the ends of the range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Span {
    /// First instant inside.
    pub(crate) from: i64,
    /// First instant after.
    pub(crate) until: i64,
}

/// Why text is no instant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InstantError {
    /// Neither a date nor an instant.
    #[error("\"{0}\" is neither a date like 2026-11-21 nor an instant like 2026-11-21T12:00:00Z")]
    Format(String),
    /// An instant without a zone.
    #[error("\"{0}\" has no time zone, write it in UTC with a Z at its end")]
    Zoneless(String),
    /// Another offset than UTC.
    #[error("\"{0}\" is not in UTC, write it with a Z at its end")]
    Offset(String),
    /// Before 1970.
    #[error("\"{0}\" is before 1970")]
    Early(String),
}

impl Span {
    /// All time.
    pub(crate) const ALWAYS: Self = Self {
        from: i64::MIN,
        until: i64::MAX,
    };

    /// Whether `at` is inside.
    pub(crate) fn contains(self, at: UnixMs) -> bool {
        let at = i64::try_from(at.0).unwrap_or(i64::MAX - 1);
        self.from <= at && at < self.until
    }
}

/// Reads a date (its midnight in UTC) or an instant in UTC, as milliseconds since 1970.
///
/// What is finer than a millisecond is rounded up: queries have whole milliseconds, so no comparison changes.
///
/// # Errors
/// Format, or an offset other than UTC.
pub(crate) fn instant(text: &str) -> Result<i64, InstantError> {
    let is_utc = ["Z", "z", "+00:00", "-00:00"]
        .iter()
        .any(|ending| text.ends_with(ending));
    if text.len() > DATE_LEN && !is_utc {
        parse(text)?;
        return Err(InstantError::Offset(short(text)));
    }
    parse(text)
}

/// Reads an instant of a query: a date, or an instant with any offset.
///
/// # Errors
/// Another format, and an instant before 1970.
pub fn unix_ms(text: &str) -> Result<UnixMs, InstantError> {
    let ms = parse(text)?;
    u64::try_from(ms)
        .map(UnixMs)
        .map_err(|_| InstantError::Early(short(text)))
}

fn parse(text: &str) -> Result<i64, InstantError> {
    let error = || InstantError::Format(short(text));
    let bytes = text.as_bytes();
    // The parser knows more forms than RFC 3339 does.
    let is_date = bytes.len() >= DATE_LEN
        && bytes[..DATE_LEN].iter().enumerate().all(|(at, octet)| match at {
            4 | 7 => *octet == b'-',
            _ => octet.is_ascii_digit(),
        });
    match bytes.get(DATE_LEN) {
        _ if !is_date => Err(error()),
        None => {
            let date: Date = text.parse().map_err(|_| error())?;
            let midnight = date.to_zoned(TimeZone::UTC).map_err(|_| error())?;
            Ok(midnight.timestamp().as_millisecond())
        }
        Some(b'T' | b't' | b' ') if !text.contains('[') => {
            let parsed: Timestamp = text.parse().map_err(|_| match text.parse::<DateTime>() {
                Ok(_) if !text.ends_with(['Z', 'z']) => InstantError::Zoneless(short(text)),
                _ => error(),
            })?;
            let ceil = i64::from(parsed.subsec_nanosecond().rem_euclid(1_000_000) != 0);
            let floor = parsed.as_nanosecond().div_euclid(1_000_000);
            Ok(i64::try_from(floor).map_err(|_| error())? + ceil)
        }
        Some(_) => Err(error()),
    }
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Writes an instant as RFC 3339 in UTC: `2026-11-21T12:00:00Z`, with three places where it is no whole second. Beyond the
/// year 9999 it is the last instant of that year.
pub fn instant_text(at: UnixMs) -> String {
    let ms = i64::try_from(at.0).unwrap_or(i64::MAX);
    let instant = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX);
    if ms % 1_000 == 0 {
        instant.to_string()
    } else {
        format!("{instant:.3}")
    }
}

#[cfg(test)]
mod tests;

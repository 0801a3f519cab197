//! Instants as tables and queries write them: RFC 3339 dates, or instants in UTC.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use sms::UnixMs;

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
    let shown = || text.chars().take(40).collect::<String>();
    let bytes = text.as_bytes();
    if bytes.len() == 10 {
        let date: Date = text.parse().map_err(|_| InstantError::Format(shown()))?;
        let midnight = date
            .to_zoned(TimeZone::UTC)
            .map_err(|_| InstantError::Format(shown()))?;
        return Ok(midnight.timestamp().as_millisecond());
    }
    let is_shaped = bytes.len() >= 20 && bytes.len() <= 40 && matches!(bytes[10], b'T' | b't');
    let parsed: Timestamp = text
        .parse()
        .ok()
        .filter(|_| is_shaped && !text.contains('['))
        .ok_or_else(|| InstantError::Format(shown()))?;
    if !(text.ends_with(['Z', 'z']) || text.ends_with("+00:00") || text.ends_with("-00:00")) {
        return Err(InstantError::Offset(shown()));
    }
    let ceil = i64::from(parsed.subsec_nanosecond().rem_euclid(1_000_000) != 0);
    Ok(parsed.as_nanosecond().div_euclid(1_000_000) as i64 + ceil)
}

/// Reads an instant of a query, see [`instant`].
///
/// # Errors
/// As there, and an instant before 1970.
pub fn unix_ms(text: &str) -> Result<UnixMs, InstantError> {
    let ms = instant(text)?;
    u64::try_from(ms)
        .map(UnixMs)
        .map_err(|_| InstantError::Early(text.to_owned()))
}

/// Writes an instant as RFC 3339 in UTC: `2026-11-21T12:00:00Z`. Beyond the year 9999 it is the last instant of that year.
pub fn instant_text(at: UnixMs) -> String {
    let ms = i64::try_from(at.0).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX).to_string()
}

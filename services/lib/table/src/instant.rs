//! Instants as tables and queries write them: RFC 3339 dates, or instants in UTC.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime, date},
};
use sms::UnixMs;

/// Length of a date, in octets.
const DATE_LEN: usize = 10;
/// How an instant in UTC ends.
const UTC: [&str; 4] = ["Z", "z", "+00:00", "-00:00"];
/// Where time is counted from. Counted from here, the year 9999 has its last day, which offsets take from a `Timestamp`.
const EPOCH: DateTime = date(1970, 1, 1).at(0, 0, 0, 0);

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
    /// A day that its month has not, or a month that there is not; and why.
    #[error("\"{0}\" is no such day: {1}")]
    NoSuchDay(String, String),
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
    let is_utc = UTC.iter().any(|ending| text.ends_with(ending));
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
            let date: Date = text.parse().map_err(|_| no_such_day(text))?;
            Ok(ceil_ms(since_epoch(date.at(0, 0, 0, 0))))
        }
        Some(b'T' | b't' | b' ') if !text.contains('[') => {
            if let Ok(parsed) = text.parse::<Timestamp>() {
                return Ok(ceil_ms(parsed.as_duration()));
            }
            if text[..DATE_LEN].parse::<Date>().is_err() {
                return Err(no_such_day(text));
            }
            let has_offset = |text: &str| text[DATE_LEN..].contains(['+', '-']);
            let zoneless = UTC.iter().find_map(|ending| text.strip_suffix(ending));
            match (zoneless, zoneless.unwrap_or(text).parse::<DateTime>()) {
                // The parser passes over an offset before the one that was taken off.
                (Some(rest), Ok(parsed)) if !has_offset(rest) => Ok(ceil_ms(since_epoch(parsed))),
                (None, Ok(_)) if !has_offset(text) => Err(InstantError::Zoneless(short(text))),
                _ => Err(error()),
            }
        }
        Some(_) => Err(error()),
    }
}

fn since_epoch(at: DateTime) -> SignedDuration {
    at.duration_since(EPOCH)
}

/// Whole milliseconds, rounded up.
fn ceil_ms(since: SignedDuration) -> i64 {
    let floor = since.as_nanos().div_euclid(1_000_000);
    let ceil = floor + i128::from(since.as_nanos().rem_euclid(1_000_000) != 0);
    i64::try_from(ceil).expect("years have four digits")
}

/// Why a date of the right form, at the beginning of `text`, is none.
fn no_such_day(text: &str) -> InstantError {
    let number = |from: usize, to: usize| text[from..to].parse::<i16>().unwrap_or_default();
    let month = i8::try_from(number(5, 7)).unwrap_or_default();
    let why = match Date::new(number(0, 4), month, 1) {
        Ok(first) => format!("{} has {} days", first.strftime("%B %Y"), first.days_in_month()),
        Err(_) => "a year has 12 months".to_owned(),
    };
    InstantError::NoSuchDay(short(text), why)
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Writes an instant as RFC 3339 in UTC: `2026-11-21T12:00:00Z`, with three places where it is no whole second. Beyond the
/// year 9999 it is the last instant of that year.
pub fn instant_text(at: UnixMs) -> String {
    let ms = i64::try_from(at.0).unwrap_or(i64::MAX);
    let instant = EPOCH.saturating_add(SignedDuration::from_millis(ms));
    if instant.subsec_nanosecond() == 0 {
        format!("{instant}Z")
    } else {
        format!("{instant:.3}Z")
    }
}

#[cfg(test)]
mod tests;

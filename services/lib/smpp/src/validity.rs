//! Times as SMPP writes them (3.4 §7.1.1): `YYMMDDhhmmsstnnp`, 16 characters.

use std::time::Duration;

use sms::UnixMs;

/// Longest time the relative form is used for: months and years have no fixed length, so only days and less are written.
const RELATIVE_MAX: Duration = Duration::from_secs(31 * 86_400);

/// A span of time from now in the relative form, rounded down to whole seconds, at least one and at most 31 days.
pub fn relative_validity(span: Duration) -> String {
    let seconds = span.min(RELATIVE_MAX).as_secs().max(1);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    format!("0000{days:02}{hours:02}{minutes:02}{:02}000R", seconds % 60)
}

/// An instant in the absolute form, in UTC, rounded down to a tenth of a second; absent for years outside 2000 to 2099,
/// which two digits cannot tell.
pub fn absolute_validity(at: UnixMs) -> Option<String> {
    let (days, of_day) = (at.0 / 86_400_000, at.0 % 86_400_000);
    let (year, month, day) = civil(days);
    if !(2000..2100).contains(&year) {
        return None;
    }
    let (hour, minute, second) = (of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1_000 % 60);
    let (year, tenth) = (year - 2000, of_day / 100 % 10);
    Some(format!(
        "{year:02}{month:02}{day:02}{hour:02}{minute:02}{second:02}{tenth}00+"
    ))
}

/// How long from `now` a validity lasts, in either form; absent where it is empty or not in the format. Months count 30
/// days and years 365; a time that has passed is zero.
pub fn validity_duration(text: &str, now: UnixMs) -> Option<Duration> {
    let octets = text.as_bytes();
    if octets.len() != 16 || !octets[..15].iter().all(u8::is_ascii_digit) {
        return None;
    }
    let two = |at: usize| u64::from(octets[at] - b'0') * 10 + u64::from(octets[at + 1] - b'0');
    let fields = [two(0), two(2), two(4), two(6), two(8), two(10)];
    let tenths = u64::from(octets[12] - b'0');
    let offset_ms = two(13) * 15 * 60_000;
    if octets[15] == b'R' {
        let [years, months, days, hours, minutes, seconds] = fields;
        let days = years * 365 + months * 30 + days;
        return Some(Duration::from_secs(((days * 24 + hours) * 60 + minutes) * 60 + seconds));
    }
    let [year, month, day, hour, minute, second] = fields;
    let local = unix_ms(2000 + year, month, day, hour, minute, second)? + tenths * 100;
    let utc = match octets[15] {
        b'+' => local.checked_sub(offset_ms)?,
        b'-' => local + offset_ms,
        _ => return None,
    };
    Some(Duration::from_millis(utc.saturating_sub(now.0)))
}

/// Milliseconds since 1970 of a civil time in UTC; absent where a field is out of range.
pub(crate) fn unix_ms(year: u64, month: u64, day: u64, hour: u64, minute: u64, second: u64) -> Option<u64> {
    let in_range = year >= 1970 && (1..=12).contains(&month) && day >= 1 && hour < 24 && minute < 60 && second < 61;
    if !in_range {
        return None;
    }
    // Counting days from the first of March puts the leap day at the end of the year.
    let (march_year, march_month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = march_year / 4 - march_year / 100 + march_year / 400;
    let days = march_year * 365 + leap_days + (153 * march_month + 2) / 5 + day - 1;
    let days = days - 719_468;
    (civil(days) == (year, month, day)).then_some(((days * 24 + hour) * 60 + minute) * 60_000 + second * 1_000)
}

/// Year, month and day of a day counted from 1 January 1970.
pub(crate) fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next, month, day)
}

#[cfg(test)]
mod tests;

//! Durations as people write them: `250ms`, `30s`, `5m`, `4h`, `7d`.

use std::time::Duration;

/// Units from the largest: the word and its milliseconds.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// The text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is no duration, write a whole number and a unit: 250ms, 30s, 5m, 4h or 7d")]
pub struct DurationError {
    text: String,
}

/// Reads a whole number followed by `ms`, `s`, `m`, `h` or `d`.
///
/// # Errors
/// Anything else, also a number beyond 64 bits of milliseconds.
pub fn duration(text: &str) -> Result<Duration, DurationError> {
    let error = || DurationError {
        text: text.chars().take(64).collect(),
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let (_, ms) = UNITS.iter().find(|(word, _)| *word == unit).ok_or_else(error)?;
    let number: u64 = number.parse().map_err(|_| error())?;
    number.checked_mul(*ms).map(Duration::from_millis).ok_or_else(error)
}

/// Writes a duration as [`duration`] reads it, in the largest unit that divides it; below a millisecond is dropped.
pub fn duration_text(value: Duration) -> String {
    let ms = u64::try_from(value.as_millis()).unwrap_or(u64::MAX);
    let (unit, size) = UNITS
        .iter()
        .find(|(_, size)| ms != 0 && ms.is_multiple_of(*size))
        .unwrap_or(&("s", 1_000));
    format!("{}{unit}", ms / size)
}

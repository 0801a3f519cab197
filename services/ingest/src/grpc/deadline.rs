//! The caller's deadline. The transport enforces it on calls with one answer; streams look themselves.

use std::time::Duration;

use service::time::{self, Instant};
use tonic::metadata::MetadataMap;

/// Deadlines further away are none: a month.
const SPAN_MAX: Duration = Duration::from_secs(31 * 86_400);

/// When the call shall be over; `None` = the caller did not say.
pub(super) fn of(metadata: &MetadataMap) -> Option<Instant> {
    let span = span(metadata.get("grpc-timeout")?.to_str().ok()?)?;
    (span <= SPAN_MAX).then(|| time::now() + span)
}

/// A span as the gRPC protocol writes it: up to 8 digits and a unit.
fn span(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if !(1..=8).contains(&digits.len()) || !digits.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(number * 3_600)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_the_protocol_writes_them() {
        assert_eq!(span("2H"), Some(Duration::from_secs(7_200)));
        assert_eq!(span("99999999u"), Some(Duration::from_micros(99_999_999)));
        for nonsense in ["", "S", "1", "1s", "-1S", "123456789S", "1é"] {
            assert_eq!(span(nonsense), None, "{nonsense}");
        }
    }
}

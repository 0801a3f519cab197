//! How values look on the wire.

use super::*;

#[test]
fn money_has_six_places() {
    assert_eq!(decimal(41_000), "0.041000");
    assert_eq!(decimal(-1_500_000), "-1.500000");
    assert_eq!(decimal(i64::MIN), "-9223372036854.775808");
}

#[test]
fn instants_keep_their_milliseconds() {
    assert_eq!(
        timestamp(UnixMs(1_763_726_400_123)),
        Timestamp {
            seconds: 1_763_726_400,
            nanos: 123_000_000
        }
    );
}

#[test]
fn state_of_receipts_alone_tells_nothing() {
    assert_eq!(status(&State::default()), None);
}

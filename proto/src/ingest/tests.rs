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

#[test]
fn who_finds_something_exhausted_is_told_when_to_come_back() {
    use tonic_types::{ErrorDetails, StatusExt as _};
    let problem_of = |code, details| {
        let status = tonic::Status::with_error_details(code, "not now", details);
        come_back(&problem(status.details()).expect("it is encoded"))
    };
    let hint = || ErrorDetails::with_retry_info(Some(Duration::from_millis(12_500)));
    assert_eq!(
        problem_of(Code::ResourceExhausted, hint()),
        Some(Duration::from_millis(12_500))
    );
    assert_eq!(
        problem_of(Code::Unavailable, hint()),
        None,
        "the message may have been taken"
    );
    assert_eq!(problem_of(Code::ResourceExhausted, ErrorDetails::new()), None);
    assert_eq!(come_back(&pb::Problem::default()), None);
}

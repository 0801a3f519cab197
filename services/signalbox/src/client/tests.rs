//! What a failed call says by its kind.

use super::*;

#[test]
fn what_trying_again_may_help_is_told_from_what_it_cannot() {
    for code in [Code::Unavailable, Code::DeadlineExceeded, Code::ResourceExhausted] {
        assert!(explain(&Status::new(code, "away")).is::<Away>(), "{code:?}");
    }
    for code in [Code::InvalidArgument, Code::Unauthenticated, Code::AlreadyExists] {
        assert!(!explain(&Status::new(code, "wrong")).is::<Away>(), "{code:?}");
    }
}

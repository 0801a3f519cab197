//! Checks of single fields.

use super::*;

#[test]
fn refused_numbers_are_masked_however_wrong() {
    assert_eq!(masked("+4477009000011111"), "+447***********11");
    assert_eq!(masked("44770090x"), "4477***0x");
    assert_eq!(masked("12"), "1*");
    assert_eq!(masked("abc"), "a*c");
    assert_eq!(masked(""), "");
    let long = masked(&"7".repeat(5_000));
    assert_eq!(long.chars().count(), SHOWN_CHARS + 1, "{long}");
}

#[test]
fn headers_are_lists_of_elements() {
    let binary = |header: &'static [u8]| binary(Bytes::from_static(b"x"), Bytes::from_static(header));
    for good in [&[][..], &[5, 4, 0x0B, 0x84, 0x23, 0xF0], &[0, 3, 1, 2, 1, 0x24, 1, 1]] {
        assert!(binary(good).is_ok(), "{good:?}");
    }
    for bad in [&[5][..], &[5, 4, 1], &[0, 3, 1, 2, 1, 9]] {
        assert_eq!(binary(bad).unwrap_err().field, "content.binary.header", "{bad:?}");
    }
}

#[test]
fn times_to_live_have_both_ends() {
    assert_eq!(ttl(1, 0), Ok(TTL_MIN));
    assert_eq!(ttl(86_400, 0), Ok(TTL_MAX));
    for (seconds, nanos) in [
        (0, 999_999_999),
        (86_400, 1),
        (-1, 0),
        (5, -1),
        (5, 1_000_000_000),
        (i64::MAX, 0),
    ] {
        assert_eq!(ttl(seconds, nanos).unwrap_err().field, "ttl", "{seconds} {nanos}");
    }
}

//! Globs of the reference.

use super::fits;

#[test]
fn a_star_stands_for_anything_and_case_does_not_count() {
    for (pattern, value) in [
        ("acme", "ACME"),
        ("acme*", "acme"),
        ("*-test", "a-b-Test"),
        ("a*c*e", "abcde"),
        ("*", ""),
    ] {
        assert!(fits(pattern, value), "{pattern} {value}");
    }
    for (pattern, value) in [
        ("acme", "acme-eu"),
        ("acme*", "acm"),
        ("*-test", "-tests"),
        ("a*c*e", "aecd"),
        ("a", ""),
    ] {
        assert!(!fits(pattern, value), "{pattern} {value}");
    }
}

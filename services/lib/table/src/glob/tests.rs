//! What globs fit.

use super::Glob;

#[test]
fn only_the_star_is_special_and_case_is_ignored() {
    let fits = |pattern: &str, value: &str| Glob::new(pattern).fits(value);
    for (pattern, value) in [
        ("acme", "ACME"),
        ("*", ""),
        ("*", "anything"),
        ("ac*", "ACME"),
        ("*me", "acme"),
        ("a*e", "ae"),
        ("a*c*e", "abcde"),
        ("**", "x"),
        ("*a*b*", "xxaxxbxx"),
        ("+44*", "+4477"),
        ("a?c", "a?c"),
        ("*aab", "aaab"),
    ] {
        assert!(fits(pattern, value), "{pattern} {value}");
    }
    for (pattern, value) in [
        ("acme", "acme2"),
        ("acme", ""),
        ("44*", "+4477"),
        ("a?c", "abc"),
        ("ab*ba", "aba"),
        ("a*b*c", "acb"),
        ("*x*", "abc"),
        ("É", "é"),
    ] {
        assert!(!fits(pattern, value), "{pattern} {value}");
    }
}

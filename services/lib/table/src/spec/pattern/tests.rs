//! Both engines say the same.

use super::Pattern;

const SIZE: usize = 1 << 20;

/// Looks for words with bounds and without in texts of several scripts.
#[test]
fn the_bounds_of_words_are_those_of_every_script() {
    for (pattern, text, fits) in [
        (r"\bcode\b", "your code: 1", true),
        (r"\bcode\b", "decoded", false),
        (r"\bcode\b", "código code", true),
        (r"\bcode\b", "écode", false),
        (r"\bкод\b", "Ваш код: 1", true),
        (r"\bкод\b", "кодекс", false),
        (r"(?i)\bКОД\B", "кодекс", true),
        (r"\b[0-9]{6}\b", "验证码123456。", false),
        (r"\b[0-9]{6}\b", "验证码 123456。", true),
        (r"(?-u:\b)[0-9]{6}(?-u:\b)", "验证码123456。", true),
        (r"\b{start-half}stop", "ne stop", true),
        ("^$", "", true),
        ("x", "é", false),
    ] {
        let pattern = Pattern::new(pattern, SIZE).unwrap();
        assert_eq!(pattern.is_match(text), fits, "{} {text}", pattern.as_str());
        assert_eq!(pattern.regex.is_match(text), fits, "{} {text}", pattern.as_str());
    }
}

#[test]
fn only_who_asks_for_bounds_in_every_script_needs_the_slow_engine() {
    let is_slow = |pattern: &str| Pattern::new(pattern, SIZE).unwrap().beyond_ascii.is_some();
    assert!(is_slow(r"\bcode\b") && is_slow(r"x|(y\B)+"));
    assert!(!is_slow("code") && !is_slow(r"\w+ \d{6}") && !is_slow(r"(?-u:\b)code"));
}

#[test]
fn a_pattern_beyond_the_limit_is_refused() {
    assert!(matches!(
        Pattern::new(r"\b\w{500}", SIZE),
        Err(regex::Error::CompiledTooBig(SIZE))
    ));
    assert!(Pattern::new("(", SIZE).is_err());
}

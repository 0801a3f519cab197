//! What packed digits promise.

use super::{DIGITS_MAX, Digits};

fn digits(text: &str) -> Digits {
    Digits::parse(text).expect("digits")
}

#[test]
fn digits_read_back_as_written() {
    for text in ["0", "9", "007", "33612345678", "999999999999999"] {
        assert_eq!(digits(text).to_string(), text);
        assert_eq!(digits(text).len(), text.len());
    }
    for text in ["", "+33", "3a", "1234567890123456", "３"] {
        assert_eq!(Digits::parse(text), None, "{text}");
    }
}

#[test]
fn order_is_that_of_the_text() {
    let mut texts = vec!["1", "10", "2", "0", "00", "123456789012345", "19", "9"];
    let mut packed: Vec<Digits> = texts.iter().map(|text| digits(text)).collect();
    texts.sort_unstable();
    packed.sort_unstable();
    assert_eq!(packed.iter().map(Digits::to_string).collect::<Vec<_>>(), texts);
}

#[test]
fn a_prefix_begins_the_number_and_a_zero_is_no_end() {
    let number = digits("3360");
    for prefix in ["3", "33", "336", "3360"] {
        assert!(number.starts_with(digits(prefix)), "{prefix}");
    }
    for other in ["4", "337", "33600", "0"] {
        assert!(!number.starts_with(digits(other)), "{other}");
    }
    assert_eq!(number.first(0), Digits::default());
    assert_eq!(number.first(DIGITS_MAX + 5), number);
    assert_eq!(number.digit(3), Some(0));
    assert_eq!(number.digit(4), None);
    assert_eq!(number.digit(99), None);
}

#[test]
fn octets_that_are_no_digits_are_refused_wherever_they_stand() {
    for len in 1..=DIGITS_MAX {
        for place in 0..len {
            for octet in (0..=u8::MAX).filter(|octet| !octet.is_ascii_digit()) {
                let mut text = vec![b'5'; len];
                text[place] = octet;
                assert_eq!(Digits::parse_bytes(&text), None, "{text:?}");
            }
        }
    }
}

#[test]
fn a_head_is_the_number_of_the_first_digits() {
    for head in 0..Digits::HEADS {
        assert_eq!(Digits::of_head(head).head(), Some(head));
        assert_eq!(Digits::of_head(head).to_string(), format!("{head:05}"));
    }
    assert_eq!(digits("123456789").head(), Some(12_345));
    assert_eq!(digits("1234").head(), None);
    assert_eq!(Digits::default().head(), None);
}

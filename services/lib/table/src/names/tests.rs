//! What the numbers of names promise.

use proptest::prelude::*;

use super::{Names, lower};

#[test]
fn a_name_keeps_its_number_whatever_its_case_and_length() {
    let mut names = Names::default();
    let texts: Vec<String> = (0..60)
        .map(|len| "aBcZ@[`{é9"[..].chars().cycle().take(len).collect())
        .collect();
    let ids: Vec<_> = texts.iter().map(|text| names.intern(text)).collect();
    for (text, id) in texts.iter().zip(&ids) {
        assert_eq!(names.intern(&text.to_ascii_uppercase()), *id);
        assert_eq!(names.name(&text.to_ascii_lowercase()).id, Some(*id));
    }
    assert_eq!(names.len(), texts.len());
    assert_eq!(names.name("another").id, None);
    assert_eq!(Names::default().name("").id, None);
}

#[test]
fn long_names_that_differ_in_one_octet_are_two() {
    let mut names = Names::default();
    let text = "a name that is longer than any key of 16 octets";
    let ids: Vec<_> = (0..text.len())
        .map(|at| names.intern(&format!("{}_{}", &text[..at], &text[at + 1..])))
        .collect();
    assert_eq!(names.len(), ids.len());
}

proptest! {
    #[test]
    fn lower_case_of_eight_octets_is_that_of_each(octets: [u8; 8]) {
        prop_assert_eq!(lower(u64::from_le_bytes(octets)).to_le_bytes(), octets.map(|octet| octet.to_ascii_lowercase()));
    }

    #[test]
    fn two_names_share_a_number_exactly_if_only_ascii_case_differs(texts in prop::collection::vec("[aA@`bZz\u{0}é]{0,20}", 1..40)) {
        let mut names = Names::default();
        let ids: Vec<_> = texts.iter().map(|text| names.intern(text)).collect();
        for (one, id) in texts.iter().zip(&ids) {
            for (other, other_id) in texts.iter().zip(&ids) {
                prop_assert_eq!(id == other_id, one.eq_ignore_ascii_case(other));
            }
        }
    }
}

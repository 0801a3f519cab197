//! The trie finds the longest prefix, and nothing else.

use proptest::prelude::*;

use super::Trie;
use crate::digits::Digits;

fn longest(prefixes: &[&str], number: &str) -> Option<String> {
    let mut sorted: Vec<Digits> = prefixes
        .iter()
        .map(|text| Digits::parse(text).expect("digits"))
        .collect();
    sorted.sort_unstable();
    sorted.dedup();
    let number = Digits::parse(number).unwrap_or_default();
    let at = Trie::new(&sorted).longest(number)?;
    Some(sorted[at as usize].to_string())
}

#[test]
fn the_longest_prefix_is_found() {
    let found = |prefixes: &[&str], number| longest(prefixes, number).unwrap_or_default();
    assert_eq!(found(&["33", "336", "3361", "34", "3"], "33612"), "3361");
    assert_eq!(found(&["33", "336", "3361", "34", "3"], "33"), "33");
    assert_eq!(longest(&["33"], "3"), None);
    assert_eq!(longest(&["33"], ""), None);
    assert_eq!(longest(&[], "33"), None);
}

proptest! {
    #[test]
    fn it_agrees_with_reading_them_all(prefixes in prop::collection::vec("[0-3]{1,6}", 0..60), number in "[0-3]{0,8}") {
        let texts: Vec<&str> = prefixes.iter().map(String::as_str).collect();
        let wanted = prefixes.iter().filter(|prefix| number.starts_with(prefix.as_str())).max_by_key(|prefix| prefix.len());
        prop_assert_eq!(longest(&texts, &number), wanted.cloned());
    }
}

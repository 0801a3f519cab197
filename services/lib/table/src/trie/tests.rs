//! The trie finds every prefix, and only those.

use proptest::prelude::*;

use super::Trie;
use crate::digits::Digits;

fn walk(prefixes: &[&str], number: &str) -> Vec<String> {
    let mut sorted: Vec<Digits> = prefixes
        .iter()
        .map(|text| Digits::parse(text).expect("digits"))
        .collect();
    sorted.sort_unstable();
    sorted.dedup();
    let mut found = Vec::new();
    let number = Digits::parse(number).unwrap_or_default();
    Trie::new(&sorted).walk(number, |at| found.push(sorted[at as usize].to_string()));
    found
}

#[test]
fn prefixes_come_shortest_first() {
    assert_eq!(
        walk(&["33", "336", "3361", "34", "3"], "33612"),
        ["3", "33", "336", "3361"]
    );
    assert_eq!(walk(&["33"], "3"), Vec::<String>::new());
    assert_eq!(walk(&["33"], ""), Vec::<String>::new());
    assert_eq!(walk(&[], "33"), Vec::<String>::new());
}

proptest! {
    #[test]
    fn it_agrees_with_reading_them_all(prefixes in prop::collection::vec("[0-3]{1,6}", 0..60), number in "[0-3]{0,8}") {
        let texts: Vec<&str> = prefixes.iter().map(String::as_str).collect();
        let mut wanted: Vec<String> = prefixes.iter().filter(|prefix| number.starts_with(prefix.as_str())).cloned().collect();
        wanted.sort_by_key(String::len);
        wanted.dedup();
        prop_assert_eq!(walk(&texts, &number), wanted);
    }
}

//! What rows by beginnings promise.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Beginnings, RowId};

proptest! {
    #[test]
    fn the_longest_beginning_of_a_name_tells_its_row(
        beginnings in prop::collection::btree_set("[a-c\u{e9}]{0,4}", 0..30),
        name in "[a-cA-C\u{e9}\u{c9}]{0,6}",
    ) {
        let rows: BTreeMap<Vec<u8>, RowId> = beginnings
            .iter()
            .zip(1..)
            .map(|(text, row)| (text.clone().into_bytes(), RowId(row)))
            .collect();
        let longest = rows
            .iter()
            .filter(|(octets, _)| name.to_ascii_lowercase().as_bytes().starts_with(octets))
            .max_by_key(|(octets, _)| octets.len());
        let wanted = longest.map_or(RowId(0), |(_, row)| *row);
        prop_assert_eq!(Beginnings::new(&rows, RowId(0)).row(&name), wanted);
    }
}

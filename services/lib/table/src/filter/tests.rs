//! What a filter promises.

use super::Filter;
use crate::digits::Digits;

/// Hashes as they come: well mixed, and the same in every run.
fn hashes(from: u64) -> impl Iterator<Item = u64> {
    (from..).map(|number| {
        let product = u128::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
        (product >> 40) as u64
    })
}

#[test]
fn every_member_passes_and_few_others() {
    for count in [1, 3, 4, 5, 100, 4_096, 10_000] {
        let members: Vec<u64> = hashes(1).take(count).collect();
        let filter = Filter::new(members.iter().copied());
        assert!(members.iter().all(|hash| filter.may_hold(*hash)), "{count}");
        let passed = hashes(1_000_000)
            .take(10_000)
            .filter(|hash| filter.may_hold(*hash))
            .count();
        assert!(passed < 200, "{passed} of 10,000 others pass a filter of {count}");
    }
}

#[test]
fn the_empty_set_holds_nothing() {
    let filter = Filter::new(std::iter::empty());
    assert!(hashes(0).take(1_000).all(|hash| !filter.may_hold(hash)));
}

#[test]
fn numbers_in_a_row_are_mixed_well_enough() {
    let hashes = |from: u64, count: u64| {
        (from..from + count).map(|number| Digits::parse(&number.to_string()).expect("digits").hash())
    };
    for count in [100, 4_096, 100_000] {
        let members: Vec<u64> = hashes(33_600_000_000, count).collect();
        let filter = Filter::new(members.iter().copied());
        let passed = hashes(33_700_000_000, 10_000)
            .filter(|hash| filter.may_hold(*hash))
            .count();
        assert!(passed < 200, "{passed} of 10,000 others pass a filter of {count}");
    }
}

//! Which queries the reference decides.

use super::referred;

#[test]
fn the_reference_decides_some_in_every_round_and_each_in_ten() {
    for count in [1, 2, 9, 10, 11, 19, 21, 99, 1_000, 1_001] {
        let mut decided = vec![false; count];
        for round in 0..10 {
            let part = referred(count, round);
            assert!(!part.is_empty(), "{part:?} of {count} in round {round}");
            decided[part].fill(true);
        }
        assert!(decided.iter().all(|is_decided| *is_decided), "{count}");
    }
}

#[test]
fn rounds_beyond_the_last_part_begin_anew() {
    assert_eq!(referred(11, 5), 10..11);
    assert_eq!(referred(11, 6), 0..2);
    assert_eq!(referred(1, 6), 0..1);
}

//! What the list of ported numbers promises.

use proptest::prelude::*;

use super::Ported;
use crate::{digits::Digits, network::Network};

fn digits(number: u64) -> Digits {
    Digits::parse(&number.to_string()).expect("up to 15 digits")
}

proptest! {
    #[test]
    fn exactly_the_listed_numbers_have_moved(
        listed in prop::collection::btree_set(10_000_000_u64..10_002_000, 0..300),
        others in prop::collection::vec(10_000_000_u64..10_002_000, 100),
    ) {
        let network = Network::parse_together("20801").expect("a network");
        let rows: Vec<_> = listed.iter().map(|number| (digits(*number), network)).collect();
        let ported = Ported::new(&rows);
        let (from, until) = ported.under(digits(1_000));
        prop_assert_eq!((from, until), (0, rows.len() as u32));
        for number in listed.iter().chain(&others) {
            let moved = listed.contains(number).then_some(network);
            prop_assert_eq!(ported.network(digits(*number), from..until), moved);
        }
        prop_assert_eq!(ported.network(digits(10_000_000), 0..0), None);
    }
}

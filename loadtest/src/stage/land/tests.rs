//! Messages to an invented country.

use super::*;

#[test]
fn a_number_tells_the_place_of_its_message_and_no_two_have_one() {
    let letters = Letters::new(7, 3).unwrap().take(500).map(Result::unwrap);
    let places: Vec<_> = letters.map(|letter| place_of(letter.to.digits())).collect();
    assert_eq!(places, (0..500).map(Some).collect::<Vec<_>>());
    assert_eq!(place_of("33612345678"), None);
}

#[test]
fn the_same_seed_gives_the_same_messages() {
    let letters = |seed| {
        Letters::new(seed, 3)
            .unwrap()
            .take(50)
            .map(Result::unwrap)
            .collect::<Vec<_>>()
    };
    assert_eq!(letters(1), letters(1));
    assert_ne!(letters(1), letters(2));
}

#[test]
fn three_of_ten_messages_have_several_parts_and_all_of_those_are_passwords() {
    let letters: Vec<_> = Letters::new(1, 4).unwrap().take(1_000).map(Result::unwrap).collect();
    let long: Vec<_> = letters.iter().filter(|letter| parts(&letter.text) > 1).collect();
    assert_eq!(long.len(), 300);
    assert!(long.iter().all(|letter| letter.class == Class::Otp));
}

/// Decides with the table as written: a message goes by its own network's carrier, and by others only where all reach it.
#[test]
fn a_carrier_reaches_its_own_network_first_and_others_where_it_shall() {
    let names: Vec<_> = crate::world::carriers(3).unwrap();
    for (reach, candidates) in [(Reach::Own, 1), (Reach::All, 3)] {
        let folder = tempfile::tempdir().unwrap();
        write_table(folder.path(), &names, reach, &format!("{DEFAULTS}attempts = 5\n")).unwrap();
        let (table, warnings) = table::load(folder.path()).unwrap();
        assert!(warnings.is_empty(), "{warnings:?}");
        let mut decision = table::Decision::default();
        table.decide(&table::Query::new("99991000000", sms::UnixMs(1)), &mut decision);
        assert_eq!(decision.candidates.len(), candidates);
        assert_eq!(*decision.candidates[0].carrier, names[1]);
    }
}

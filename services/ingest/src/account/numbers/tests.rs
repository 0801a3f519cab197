//! Who gets what was sent to a number.

use super::*;

fn account(name: &str) -> AccountId {
    AccountId::new(name).unwrap()
}

fn numbers(given: &[(&str, &str)]) -> Numbers {
    let mut numbers = Numbers::default();
    for (owned, name) in given {
        numbers.give(Owned::parse(owned).unwrap(), &account(name)).unwrap();
    }
    numbers
}

fn link(carriers: &[&str]) -> Carriers {
    let names = carriers.iter().map(|name| CarrierName::new(name).unwrap());
    Carriers::new(names).unwrap()
}

#[test]
fn the_closest_entry_owns_a_number() {
    let numbers = numbers(&[
        ("447700900001", "exact"),
        ("atlas/447700900001", "exact-atlas"),
        ("4477009*", "long"),
        ("44*", "short"),
        ("cirrus/44*", "short-cirrus"),
        ("atlas/70001", "code"),
    ]);
    for (carrier, number, owner) in [
        ("atlas", "447700900001", Some("exact-atlas")),
        ("cirrus", "447700900001", Some("exact")),
        ("cirrus", "447700900002", Some("long")),
        ("cirrus", "441", Some("short-cirrus")),
        ("atlas", "441", Some("short")),
        ("atlas", "70001", Some("code")),
        ("cirrus", "70001", None),
        ("atlas", "", None),
        ("atlas", "ACMÉ", None),
    ] {
        let carriers = link(&[carrier]);
        let found = numbers.owner(&carriers, number);
        assert_eq!(found.map(|found| found.account.as_str()), owner, "{carrier} {number}");
    }
}

#[test]
fn over_a_shared_link_a_number_may_be_given_under_any_of_its_carriers() {
    let numbers = numbers(&[
        ("70001", "any"),
        ("cirrus/70001", "second"),
        ("cirrus/70002", "second"),
        ("atlas/70003", "first"),
        ("cirrus/70003", "second"),
        ("4477*", "any"),
        ("brume/447*", "third"),
    ]);
    let carriers = link(&["atlas", "cirrus", "brume"]);
    for (number, owner) in [
        ("70001", Some(("second", "cirrus"))),
        ("70002", Some(("second", "cirrus"))),
        ("70003", Some(("first", "atlas"))),
        ("44770", Some(("any", "atlas"))),
        ("4478", Some(("third", "brume"))),
        ("70004", None),
    ] {
        let found = numbers.owner(&carriers, number);
        let found = found.map(|found| (found.account.as_str(), found.carrier.as_str()));
        assert_eq!(found, owner, "{number}");
    }
}

#[test]
fn one_entry_may_own_all_that_comes_over_a_carrier() {
    let numbers = numbers(&[("atlas/*", "all")]);
    for number in ["", "1", "ACME"] {
        assert!(numbers.owner(&link(&["atlas"]), number).is_some());
    }
}

#[test]
fn a_number_has_one_owner() {
    let mut numbers = numbers(&[("+70001", "one"), ("70*", "two"), ("atlas/70001", "three")]);
    for (again, owner) in [("70001", "one"), ("70*", "two"), ("atlas/70001", "three")] {
        let given = numbers.give(Owned::parse(again).unwrap(), &account("other"));
        assert_eq!(given, Err(account(owner)));
    }
}

#[test]
fn what_is_no_number_is_told() {
    for text in ["", "70x", "Atlas/70001", "atlas/", "7*1", "+", &"9".repeat(33)] {
        assert!(Owned::parse(text).is_err(), "{text}");
    }
}

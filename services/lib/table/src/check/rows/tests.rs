//! Groups are counted as the compiled table tells them apart.

use source::Log;

use super::{groups, names};
use crate::{files::Files, spec::Spec};

const PLAN: &str = "prefix,mcc,mnc,country,operator\n33,208,,FR,\n336,208,01,FR,\n44,234,,GB,\n49,262,,DE,\n";

/// Groups of policies that each have one of `conditions`, and how many there could be.
fn counted(conditions: &[&str]) -> (u64, u64) {
    let policies = conditions.iter().enumerate();
    let policies: String = policies
        .map(|(at, condition)| format!("[[policy]]\nname = \"{at}\"\nmatch = {{ {condition} }}\ntag = \"t\"\n"))
        .collect();
    let mut files = Files::default();
    files.insert("policies.toml", policies);
    files.insert("numbering.csv", PLAN);
    let spec = Spec::read(&files, &Log::new('X'));
    assert_eq!(spec.policies.len(), conditions.len());
    (groups(&spec.policies, &spec.plan), names(&spec.policies, &spec.plan))
}

/// Without a condition on places all of them are one group, and so are all prefixes.
const PLACES: u64 = 2;

#[test]
fn names_that_the_same_policies_name_are_one_group() {
    assert_eq!(counted(&["class = \"otp\""]).0, PLACES);
    let many = "account = [\"a\", \"b\", \"c\", \"D\"]";
    assert_eq!(counted(&[many]), (PLACES + 1, 8));
    assert_eq!(
        counted(&[many, "account = \"b\"", "account = [\"C\", \"d\"]"]).0,
        PLACES + 3
    );
    assert_eq!(
        counted(&["sender = [\"a\", \"b\"]", "account = [\"a\", \"b\"]"]).0,
        PLACES + 2
    );
}

#[test]
fn a_beginning_with_a_star_tells_names_apart() {
    let names = "account = [\"a1\", \"a2\", \"b1\"]";
    // Those that it names, and all others.
    assert_eq!(counted(&[names, "account = \"*\""]).0, PLACES + 2);
    // Those that begin so and are named, those that are named only, and those that only begin so.
    assert_eq!(counted(&[names, "account = \"A*\""]).0, PLACES + 3);
    // Of two beginnings the longer is within the shorter.
    assert_eq!(
        counted(&["account = \"a*\"", "account = [\"ab*\", \"b*\"]"]).0,
        PLACES + 3
    );
}

#[test]
fn places_are_told_apart_by_country_network_and_prefix() {
    // The country itself, and the places inside and outside.
    assert_eq!(counted(&["country = \"FR\""]).0, PLACES + 1 + 1);
    assert_eq!(counted(&["network = \"20801\""]).0, PLACES + 1 + 1);
    // Below 33: as such and 3361, of which 336 is no other; the rows of the prefix and of the places.
    assert_eq!(counted(&["prefix = [\"33\", \"3361\"]"]).0, 6);
    assert_eq!(
        counted(&["country = [\"GB\", \"DE\"]", "country = \"DE\""]).0,
        PLACES + 2 + 2
    );
}

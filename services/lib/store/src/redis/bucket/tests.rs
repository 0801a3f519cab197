//! Names that the scripts rely on, and how keys spread.

use super::*;

/// `apply.lua` cuts off as many octets.
#[test]
fn a_value_is_named_by_its_bucket_and_key() {
    for bucket in Bucket::all() {
        assert_eq!(bucket.values().len(), VALUE_PREFIX_OCTETS);
    }
    assert!(include_str!("../apply.lua").contains(&format!("sub(key, {})", VALUE_PREFIX_OCTETS + 1)));
    assert_eq!(Bucket(7).values(), "signalbox:{b07}:v:");
}

/// Ids that differ in few octets, in two kinds of key.
#[test]
fn keys_spread_evenly_over_the_buckets() {
    for kind in ["claim", "state"] {
        let mut counts = [0; BUCKETS];
        for number in 0..8_000 {
            counts[Bucket::of(&Key::new(kind, format!("019abcde-0000-7000-8000-{number:012x}"))).index()] += 1;
        }
        assert!(
            counts.iter().all(|count| (850..1150).contains(count)),
            "{kind}: {counts:?}"
        );
    }
}

/// Another bucket for the same key would lose what is stored.
#[test]
fn a_key_keeps_its_bucket() {
    let buckets = ["a", "state/1", "claim/019abcde/1"].map(|key| Bucket::of(&Key(key.as_bytes().into())).0);
    assert_eq!(buckets, [2, 3, 0]);
}

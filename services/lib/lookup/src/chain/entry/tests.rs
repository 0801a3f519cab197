//! Packing loses nothing, and ages follow from times.

use proptest::{prelude::*, sample::select};

use super::*;

fn entry() -> impl Strategy<Value = Entry> {
    let network = prop::option::of(select(vec!["00000", "000000", "20801", "310012", "99999", "999999"]));
    let flag = || prop::option::of(any::<bool>());
    let reach = select(vec![Reach::Unknown, Reach::Connected, Reach::Absent, Reach::Dead]);
    let by = 0..=u8::try_from(PROVIDERS_MAX).expect("few");
    (
        network,
        flag(),
        flag(),
        reach,
        by,
        1..u32::MAX,
        any::<u32>(),
        any::<u32>(),
    )
        .prop_map(|(network, ported, roaming, reach, by, asked, expires, until)| Entry {
            network: network.and_then(|network| network.parse().ok()),
            ported,
            reach,
            roaming,
            by: By(by),
            asked_at: Seconds(asked),
            expires_at: Seconds(expires),
            reach_until: Seconds(until),
        })
}

proptest! {
    #[test]
    fn what_is_packed_is_what_comes_out(entry in entry()) {
        prop_assert_eq!(Entry::unpack(entry.pack()), entry);
        prop_assert_ne!(entry.pack()[0], 0, "zero is an empty slot");
    }

    #[test]
    fn no_words_are_too_strange_to_be_read(words in any::<[u64; 2]>(), now in any::<u32>()) {
        Entry::unpack(words).age(Seconds(now));
    }
}

fn known() -> Entry {
    Entry {
        network: Network::parse("208", "01").ok(),
        ported: None,
        reach: Reach::Connected,
        roaming: None,
        by: By(1),
        asked_at: Seconds(1_000),
        expires_at: Seconds(1_100),
        reach_until: Seconds(1_010),
    }
}

fn ages(entry: Entry) -> [Age; 4] {
    [1_099, 1_100, 1_199, 1_200].map(|now| entry.age(Seconds(now)))
}

#[test]
fn a_network_is_stale_for_as_long_as_it_was_fresh() {
    assert_eq!(ages(known()), [Age::Fresh, Age::Stale, Age::Stale, Age::Gone]);
}

#[test]
fn neither_a_dead_number_nor_what_nobody_knew_is_ever_stale() {
    let dead = Entry {
        reach: Reach::Dead,
        ..known()
    };
    let nobody = Entry {
        network: None,
        ..known()
    };
    for entry in [dead, nobody] {
        assert_eq!(ages(entry), [Age::Fresh, Age::Gone, Age::Gone, Age::Gone]);
    }
}

#[test]
fn what_could_not_be_asked_anew_is_given_for_no_longer() {
    let held = known().held_until(Seconds(1_150));
    assert_eq!(ages(held), [Age::Fresh, Age::Fresh, Age::Stale, Age::Gone]);
    let held = known().held_until(Seconds(2_000));
    assert_eq!(ages(held), [Age::Fresh, Age::Fresh, Age::Fresh, Age::Gone]);
}

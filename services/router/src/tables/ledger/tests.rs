//! The fold: what it says of small histories, and over random ones that it depends on nothing but records and the instant.

use std::time::Duration;

use bytes::Bytes;
use proptest::{collection::vec, prelude::*};
use signalbox_proto::record::TableChunk;

use super::*;

const START: UnixMs = UnixMs(1_767_225_600_000);

/// The instant `seconds` after the start.
fn at(seconds: u64) -> UnixMs {
    START + Duration::from_secs(seconds)
}

/// What happens, each a second after the one before.
#[derive(Clone, Debug)]
enum Act {
    /// A version with this number, to be confirmed within so many seconds.
    Publish(u64, Option<u64>),
    Confirm(u64),
    /// Publishes again what a number published.
    Again(u64, u64),
}

/// The records of `acts`, with the keys and times under which they stand.
fn records(acts: &[Act]) -> Vec<(u64, UnixMs, TableWord)> {
    let mut records: Vec<(u64, UnixMs, TableWord)> = Vec::new();
    let mut published: BTreeMap<u64, TablePublication> = BTreeMap::new();
    for (second, act) in (0..).zip(acts) {
        let (now, key) = (at(second), 1_000 + second);
        let word = match act {
            Act::Publish(number, within) => {
                let octets = Bytes::from(format!("{second}"));
                let chunk = TableChunk {
                    upload: second,
                    place: 0,
                    octets,
                };
                let publication = TablePublication {
                    number: *number,
                    version: format!("v{second}"),
                    upload: second,
                    checksums: vec![chunk_checksum(&chunk.octets)],
                    packed_octets: chunk.octets.len() as u64,
                    at: now,
                    confirm_by: within.map(|within| now + Duration::from_secs(within)),
                    again: None,
                    who: String::new(),
                    note: String::new(),
                };
                records.push((TableChunk::key(second, 0).0, now, TableWord::Chunk(chunk)));
                published.entry(*number).or_insert_with(|| publication.clone());
                TableWord::Publication(publication)
            }
            Act::Again(number, older) => {
                let Some(older) = published.get(older) else { continue };
                let again = Some(older.number);
                let confirm_by = None;
                TableWord::Publication(TablePublication {
                    number: *number,
                    again,
                    confirm_by,
                    at: now,
                    ..older.clone()
                })
            }
            Act::Confirm(number) => {
                let (number, who) = (*number, String::new());
                TableWord::Confirmation(TableConfirmation { number, at: now, who })
            }
        };
        records.push((key, now, word));
    }
    records
}

fn fold(records: &[(u64, UnixMs, TableWord)]) -> Ledger {
    let mut ledger = Ledger::default();
    for (key, at, word) in records {
        ledger.learn(*key, *at, word.clone());
    }
    ledger
}

/// The version in force so many seconds after the start; "" = none.
fn served(ledger: &Ledger, second: u64) -> String {
    ledger
        .in_force(at(second))
        .map_or_else(String::new, |version| version.publication.version)
}

fn of(acts: &[Act]) -> Ledger {
    fold(&records(acts))
}

#[test]
fn the_newest_version_is_in_force() {
    let ledger = of(&[Act::Publish(1, None), Act::Publish(2, None)]);
    assert_eq!((served(&ledger, 9).as_str(), ledger.next_number()), ("v1", 3));
    assert_eq!(served(&Ledger::default(), 9), "");
}

#[test]
fn of_two_with_one_number_the_log_decides() {
    let ledger = of(&[Act::Publish(1, None), Act::Publish(2, None), Act::Publish(2, None)]);
    assert_eq!((served(&ledger, 9).as_str(), ledger.history(at(9)).len()), ("v1", 2));
    assert!(ledger.counts(1_001) && !ledger.counts(1_002) && ledger.has(1_002));
}

#[test]
fn what_is_not_confirmed_in_time_gives_way_to_the_one_before() {
    let ledger = of(&[Act::Publish(1, None), Act::Publish(2, Some(10))]);
    assert_eq!(
        (served(&ledger, 10).as_str(), served(&ledger, 11).as_str()),
        ("v1", "v0")
    );
    assert_eq!(ledger.returns_to(at(10)).unwrap().publication.version, "v0");
    assert_eq!(
        (ledger.next_change(at(10)), ledger.next_change(at(11))),
        (Some(at(11)), None)
    );
    assert!(ledger.returns_to(at(11)).is_none());
}

#[test]
fn what_is_confirmed_in_time_stays() {
    let ledger = of(&[Act::Publish(1, None), Act::Publish(2, Some(10)), Act::Confirm(2)]);
    assert_eq!((served(&ledger, 100).as_str(), ledger.next_change(START)), ("v1", None));
}

#[test]
fn a_confirmation_after_the_time_changes_nothing() {
    let late = [
        Act::Publish(1, None),
        Act::Publish(2, Some(1)),
        Act::Confirm(1),
        Act::Confirm(2),
    ];
    assert_eq!(served(&of(&late), 100), "v0");
}

#[test]
fn a_version_upon_one_that_lapses_stays() {
    let ledger = of(&[Act::Publish(1, None), Act::Publish(2, Some(5)), Act::Publish(3, None)]);
    assert_eq!(
        (served(&ledger, 3).as_str(), served(&ledger, 100).as_str()),
        ("v2", "v2")
    );
    assert_eq!(ledger.before(at(100)).unwrap().publication.version, "v0");
}

#[test]
fn nothing_is_in_force_after_a_first_version_that_nobody_confirmed() {
    let ledger = of(&[Act::Publish(1, Some(5))]);
    assert_eq!((served(&ledger, 4).as_str(), served(&ledger, 5).as_str()), ("v0", ""));
}

#[test]
fn undoing_twice_brings_back_what_was_undone() {
    let acts = [
        Act::Publish(1, None),
        Act::Publish(2, None),
        Act::Again(3, 1),
        Act::Again(4, 2),
    ];
    assert_eq!(served(&of(&acts[..3]), 9), "v0");
    assert_eq!(of(&acts[..3]).before(at(9)).unwrap().publication.number, 2);
    assert_eq!(served(&of(&acts), 9), "v1");
}

#[test]
fn a_version_counts_only_with_all_of_its_chunks() {
    let acts = [Act::Publish(1, None), Act::Publish(2, None)];
    let mut lacking = records(&acts);
    lacking.remove(2);
    assert_eq!(served(&fold(&lacking), 9), "v0");
    let mut other = records(&acts);
    let TableWord::Chunk(chunk) = &mut other[2].2 else {
        panic!("a chunk stands before its publication")
    };
    chunk.octets = Bytes::from_static(b"?");
    assert_eq!(served(&fold(&other), 9), "v0");
    let mut late = records(&acts);
    late.swap(2, 3);
    assert_eq!(served(&fold(&late), 9), "v0");
}

#[test]
fn what_is_kept_is_bounded() {
    let acts: Vec<_> = (1..=HISTORY_MAX as u64 + 10)
        .map(|number| Act::Publish(number, None))
        .collect();
    let mut ledger = of(&acts);
    let outdated = ledger.outdated(at(100));
    assert_eq!(outdated.len(), 20, "ten publications and their chunks");
    outdated.into_iter().for_each(|key| ledger.forget(key));
    assert_eq!(
        (ledger.history(at(100)).len(), ledger.publications.len()),
        (HISTORY_MAX, HISTORY_MAX)
    );
    assert!(ledger.outdated(at(100)).is_empty());
}

#[test]
fn what_may_come_back_is_kept_however_much_came_after() {
    let mut acts = vec![Act::Publish(1, None)];
    acts.extend((2..=HISTORY_MAX as u64 + 10).map(|number| Act::Publish(number, Some(1_000))));
    let ledger = of(&acts);
    assert!(ledger.outdated(at(100)).is_empty());
    assert_eq!(served(&ledger, 10_000), "v0");
}

#[test]
fn chunks_of_a_publication_that_never_came_go_after_a_while() {
    let mut halves = records(&[Act::Publish(1, None), Act::Publish(2, None)]);
    halves.pop();
    let ledger = fold(&halves);
    assert!(ledger.outdated(at(60)).is_empty());
    assert_eq!(ledger.outdated(at(4_000)), [TableChunk::key(1, 0).0]);
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (0_u64..3, prop::option::of(1_u64..40)).prop_map(|(back, within)| (0, back, within)),
        3 => (0_u64..4).prop_map(|back| (1, back, None)),
        2 => (1_u64..6).prop_map(|back| (2, back, None)),
    ];
    vec(act, 0..120).prop_map(|drawn| {
        // Publishers number by what they know, which may be a little old.
        let mut last = 0;
        let number = |(kind, back, within): (u64, u64, Option<u64>)| match kind {
            0 => {
                let number = (last + 1_u64).saturating_sub(back).max(1);
                last = last.max(number);
                Act::Publish(number, within)
            }
            1 => Act::Confirm(last.saturating_sub(back).max(1)),
            _ => {
                last += 1;
                Act::Again(last, last.saturating_sub(back).max(1))
            }
        };
        drawn.into_iter().map(number).collect()
    })
}

proptest! {
    /// Two routers fold the same records, one of them after each of which it also looks at the time; a third reads what is left
    /// after what is not kept was taken off. All serve the same at every instant from then on.
    #[test]
    fn every_router_serves_the_same(acts in acts(), look in 0_u64..200) {
        let records = records(&acts);
        let whole = fold(&records);
        let mut following = Ledger::default();
        for (key, at, word) in &records {
            following.learn(*key, *at, word.clone());
            let _ = following.in_force(*at);
        }
        let end = acts.len() as u64;
        let gone = whole.outdated(at(end));
        let left: Vec<_> = records.into_iter().filter(|(key, _, _)| !gone.contains(key)).collect();
        let fresh = fold(&left);
        gone.into_iter().for_each(|key| following.forget(key));
        for second in [end, end + look, end + 1_000] {
            prop_assert_eq!(served(&whole, second), served(&fresh, second));
            prop_assert_eq!(served(&whole, second), served(&following, second));
        }
        prop_assert_eq!(whole.next_number(), fresh.next_number());
    }

    /// Between two instants at which something may change nothing does.
    #[test]
    fn nothing_changes_but_when_it_is_said(acts in acts()) {
        let ledger = of(&acts);
        let mut now = START;
        while let Some(next) = ledger.next_change(now) {
            let before = UnixMs(next.0 - 1);
            prop_assert_eq!(ledger.in_force(now).map(|version| version.publication), ledger.in_force(before).map(|version| version.publication));
            now = next;
        }
        prop_assert_eq!(served(&ledger, 100_000), ledger.in_force(now).map_or_else(String::new, |version| version.publication.version));
    }
}

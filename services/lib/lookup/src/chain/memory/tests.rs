//! What is remembered, what makes room, and how much room that is.

use table::Network;

use super::*;
use crate::Reach;

const NOW: Seconds = Seconds(1_000_000);

fn entry(asked_at: u32) -> Entry {
    Entry {
        network: Network::parse("208", "01").ok(),
        ported: Some(true),
        reach: Reach::Unknown,
        roaming: None,
        by: super::super::entry::By(1),
        asked_at: Seconds(asked_at),
        expires_at: Seconds(NOW.0 + 1_000),
        reach_until: Seconds(0),
    }
}

/// Marks of one set.
fn mark(at: u64) -> Mark {
    Mark(at << 32 | 5)
}

#[test]
fn what_was_put_is_there_until_it_is_replaced_removed_or_gone() {
    let memory = Memory::new(1_000);
    assert_eq!(memory.get(mark(1), NOW), None);
    memory.put(mark(1), &entry(7), NOW);
    assert_eq!(memory.get(mark(1), NOW), Some((entry(7), Age::Fresh)));
    memory.put(mark(1), &entry(8), NOW);
    assert_eq!(memory.get(mark(1), NOW), Some((entry(8), Age::Fresh)));
    assert_eq!(memory.get(mark(1), Seconds(u32::MAX)), None);
    assert_eq!(memory.get(mark(2), NOW), None);
    memory.remove(mark(1));
    assert_eq!(memory.get(mark(1), NOW), None);
}

#[test]
fn a_number_takes_25_octets_and_no_more_come_to_be_kept_than_there_is_room_for() {
    let memory = Memory::new(1 << 16);
    let octets = memory.octets();
    assert!(octets / (1 << 16) <= 25, "{octets}");
    let marks = || (1..=1 << 20).map(|at: u64| Mark(at.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
    marks().for_each(|mark| memory.put(mark, &entry(1), NOW));
    assert_eq!(memory.octets(), octets);
    let kept = marks().filter(|mark| memory.get(*mark, NOW).is_some()).count();
    assert!((1 << 15..=1 << 16).contains(&kept), "{kept}");
}

#[test]
fn those_that_are_asked_for_outlive_those_that_are_not() {
    let memory = Memory::new(1);
    for at in 0..8 {
        memory.put(mark(at), &entry(100 + at as u32), NOW);
    }
    assert!(memory.get(mark(0), NOW).is_some(), "the oldest is asked for");
    memory.put(mark(8), &entry(200), NOW);
    assert!(memory.get(mark(0), NOW).is_some());
    assert_eq!(memory.get(mark(1), NOW), None, "the oldest of the others made room");
}

#[test]
fn whoever_is_gone_makes_room_first() {
    let memory = Memory::new(1);
    for at in 0..8 {
        memory.put(mark(at), &entry(100), NOW);
    }
    let gone = Entry {
        asked_at: NOW,
        expires_at: NOW,
        network: None,
        ..entry(0)
    };
    memory.put(mark(3), &gone, NOW);
    memory.put(mark(9), &entry(1), NOW);
    let kept: Vec<_> = (0..10).filter(|at| memory.get(mark(*at), NOW).is_some()).collect();
    assert_eq!(kept, [0, 1, 2, 4, 5, 6, 7, 9]);
}

/// Two write one slot while two read it: whatever is read was written as a whole.
#[test]
fn nobody_reads_what_two_wrote() {
    let memory = Memory::new(1);
    let of = |at: u32| Entry {
        network: Network::of_index(200_000 + 100 + at as usize % 100),
        ported: Some(at.is_multiple_of(2)),
        reach_until: Seconds(at),
        ..entry(at)
    };
    std::thread::scope(|scope| {
        for turn in 0..2 {
            let memory = &memory;
            scope.spawn(move || (1..20_000).for_each(|at| memory.put(mark(1), &of(2 * at + turn), NOW)));
        }
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..100_000 {
                    if let Some((entry, _)) = memory.get(mark(1), NOW) {
                        assert_eq!(entry, of(entry.asked_at.0));
                    }
                }
            });
        }
    });
}

//! Times to recover, from passwords that are on time or late.

use super::{super::fault::Kind, *};

const START: UnixUs = UnixUs(1_000_000_000);
const LATE_US: u64 = 250_000;

/// A letter for each quarter of a second: `.` = its passwords are on time, `x` = they are late.
fn recovery(picture: &str) -> Recovery {
    let mut waits = Vec::new();
    for (slot, letter) in (0..).zip(picture.chars()) {
        let late = if letter == 'x' { 10 } else { 5 };
        for number in 0..100 {
            let wait = if number < late { LATE_US + 1 } else { 1_000 };
            waits.push((UnixUs(START.0 + slot * SLOT_US + number * 2_000), Some(wait)));
        }
    }
    Recovery {
        quiet: Latency::default(),
        stormy: Latency::default(),
        late_us: LATE_US,
        slots: slots(&waits, START, LATE_US),
        start: START,
    }
}

/// Faults at these slots.
fn struck(slots: &[u64]) -> Vec<Struck> {
    let fault = |slot: &u64| Struck {
        kind: Kind::Kill,
        target: "router-1".to_owned(),
        at: UnixUs(START.0 + slot * SLOT_US),
        ended_at: None,
    };
    slots.iter().map(fault).collect()
}

fn after(picture: &str, faults: &[u64], number: usize) -> Option<u64> {
    let after = recovery(picture).after(&struck(faults), number);
    after.map(|time| time.as_millis() as u64)
}

#[test]
fn one_late_password_in_twenty_is_as_before_and_one_in_ten_is_not() {
    assert_eq!(recovery(".x").slots, [false, true]);
}

#[test]
fn a_fault_that_nobody_felt_took_no_time() {
    assert_eq!(after("..........", &[2], 0), Some(0));
}

#[test]
fn it_is_over_with_the_last_slot_that_was_late() {
    assert_eq!(after("..xxx.....", &[2], 0), Some(750));
    assert_eq!(after("..xx.x.....", &[2], 0), Some(1_000));
}

#[test]
fn what_the_next_fault_breaks_is_not_charged_to_the_one_before() {
    assert_eq!(after("..xx......xx......", &[2, 10], 0), Some(500));
    assert_eq!(after("..xx......xx......", &[2, 10], 1), Some(500));
}

#[test]
fn a_fault_that_still_hurts_at_the_next_one_is_followed_beyond_it() {
    assert_eq!(after("..xxxxxx......", &[2, 5], 0), Some(1_500));
}

#[test]
fn what_is_late_to_the_end_never_recovered() {
    assert_eq!(after("..xxxxxx", &[2], 0), None);
}

#[test]
fn a_password_that_never_arrived_is_late() {
    let waits = [(START, None)];
    assert_eq!(slots(&waits, START, LATE_US), [true]);
}

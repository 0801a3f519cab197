//! What is remembered, for how long, and that it is bounded.

use bytes::Bytes;
use sms::MessageId;

use super::{ENTRY_OCTETS, OCTETS_MAX, Remembered};

fn id(number: u128) -> MessageId {
    let text = format!("00000000-0000-7000-8000-{number:012x}");
    text.parse().expect("it is an id")
}

fn take(remembered: &Remembered, epoch: u64, message: u128) -> Option<(u64, Bytes)> {
    let found = remembered.take(epoch, [id(message)].into_iter()).remove(0)?;
    Some((found.version, found.value))
}

#[test]
fn what_was_written_last_is_found_once() {
    let remembered = Remembered::default();
    remembered.put(1, id(1), 5, Bytes::from_static(b"old"));
    remembered.put(1, id(1), 6, Bytes::from_static(b"new"));
    assert_eq!(take(&remembered, 1, 1), Some((6, Bytes::from_static(b"new"))));
    assert_eq!(take(&remembered, 1, 1), None);
    assert_eq!(take(&remembered, 1, 2), None);
}

#[test]
fn a_new_epoch_knows_nothing_of_the_old_one() {
    let remembered = Remembered::default();
    remembered.put(1, id(1), 5, Bytes::from_static(b"old"));
    assert_eq!(take(&remembered, 2, 1), None);
}

#[test]
fn the_oldest_are_forgotten_beyond_the_limit() {
    let remembered = Remembered::default();
    let octets = Bytes::from(vec![0; 1024 * 1024 - ENTRY_OCTETS]);
    let fitting = (OCTETS_MAX / (1024 * 1024)) as u128;
    for message in 0..=fitting {
        remembered.put(1, id(message), 1, octets.clone());
    }
    assert_eq!(take(&remembered, 1, 0), None);
    assert!(take(&remembered, 1, 1).is_some() && take(&remembered, 1, fitting).is_some());
}

#[test]
fn numbers_of_what_was_taken_do_not_pile_up() {
    let remembered = Remembered::default();
    for _ in 0..10_000 {
        remembered.put(1, id(1), 1, Bytes::from_static(b"state"));
    }
    let entries = remembered.0.lock().expect("nobody panicked");
    assert!(
        entries.order.len() <= 1_002,
        "{} numbers of one message",
        entries.order.len()
    );
    assert_eq!(entries.octets, b"state".len() + ENTRY_OCTETS);
}

//! That what is moved is what the router writes.

use std::collections::BTreeSet;

use journey::{EndState, Event};

use super::*;

const AT: UnixMs = UnixMs(1_800_000_000_000);

fn letters() -> Letters {
    Letters::new(1, AT).unwrap()
}

#[test]
fn every_form_of_a_message_is_read_by_the_router_as_that_message() {
    let letters = letters();
    let written = letters.of(key_of(0));
    let order = record::order_from_bytes(&written.order).unwrap();
    let accepted = record::accepted_from_bytes(&written.accepted).unwrap();
    assert_eq!((accepted.segments, &accepted), (1, &order.message));
    assert_eq!(
        record::outcome_from_bytes(&written.outcome).unwrap().order,
        order.order_ref()
    );
    assert_eq!(
        record::receipt_from_bytes(&written.receipt).unwrap().order,
        order.order_ref()
    );
    let Event::Ended(end) = record::event_from_bytes(&written.event).unwrap() else {
        panic!("an end")
    };
    assert_eq!((end.state, end.message.id), (EndState::Delivered, order.message.id));
    let ended = record::state_from_bytes(&written.ended).unwrap();
    assert_eq!(ended.ended, Some(end));
    let waiting = record::state_from_bytes(&written.waiting).unwrap();
    assert!(waiting.ended.is_none() && waiting.timer.is_some(), "{waiting:?}");
}

/// The simulation counts what delivered messages write; texts differ, the rest does not.
#[test]
fn octets_are_within_a_half_of_what_the_router_writes() {
    let counted = crate::capacity::encoded();
    let records = ["accepted", "dispatch", "outcomes", "receipts", "events"];
    let octets: f64 = records.iter().map(|kind| counted[*kind]).sum();
    let ratio = letters().octets() / octets;
    assert!((1.0..1.5).contains(&ratio), "{ratio}: {counted:?}");
}

#[test]
fn no_two_messages_share_a_key_of_the_store() {
    let letters = letters();
    let mut seen = BTreeSet::new();
    for place in 0..10_000 {
        let key = key_of(place);
        let [state, correlation] = letters.wait(key, 0);
        for op in [letters.claim(key), state, correlation] {
            assert!(seen.insert(op.key().clone()), "{op:?}");
        }
    }
}

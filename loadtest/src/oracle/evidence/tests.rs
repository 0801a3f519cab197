//! Which answers count as lost.

use journey::{Answer, OrderNumber};

use super::*;

/// An order issued at `issued_at`, and the last that was heard of it.
fn attempt(number: u32, issued_at: u64, outcome: &str, at: u64) -> Attempt {
    Attempt {
        number: OrderNumber(number),
        carrier: CarrierName::new("atlas").unwrap(),
        network: String::new(),
        looked_up: None,
        price: None,
        table: String::new(),
        policy: String::new(),
        issued_at: UnixMs(issued_at),
        answer: Answer {
            outcome: outcome.into(),
            at: UnixMs(at),
            code: String::new(),
            detail: String::new(),
            charge: None,
        },
        spent: true,
        remote_ids: Vec::new(),
        receipts: Vec::new(),
    }
}

fn lost(attempts: &[Attempt]) -> Vec<bool> {
    attempts.iter().map(|attempt| was_lost(attempt, attempts)).collect()
}

#[test]
fn an_answer_that_never_came_was_lost() {
    let attempts = [attempt(1, 0, "unknown", 2_000), attempt(2, 2_010, "accepted", 2_050)];
    assert_eq!(lost(&attempts), [true, false]);
}

/// The carrier stood still for longer than a password waits, and answered when the next one had been asked.
#[test]
fn an_answer_that_came_behind_the_next_order_was_lost() {
    let attempts = [attempt(1, 0, "accepted", 2_600), attempt(2, 2_010, "accepted", 2_050)];
    assert_eq!(lost(&attempts), [true, false]);
}

#[test]
fn an_answer_that_came_before_the_next_order_was_not_lost() {
    let attempts = [attempt(1, 0, "accepted", 50), attempt(2, 2_010, "accepted", 2_050)];
    assert_eq!(lost(&attempts), [false, false]);
}

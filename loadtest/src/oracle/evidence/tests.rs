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

/// The orders whose answers were given up, where the log says so of those in `on_log`.
fn given_up(attempts: &[Attempt], on_log: &[u32]) -> Vec<u64> {
    let mut end = End::new(MessageId::of(UnixMs(1), [0; 10]), EndState::Delivered, 0);
    end.doubtful = taken(attempts);
    on_log.iter().for_each(|number| end.given_up(OrderNumber(*number)));
    end.unknown.iter().map(|issued| issued.0).collect()
}

/// The carrier stood still for longer than a password waits, and answered when the next one was asked.
#[test]
fn an_answer_that_came_was_given_up_before_if_the_log_says_so() {
    let attempts = [attempt(1, 7, "accepted", 2_600), attempt(2, 2_010, "accepted", 2_050)];
    assert_eq!(given_up(&attempts, &[1]), [7]);
    assert_eq!(given_up(&attempts, &[1, 1]), [7], "it may stand there twice");
    assert!(given_up(&attempts, &[]).is_empty());
}

#[test]
fn an_order_that_no_carrier_took_is_in_no_doubt() {
    let attempts = [attempt(1, 7, "next", 50), attempt(2, 2_010, "accepted", 2_050)];
    assert_eq!(given_up(&attempts, &[1, 2]), [2_010]);
}

//! Rounds, holds, and the moment between two orders.

use super::*;
use journey::{Answer, OrderNumber};

/// Attempts written as `a b! c?`: `!` = spent nothing, `?` = a hold, each ten seconds after the one before.
fn tried(script: &str) -> Tried {
    let attempt = |(at, word): (usize, &str)| Attempt {
        number: OrderNumber(u32::try_from(at).unwrap() + 1),
        carrier: CarrierName::new(word.trim_end_matches(['!', '?'])).unwrap(),
        network: String::new(),
        looked_up: None,
        price: None,
        table: String::new(),
        policy: String::new(),
        issued_at: UnixMs(at as u64 * 10_000),
        answer: Answer {
            charge: None,
            outcome: if word.ends_with('?') { "hold" } else { "next" }.to_owned(),
            code: String::new(),
            detail: String::new(),
            at: UnixMs(0),
        },
        spent: !word.ends_with(['!', '?']),
        remote_ids: Vec::new(),
        receipts: Vec::new(),
    };
    let attempts: Vec<_> = script.split_whitespace().enumerate().map(attempt).collect();
    Tried::new(&attempts, UnixMs(attempts.len() as u64 * 10_000))
}

fn names(tried: &Tried) -> String {
    tried.carriers().iter().map(CarrierName::as_str).collect()
}

#[test]
fn a_round_leaves_out_who_had_a_turn() {
    assert_eq!(names(&tried("")), "");
    assert_eq!(names(&tried("a b!")), "ab");
    assert_eq!(names(&tried("a b a")), "a", "b has not had its second turn");
    assert_eq!(names(&tried("a b a b")), "ab");
}

#[test]
fn a_hold_is_no_turn() {
    assert_eq!(names(&tried("a b?")), "a");
}

#[test]
fn the_next_round_lets_everybody_in_again() {
    let mut tried = tried("a b");
    assert!(tried.next_round());
    assert_eq!((names(&tried).as_str(), tried.round()), ("", 2));
    assert!(!tried.next_round());
}

#[test]
fn nobody_is_asked_twice_within_a_moment() {
    let mut tried = tried("a b");
    tried.recent = vec![CarrierName::new("b").unwrap()];
    tried.next_round();
    assert_eq!(names(&tried), "b");
}

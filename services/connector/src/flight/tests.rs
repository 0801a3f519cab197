//! What answers to parts make of an order.

use super::*;
use crate::fixture::{carrier, long_order, order};
use service::time;

const NOW: UnixMs = crate::fixture::START;

fn flight(order: Order) -> Flight {
    Flight::new(Ready::cut(order, crate::Concatenation::Udh8))
}

fn verdict(word: &str) -> Verdict {
    match word {
        "taken" => Verdict::Taken {
            remote_id: "id".into(),
            charge: None,
        },
        "unsent" => Verdict::Unsent { code: "no_link" },
        "unanswered" => Verdict::Unanswered,
        "by a map" => Verdict::Refused {
            rule: Rule {
                action: Action::Unanswered,
                code: "word",
            },
            detail: String::new(),
            retry_after: None,
        },
        action => Verdict::Refused {
            rule: Rule {
                action: action.parse().unwrap(),
                code: "word",
            },
            detail: String::new(),
            retry_after: None,
        },
    }
}

/// What a message of as many segments becomes when they are answered so.
fn becomes(words: &[&str]) -> String {
    let mut flight = flight(long_order(1, words.len() as u8));
    while flight.send_next(NOW).is_some() {}
    for (part, word) in words.iter().enumerate() {
        assert!(flight.answer(part as u8, verdict(word)));
    }
    match flight.next(time::now(), NOW, true) {
        Next::Report(outcome) => outcome.as_str().to_owned(),
        other => format!("{other:?}"),
    }
}

/// Every pair of answers to a message of two segments, in both orders.
#[tokio::test(start_paused = true)]
async fn a_message_becomes_what_all_of_its_segments_allow() {
    let cases = [
        ("taken", "taken", "accepted"),
        ("taken", "accept", "accepted"),
        ("taken", "next", "unknown"),
        ("taken", "fail", "unknown"),
        ("taken", "link_down", "unknown"),
        ("taken", "unsent", "unknown"),
        ("taken", "unanswered", "unknown"),
        ("taken", "hold", "Hold(250ms)"),
        ("unanswered", "unanswered", "unknown"),
        ("by a map", "unsent", "unknown"),
        ("by a map", "taken", "unknown"),
        ("unanswered", "next", "unknown"),
        ("unanswered", "hold", "unknown"),
        ("unanswered", "unsent", "unknown"),
        ("next", "next", "next"),
        ("next", "fail", "fail"),
        ("next", "hold", "next"),
        ("next", "unsent", "next"),
        ("next", "link_down", "next"),
        ("fail", "hold", "fail"),
        ("fail", "unsent", "fail"),
        ("link_down", "link_down", "link_down"),
        ("link_down", "unsent", "link_down"),
        ("unsent", "unsent", "link_down"),
        ("hold", "unsent", "link_down"),
        ("hold", "hold", "Hold(250ms)"),
    ];
    for (one, other, wanted) in cases {
        assert_eq!(becomes(&[one, other]), wanted, "{one} {other}");
        assert_eq!(becomes(&[other, one]), wanted, "{other} {one}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_carrier_that_says_the_same_is_believed() {
    let mut repeated = order(1);
    repeated.attempts.push(journey::Attempt {
        number: journey::OrderNumber(1),
        carrier: carrier("cirrus"),
        network: String::new(),
        looked_up: None,
        price: None,
        table: String::new(),
        policy: String::new(),
        issued_at: NOW,
        answer: journey::Answer {
            charge: None,
            outcome: "next".into(),
            code: "word".into(),
            detail: String::new(),
            at: NOW,
        },
        spent: true,
        remote_ids: Vec::new(),
        receipts: Vec::new(),
    });
    for (order, wanted) in [(order(1), "next"), (repeated, "fail")] {
        let mut flight = flight(order);
        let part = flight.send_next(NOW).unwrap();
        flight.answer(part, verdict("next then fail"));
        let Next::Report(outcome) = flight.next(time::now(), NOW, true) else {
            panic!("not over")
        };
        assert_eq!(outcome.as_str(), wanted);
    }
}

#[tokio::test(start_paused = true)]
async fn a_hold_that_would_outlast_the_deadline_is_not_held_in_place() {
    let mut flight = flight(order(1));
    let part = flight.send_next(NOW).unwrap();
    flight.answer(part, verdict("hold"));
    let late = flight.order().terms.deadline - Duration::from_millis(100);
    assert!(matches!(
        flight.next(time::now(), late, true),
        Next::Report(Outcome::Hold { .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn a_part_is_answered_once_and_once_more_after_silence() {
    let mut flight = flight(order(1));
    let part = flight.send_next(NOW).unwrap();
    assert!(!flight.answer(9, verdict("taken")), "no such part");
    assert!(flight.answer(part, verdict("unanswered")));
    assert!(flight.is_open());
    assert!(flight.answer(part, verdict("taken")));
    assert!(!flight.answer(part, verdict("taken")));
    assert!(flight.late_acceptance().is_some());
}

/// What a message is held for that its carrier refuses with this word, and at which time.
async fn held(retry_after: Option<u64>) -> (Duration, Duration) {
    let mut flight = flight(order(1));
    let began = time::now();
    let asked = retry_after.map(Duration::from_secs);
    loop {
        let part = flight.send_next(NOW).unwrap();
        let Verdict::Refused { rule, detail, .. } = verdict("hold") else {
            unreachable!("a hold is a refusal")
        };
        let refused = Verdict::Refused {
            rule,
            detail,
            retry_after: asked,
        };
        assert!(flight.answer(part, refused));
        match flight.next(time::now(), NOW, true) {
            Next::Hold(wait) => time::sleep(wait).await,
            Next::Report(Outcome::Hold { retry_after, .. }) => return (began.elapsed(), retry_after),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_hold_lasts_as_long_as_the_carrier_asks_for_within_a_minute() {
    let (none, ms) = (Duration::ZERO, Duration::from_millis);
    assert_eq!(
        held(None).await,
        (ms(1_750), ms(5_000)),
        "tried in place, then a default"
    );
    assert_eq!(
        held(Some(1)).await,
        (ms(2_000), ms(5_000)),
        "not tried before it is asked to"
    );
    assert_eq!(held(Some(40)).await, (none, ms(40_000)), "not tried in place in vain");
    assert_eq!(
        held(Some(86_400)).await,
        (none, ms(60_000)),
        "a day is nothing to wait for"
    );
}

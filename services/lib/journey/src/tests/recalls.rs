//! A state made again from the log.

use sms::Class;

use super::life::Life;
use crate::{EndState, Event, Fact, Input, Known, OnUnknown, OrderNumber, State, Waiting, fold, recall};

fn fact(life: &Life, script: &str) -> Fact {
    match life.input(script) {
        Input::Answered(answer) => Fact::Answered(answer),
        Input::Receipt(receipt) => Fact::Receipt(receipt),
        other => panic!("not on the log: {other:?}"),
    }
}

fn recalled(facts: &[Fact]) -> State {
    let state = facts.iter().fold(None, |state, fact| Some(recall(state, fact)));
    state.expect("there are facts")
}

#[test]
fn facts_in_any_order_and_twice_lead_to_one_state() {
    let life = Life::new(Class::Transactional);
    let facts = [
        Fact::Accepted(Box::new(life.message.clone())),
        Fact::Ordered(Box::new(life.order(1))),
        fact(&life, "1 accepted a"),
        fact(&life, "r1.0 ENROUTE"),
    ];
    let state = recalled(&facts);
    for first in 0..facts.len() {
        let mut turned = facts.to_vec();
        turned.rotate_left(first);
        turned.push(facts[first].clone());
        assert_eq!(recalled(&turned), state, "from {first}");
    }
}

#[test]
fn nothing_ends_by_being_remembered() {
    let life = Life::new(Class::Transactional);
    let delivered = [fact(&life, "1 accepted a"), fact(&life, "r1.0 DELIVRD")];
    let state = recalled(&delivered);
    assert!(state.ended.is_none() && state.timer.is_some());
    let (ended, _) = fold(Some(state), &Input::Timer, life.now, &crate::Known::default());
    assert_eq!(ended.ended.unwrap().state, EndState::Delivered);
}

#[test]
fn an_end_on_the_log_stands() {
    let mut life = Life::new(Class::Transactional);
    life.hear("1 accepted a").hear("r1.0 DELIVRD");
    let Event::Ended(end) = life.told[0].clone() else {
        panic!("a message ended")
    };
    let state = recalled(&[fact(&life, "1 accepted a"), Fact::Ended(end.clone())]);
    assert_eq!(state.ended, Some(end));
    assert_eq!(recall(Some(state.clone()), &fact(&life, "r1.0 UNDELIV")), state);
}

#[test]
fn an_order_on_the_log_is_in_flight_until_it_is_answered() {
    let life = Life::new(Class::Otp);
    let unknown = fact(&life, "1 unknown");
    let state = recalled(&[unknown, Fact::Ordered(Box::new(life.order(2)))]);
    assert!(state.is_in_flight());
    assert_eq!(state.issued, OrderNumber(2));
}

#[test]
fn a_message_without_an_order_has_a_timer_and_no_number() {
    let life = Life::new(Class::Transactional);
    let state = recalled(&[Fact::Accepted(Box::new(life.message.clone()))]);
    assert_eq!(state.issued, OrderNumber(0));
    assert!(state.timer.is_some() && !state.is_in_flight());
}

/// The store was lost, and a router wins the claim of the order in flight when the time is over.
#[test]
fn what_is_called_off_in_doubt_was_sent_perhaps_unless_it_only_waited() {
    let life = Life::new(Class::Transactional);
    let waits = Fact::Waits(Box::new(Waiting {
        message: life.message.clone(),
        number: OrderNumber(1),
        attempts: Vec::new(),
        until: life.now,
        deadline: life.terms.deadline,
        stay: None,
        again: true,
        look_again: false,
    }));
    let ordered = Fact::Ordered(Box::new(life.order(1)));
    let known = Known {
        is_kept: true,
        in_doubt: true,
        claims: [(OrderNumber(1), true)].into(),
    };
    let over = life.terms.deadline + life.terms.grace;
    let cases = [
        (vec![waits.clone()], EndState::Expired),
        (vec![waits.clone(), ordered.clone()], EndState::Unknown),
        (vec![ordered, waits], EndState::Unknown),
    ];
    for (facts, expected) in cases {
        let (ended, _) = fold(Some(recalled(&facts)), &Input::Timer, over, &known);
        assert_eq!(ended.ended.unwrap().state, expected, "{facts:?}");
    }
}

/// Whoever had order 2 may have sent it and died with the store, and a router wins its claim.
#[test]
fn what_is_called_off_in_doubt_is_an_answer_that_never_came() {
    let unknown = Some(EndState::Unknown);
    for (on_unknown, next, end) in [
        (OnUnknown::Resend, Some(3), None),
        (OnUnknown::Wait, None, None),
        (OnUnknown::Fail, None, unknown),
    ] {
        let mut life = Life::new(Class::Transactional);
        life.terms.on_unknown = on_unknown;
        let facts = [fact(&life, "1 next"), Fact::Ordered(Box::new(life.order(2)))];
        let known = Known {
            is_kept: true,
            in_doubt: true,
            claims: [(OrderNumber(2), true)].into(),
        };
        let input = life.input("1 unknown");
        let (state, actions) = fold(Some(recalled(&facts)), &input, life.now, &known);
        assert_eq!(actions.next.map(|next| next.number.0), next, "{on_unknown:?}");
        assert_eq!(state.ended.map(|ended| ended.state), end, "{on_unknown:?}");
    }
}

/// `life` goes on after a loss of the store with what the log said.
fn go_on(life: &mut Life, facts: &[Fact]) {
    life.state = Some(recalled(facts));
    life.in_doubt = true;
}

/// Order 2 was asked for and never published: winning its claim says all that there is to say.
#[test]
fn a_number_that_was_only_asked_for_was_not_sent() {
    let mut life = Life::new(Class::Transactional);
    let facts = [Fact::Ordered(Box::new(life.order(1))), fact(&life, "1 next")];
    go_on(&mut life, &facts);
    life.hear("1 next");
    assert_eq!(life.next_number(), Some(2));
    life.hear("dead2");
    assert_eq!(life.end(), Some((EndState::Rejected, "no_route")));
}

/// A wait comes back after its order was published, and finds nobody else to ask.
#[test]
fn an_order_from_before_the_loss_is_not_parked() {
    let mut life = Life::new(Class::Transactional);
    let facts = [fact(&life, "1 down"), Fact::Ordered(Box::new(life.order(2)))];
    go_on(&mut life, &facts);
    life.hear("parked2").at(100).hear("timer");
    assert_eq!(life.end(), None, "its carrier may have it");
    life.at(150).hear("timer");
    assert_eq!(life.end(), Some((EndState::Unknown, "no_answer")));
}

/// Order 2 is called off for a late answer to the first, whose receipt comes a while later.
#[test]
fn doubt_lasts_until_what_was_called_off_is_answered() {
    for (answer, end) in [
        (None, (EndState::Unknown, "no_answer")),
        (Some("2 down"), (EndState::Failed, "receipt")),
    ] {
        let mut life = Life::new(Class::Otp);
        let facts = [fact(&life, "1 unknown"), Fact::Ordered(Box::new(life.order(2)))];
        go_on(&mut life, &facts);
        life.hear("1 accepted a");
        assert!(life.taken.contains(&OrderNumber(2)) && life.end().is_none());
        if let Some(answer) = answer {
            life.hear(answer);
        }
        life.hear("r1.0 UNDELIV");
        assert_eq!(life.end(), Some(end), "{answer:?}");
    }
}

/// What led to the second order comes again after the loss: should two carriers be handed it, both may send it.
#[test]
fn an_order_that_stands_on_the_log_is_not_published_again() {
    let mut life = Life::new(Class::Otp);
    let second = Fact::Ordered(Box::new(life.order(2)));
    for (facts, expected) in [(vec![], Some(2)), (vec![second], None)] {
        let answered = fact(&life, "1 unknown");
        let facts: Vec<_> = [answered].into_iter().chain(facts).collect();
        go_on(&mut life, &facts);
        life.hear("1 unknown");
        assert_eq!(life.next_number(), expected);
        let state = life.state.as_ref().unwrap();
        assert_eq!(state.has_ordered(OrderNumber(2)), expected.is_none());
        assert!(state.has_ordered(OrderNumber(1)) && !state.has_ordered(OrderNumber(3)));
    }
}

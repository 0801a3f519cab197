//! The rules of a message's life, one by one.

use std::time::Duration;

use sms::Class;

use super::life::{Life, START};
use crate::{EndState, Event, Fact, OnUnknown, recall};

fn life() -> Life {
    Life::new(Class::Transactional)
}

/// A message of which the log says that it was accepted and its first order published.
fn ordered() -> Life {
    let mut life = life();
    let order = Fact::Ordered(Box::new(life.order(1)));
    life.state = Some(recall(None, &order));
    life
}

#[test]
fn accepted_then_delivered_ends_delivered() {
    let mut life = life();
    life.hear("1 accepted a");
    assert!(life.last.keep && life.end().is_none());
    assert_eq!(life.timer(), Some(150), "deadline and grace");
    life.hear("r1.0 ENROUTE").hear("r1.0 DELIVRD");
    assert_eq!(life.end(), Some((EndState::Delivered, "")));
    assert_eq!(life.told.len(), 1);
    assert_eq!(life.timer(), None);
}

#[test]
fn a_receipt_before_its_answer_waits_for_it_and_then_ends() {
    let mut life = life();
    life.hear("r1.0 DELIVRD");
    assert!(life.last.keep && life.end().is_none());
    life.hear("1 accepted a");
    assert_eq!(life.end(), Some((EndState::Delivered, "")));
}

#[test]
fn a_receipt_turns_a_missing_answer_into_accepted() {
    let mut life = Life::new(Class::Otp);
    life.hear("r1.0 ENROUTE").hear("1 unknown");
    assert_eq!(life.next_number(), None, "the carrier has it: nothing is sent again");
    life.hear("r1.0 DELIVRD");
    assert_eq!(life.end(), Some((EndState::Delivered, "")));
}

#[test]
fn next_asks_another_without_touching_the_store() {
    let mut life = life();
    life.hear("1 next");
    assert_eq!(life.next_number(), Some(2));
    assert!(!life.last.keep);
    assert!(life.next().unwrap().attempts[0].spent);
}

#[test]
fn link_down_and_late_orders_spend_no_attempt() {
    let mut life = life();
    life.hear("1 down");
    assert_eq!(life.next_number(), Some(2));
    assert!(!life.next().unwrap().attempts[0].spent);
    life.hear("2 late");
    assert_eq!(life.next_number(), Some(3));
    assert!(!life.next().unwrap().attempts[1].spent);
}

#[test]
fn attempts_run_out() {
    let mut life = life();
    life.hear("1 next").hear("2 next").hear("3 next");
    assert_eq!(life.end(), Some((EndState::Failed, "code")));
    let Event::Ended(ended) = &life.told[0] else {
        panic!("a message ended")
    };
    assert_eq!(ended.attempts.len(), 3);
    assert!(life.taken.contains(&crate::OrderNumber(4)), "nobody may send a fourth");
}

#[test]
fn after_the_deadline_nobody_is_asked() {
    let mut life = life();
    life.at(100).hear("1 late");
    assert_eq!(life.end(), Some((EndState::Expired, "deadline")));
}

#[test]
fn an_end_is_left_alone_where_an_earlier_run_went_on() {
    let mut life = life();
    life.claimed(2).at(100).hear("1 next");
    assert_eq!(life.end(), None);
    assert_eq!(life.next_number(), None);
    assert!(!life.last.keep);
}

#[test]
fn fail_ends_at_once() {
    let mut life = life();
    life.hear("1 fail");
    assert_eq!(life.end(), Some((EndState::Failed, "code")));
}

#[test]
fn a_hold_stays_with_its_carrier_and_spends_nothing() {
    let mut life = life();
    life.hear("1 hold 7");
    let next = life.next().unwrap();
    assert_eq!((next.number.0, next.after), (2, Duration::from_secs(7)));
    assert_eq!(next.stay.as_ref().unwrap().as_str(), "c1");
    assert!(!next.attempts[0].spent);
}

#[test]
fn a_hold_past_spill_after_goes_on_and_spends() {
    let mut life = life();
    life.terms.spill_after = Some(Duration::from_secs(5));
    life.hear("1 hold 7");
    let next = life.next().unwrap();
    assert_eq!((next.after, &next.stay), (Duration::ZERO, &None));
    assert!(next.attempts[0].spent);
}

#[test]
fn a_hold_past_the_deadline_goes_on() {
    let mut life = life();
    life.at(95).hear("1 hold 7");
    assert_eq!(life.next().unwrap().after, Duration::ZERO);
}

#[test]
fn no_receipts_end_in_sent() {
    let mut life = life();
    life.receipt = false;
    life.hear("1 accepted a");
    assert_eq!(life.end(), Some((EndState::Sent, "")));
    let mut nameless = Life::new(Class::Transactional);
    nameless.hear("1 accepted");
    assert_eq!(
        nameless.end(),
        Some((EndState::Sent, "")),
        "without an id no receipt can be told apart"
    );
}

#[test]
fn all_segments_must_be_delivered() {
    let mut life = life();
    life.hear("1 accepted a b c").hear("r1.0 DELIVRD").hear("r1.2 DELIVRD");
    assert_eq!(life.end(), None);
    life.hear("r1.1 DELIVRD");
    assert_eq!(life.end(), Some((EndState::Delivered, "")));
}

#[test]
fn a_part_on_the_handset_forbids_failover() {
    let mut life = life();
    life.hear("1 accepted a b")
        .hear("r1.0 DELIVRD")
        .hear("r1.1 UNDELIV route");
    assert_eq!(life.end(), Some((EndState::Failed, "receipt")));
}

#[test]
fn the_route_s_fault_fails_over_and_the_handset_s_does_not() {
    let mut route = life();
    route.hear("1 accepted a").hear("r1.0 UNDELIV route");
    assert_eq!(route.next_number(), Some(2));
    assert!(route.last.keep, "the store knows of the order before it is published");
    for fault in ["UNDELIV handset", "UNDELIV recipient", "REJECTD recipient"] {
        let mut handset = life();
        handset.hear("1 accepted a").hear(&format!("r1.0 {fault}"));
        assert_eq!(handset.end(), Some((EndState::Failed, "receipt")), "{fault}");
    }
}

#[test]
fn an_unknown_number_is_looked_up_again() {
    let mut life = life();
    life.hear("1 accepted a").hear("r1.0 UNDELIV number");
    assert!(life.next().unwrap().look_again);
}

#[test]
fn expired_blames_the_route_only_when_early() {
    let mut early = life();
    early.hear("1 accepted a").at(40).hear("r1.0 EXPIRED");
    assert_eq!(early.next_number(), Some(2));
    let mut late = life();
    late.hear("1 accepted a").at(60).hear("r1.0 EXPIRED");
    assert_eq!(late.end(), Some((EndState::Failed, "receipt")));
}

#[test]
fn silence_without_a_limit_ends_unknown_after_grace() {
    let mut life = life();
    life.hear("1 accepted a").at(149).hear("timer");
    assert_eq!(life.end(), None);
    life.at(150).hear("timer");
    assert_eq!(life.end(), Some((EndState::Unknown, "no_receipt")));
}

#[test]
fn silence_past_receipt_within_fails_over() {
    let mut life = life();
    life.terms.receipt_within = Some(Duration::from_secs(20));
    life.hear("1 accepted a");
    assert_eq!(life.timer(), Some(20));
    life.at(20).hear("timer");
    assert_eq!(life.next_number(), Some(2));
    assert_eq!(
        life.next().unwrap().message.content,
        life.message.content,
        "the content was kept for this"
    );
    assert_eq!(life.timer(), Some(150));
    life.hear("timer");
    assert_eq!(
        life.next_number(),
        Some(2),
        "a timer before its time repeats the step that was not confirmed"
    );
}

#[test]
fn silence_that_is_noticed_after_the_deadline_waits_for_the_end_of_grace() {
    let mut life = life();
    life.terms.receipt_within = Some(Duration::from_secs(20));
    life.hear("1 accepted a").at(100).hear("timer");
    assert_eq!((life.next_number(), life.end()), (None, None));
    assert_eq!(life.timer(), Some(150), "nobody else is asked any more");
    life.at(120).hear("1 accepted a").hear("r1.0 ENROUTE");
    assert_eq!(life.timer(), Some(150));
    life.at(150).hear("timer");
    assert_eq!(life.end(), Some((EndState::Unknown, "no_receipt")));
}

#[test]
fn what_was_silent_may_still_be_delivered() {
    let mut life = life();
    life.terms.receipt_within = Some(Duration::from_secs(20));
    life.hear("1 accepted a").at(20).hear("timer").hear("r1.0 DELIVRD");
    assert_eq!(life.end(), Some((EndState::Delivered, "")));
    assert!(
        life.taken.contains(&crate::OrderNumber(2)),
        "the failover is taken out of use"
    );
    assert!(!life.last.is_duplicate);
}

#[test]
fn a_failover_that_is_out_already_counts_as_duplicate() {
    let mut life = life();
    life.terms.receipt_within = Some(Duration::from_secs(20));
    life.hear("1 accepted a")
        .at(20)
        .hear("timer")
        .claimed(2)
        .hear("r1.0 DELIVRD");
    assert_eq!(life.end(), Some((EndState::Delivered, "")));
    assert!(life.last.is_duplicate);
}

#[test]
fn no_answer_means_what_the_class_says() {
    let mut otp = Life::new(Class::Otp);
    otp.hear("1 unknown");
    assert_eq!(otp.next_number(), Some(2), "a password is sent again");
    let mut promotional = Life::new(Class::Promotional);
    promotional.hear("1 unknown");
    assert_eq!(
        promotional.end(),
        Some((EndState::Unknown, "no_answer")),
        "a promotion never"
    );
    let mut transactional = life();
    transactional.hear("1 unknown");
    assert_eq!(
        (transactional.end(), transactional.next_number()),
        (None, None),
        "others wait for a receipt"
    );
    transactional.at(150).hear("timer");
    assert_eq!(transactional.end(), Some((EndState::Unknown, "no_answer")));
}

#[test]
fn a_late_ok_calls_off_the_failover() {
    let mut life = Life::new(Class::Otp);
    life.hear("1 unknown").hear("1 accepted a");
    assert_eq!((life.end(), life.next_number()), (None, None));
    assert!(life.taken.contains(&crate::OrderNumber(2)));
    life.hear("r1.0 UNDELIV route");
    assert_eq!(life.next_number(), Some(3), "a number out of use is never used again");
}

#[test]
fn a_late_ok_cannot_call_off_what_a_carrier_has() {
    let mut life = Life::new(Class::Otp);
    life.hear("1 unknown").claimed(2).hear("1 accepted a");
    assert!(life.last.is_duplicate);
    life.hear("2 accepted b").hear("r2.0 UNDELIV handset");
    assert_eq!(life.end(), None, "the first may still arrive");
    life.hear("r1.0 DELIVRD");
    assert_eq!(life.end(), Some((EndState::Delivered, "")));
}

#[test]
fn a_dead_end_rejects_unless_a_carrier_has_the_message() {
    let mut fresh = life();
    fresh.hear("dead1");
    assert_eq!(fresh.end(), Some((EndState::Rejected, "no_route")));
    let mut published = life();
    published.claimed(1).hear("dead1");
    assert_eq!(published.end(), None, "an earlier run published this very order");
    let mut resent = Life::new(Class::Otp);
    resent.hear("1 unknown").hear("dead2");
    assert_eq!(resent.end(), None);
    resent.at(150).hear("timer");
    assert_eq!(resent.end(), Some((EndState::Unknown, "no_answer")));
}

#[test]
fn receipts_after_the_end_are_told_but_end_nothing() {
    let mut life = Life::new(Class::Promotional);
    life.hear("1 unknown").hear("r1.0 DELIVRD");
    assert_eq!(life.end(), Some((EndState::Unknown, "no_answer")));
    let Some(Event::Late(late)) = &life.last.tell else {
        panic!("a late receipt was told")
    };
    assert_eq!(late.ended, EndState::Unknown);
    life.hear("r1.0 ENROUTE");
    assert_eq!(life.last.tell, None);
}

#[test]
fn repeats_tell_the_same_end_again() {
    let mut life = life();
    life.hear("1 accepted a")
        .hear("r1.0 DELIVRD")
        .at(9)
        .hear("r1.0 DELIVRD")
        .hear("1 accepted a")
        .hear("timer");
    assert_eq!(life.told.len(), 4);
    assert!(life.told.iter().all(|event| *event == life.told[0]));
    let Event::Ended(ended) = &life.told[0] else {
        panic!("a message ended")
    };
    assert_eq!(ended.ended_at, START);
}

#[test]
fn content_goes_when_no_failover_is_left() {
    let mut life = life();
    life.hear("1 next").hear("2 accepted a");
    assert!(life.state.as_ref().unwrap().body.as_ref().unwrap().has_content);
    life.hear("r2.0 UNDELIV route").hear("3 accepted b");
    assert!(!life.state.as_ref().unwrap().body.as_ref().unwrap().has_content);
    life.hear("r3.0 UNDELIV route");
    assert_eq!(life.end(), Some((EndState::Failed, "receipt")));
}

#[test]
fn on_unknown_is_the_route_s_word() {
    let mut life = Life::new(Class::Promotional);
    life.terms.on_unknown = OnUnknown::Resend;
    life.hear("1 unknown");
    assert_eq!(life.next_number(), Some(2));
}

#[test]
fn an_order_at_a_carrier_outlives_the_end_of_grace_until_it_is_answered() {
    let mut life = Life::new(Class::Otp);
    life.hear("1 unknown").claimed(2).at(150).hear("timer");
    assert_eq!(life.end(), None);
    assert_eq!(life.timer(), Some(155));
    life.hear("2 down");
    assert_eq!(life.end(), None, "the first was sent, and the next look ends it");
    life.at(155).hear("timer");
    assert_eq!(life.end(), Some((EndState::Unknown, "no_answer")));
}

#[test]
fn an_order_at_a_carrier_that_is_never_answered_is_looked_at_twice_and_ends_as_unknown() {
    let mut life = ordered();
    life.claimed(1).at(150).hear("timer");
    assert_eq!((life.end(), life.timer()), (None, Some(155)));
    life.at(154).hear("timer");
    assert_eq!(life.end(), None, "its answer may be on its way still");
    life.at(155).hear("timer");
    assert_eq!(life.end(), Some((EndState::Unknown, "no_answer")));
    life.hear("1 accepted a");
    assert_eq!(life.told.len(), 2);
    assert_eq!(life.told[0], life.told[1], "an answer after the end changes nothing");
}

#[test]
fn a_delivery_whose_order_is_never_answered_ends_as_delivered() {
    let mut life = ordered();
    life.claimed(1).hear("r1.0 DELIVRD").at(150).hear("timer");
    assert_eq!(life.end(), None);
    life.at(155).hear("timer");
    assert_eq!(life.end(), Some((EndState::Delivered, "")));
}

#[test]
fn a_receipt_that_says_no_delivery_leaves_an_order_that_is_never_answered_unknown() {
    let mut life = ordered();
    life.claimed(1).hear("r1.0 ENROUTE").at(150).hear("timer");
    life.at(155).hear("timer");
    assert_eq!(life.end(), Some((EndState::Unknown, "no_answer")));
}

#[test]
fn an_order_in_a_queue_ends_with_grace() {
    let mut life = Life::new(Class::Otp);
    life.hear("1 unknown").at(150).hear("timer");
    assert_eq!(life.end(), Some((EndState::Unknown, "no_answer")));
    assert!(life.taken.contains(&crate::OrderNumber(2)));
}

#[test]
fn a_wait_that_ends_with_the_deadline_expires_then() {
    let mut life = life();
    life.hear("1 down").hear("parked2");
    assert_eq!((life.end(), life.timer()), (None, Some(100)));
    life.at(99).hear("timer");
    assert_eq!(life.end(), None);
    life.at(100).hear("timer");
    assert_eq!(life.end(), Some((EndState::Expired, "deadline")));
    assert!(life.taken.contains(&crate::OrderNumber(2)));
}

#[test]
fn a_parked_order_that_an_earlier_run_published_lives_on() {
    let mut life = life();
    life.hear("1 down").hear("parked2").claimed(2).at(100).hear("timer");
    assert_eq!((life.end(), life.timer()), (None, Some(105)));
    life.hear("2 accepted a").hear("r2.0 DELIVRD");
    assert_eq!(life.end(), Some((EndState::Delivered, "")));
}

#[test]
fn parking_does_not_hide_what_was_sent() {
    let mut life = Life::new(Class::Otp);
    life.hear("1 unknown").hear("parked2").at(100).hear("timer");
    assert_eq!(
        (life.end(), life.timer()),
        (None, Some(150)),
        "the first may still be delivered"
    );
    life.hear("r1.0 DELIVRD");
    assert_eq!(life.end(), Some((EndState::Delivered, "")));
}

/// Its accepted record came again, and a router decided on it by another table: the second order was never sent.
#[test]
fn an_order_that_was_published_again_brings_no_rules_of_its_own() {
    let mut life = Life::new(Class::Transactional);
    let first = life.input("1 unknown");
    life.terms.receipt_within = Some(Duration::from_secs(6));
    life.at(10);
    let again = life.input("1 unknown");
    for inputs in [[&first, &again], [&again, &first]] {
        let mut life = Life::new(Class::Transactional);
        for input in inputs {
            life.hear_input(input);
        }
        assert_eq!(life.timer(), Some(150), "silence is waited out");
    }
    life.at(11);
    let accepted = life.input("1 accepted a");
    let mut life = Life::new(Class::Transactional);
    life.hear_input(&first).hear_input(&accepted);
    assert_eq!(life.timer(), Some(17), "the one that was taken counts");
}

/// Both orders are answered as lost in one batch, and the state is behind by the answers: the third was claimed to end it.
#[test]
fn a_claim_beyond_an_order_in_flight_asks_nobody_else() {
    let mut life = Life::new(Class::Promotional);
    life.hear("1 accepted a").hear("r1.0 UNDELIV route");
    assert_eq!(life.next_number(), Some(2));
    let known = crate::Known {
        is_kept: true,
        claims: [(crate::OrderNumber(2), false), (crate::OrderNumber(3), true)].into(),
        ..crate::Known::default()
    };
    let (state, actions) = crate::fold(life.state.clone(), &life.input("1 unknown"), life.now, &known);
    assert_eq!(
        actions.next.map(|next| next.number.0),
        Some(2),
        "it is asked for again, and nobody else is"
    );
    let (state, _) = crate::fold(Some(state), &life.input("2 unknown"), life.now, &known);
    assert_eq!(state.ended.unwrap().state, EndState::Unknown);
}

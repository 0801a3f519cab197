//! The oracle can fail: each test takes the evidence of a sound run, breaks one promise in it, and sees it found.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use connector::simulator::Submitted;
use journey::{EndState, Event, OnUnknown, Order, OrderNumber, Outcome};
use signalbox_proto::record::{DeadRecord, Fault};
use sms::{Class, Content, Encoding, Message, MessageId, Reference, UnixMs};
use testkit::{End, Evidence, Scenario, oracle};

/// What a run without faults leaves behind.
fn sound() -> Evidence {
    static SOUND: OnceLock<Evidence> = OnceLock::new();
    SOUND.get_or_init(|| testkit::evidence(&Scenario::quiet(5))).clone()
}

/// The rules that `evidence` breaks.
fn broken(evidence: &Evidence) -> Vec<&'static str> {
    let mut rules: Vec<_> = oracle::judge(evidence)
        .into_iter()
        .map(|finding| finding.rule)
        .collect();
    rules.dedup();
    rules
}

/// A message that was delivered, and wanted a class.
fn delivered(evidence: &Evidence, class: Class) -> MessageId {
    let ended = evidence.events.iter().filter_map(|end| match &end.event {
        Event::Ended(event) if event.state == EndState::Delivered => Some(&event.message),
        _ => None,
    });
    let mut found = ended.filter(|message| message.class == class && message.reference != "fresh");
    found.next().expect("a quiet run delivers every class").id
}

fn is_end_of(end: &End, id: MessageId) -> bool {
    matches!(&end.event, Event::Ended(event) if event.message.id == id)
}

fn first_part(evidence: &mut Evidence, id: MessageId) -> &mut Submitted {
    let part = evidence.submitted.iter_mut().find(|part| part.message == id);
    part.expect("a delivered message was with a carrier")
}

/// Has a carrier take `id` again under the next order, as a failover would.
fn take_again(evidence: &mut Evidence, id: MessageId) {
    let mut again: Vec<_> = evidence
        .submitted
        .iter()
        .filter(|part| part.message == id)
        .cloned()
        .collect();
    let mut orders: Vec<_> = evidence
        .orders
        .iter()
        .filter(|order| order.message.id == id)
        .cloned()
        .collect();
    let mut answers: Vec<_> = evidence
        .answers
        .iter()
        .filter(|answer| answer.order.message == id)
        .cloned()
        .collect();
    again.iter_mut().for_each(|part| part.number = OrderNumber(2));
    orders.iter_mut().for_each(|order| order.number = OrderNumber(2));
    answers
        .iter_mut()
        .for_each(|answer| answer.order.number = OrderNumber(2));
    evidence.submitted.extend(again);
    evidence.orders.extend(orders);
    evidence.answers.extend(answers);
}

/// Has the answer to `id` never come, under a route that says `rule` of that.
fn lose_answer(evidence: &mut Evidence, id: MessageId, rule: OnUnknown) {
    let bind = |order: &mut Order| {
        order.terms.on_unknown = rule;
        order.terms.receipt_within = None;
    };
    for answer in evidence.answers.iter_mut().filter(|answer| answer.order.message == id) {
        answer.outcome = Outcome::Unknown { since: answer.at };
        bind(&mut answer.returned);
    }
    for part in evidence.submitted.iter_mut().filter(|part| part.message == id) {
        part.is_answered = false;
    }
    let orders = evidence.orders.iter_mut().filter(|order| order.message.id == id);
    orders.for_each(bind);
}

#[test]
fn a_sound_run_breaks_nothing() {
    assert_eq!(oracle::judge(&sound()), []);
}

#[test]
fn a_lost_message_is_found() {
    let mut evidence = sound();
    let id = delivered(&evidence, Class::Otp);
    evidence.events.retain(|end| !is_end_of(end, id));
    assert_eq!(broken(&evidence), ["O1"]);
}

#[test]
fn a_promise_that_never_reached_the_log_is_found() {
    let mut evidence = sound();
    let id = delivered(&evidence, Class::Transactional);
    evidence.accepted.remove(&id);
    assert!(broken(&evidence).contains(&"O1"));
}

#[test]
fn two_ends_are_found_and_a_repeat_is_none() {
    let mut evidence = sound();
    let id = delivered(&evidence, Class::Otp);
    let end = evidence.events.iter().find(|end| is_end_of(end, id)).unwrap().clone();
    evidence.events.push(end.clone());
    assert_eq!(broken(&evidence), [""; 0]);
    let mut octets = end.octets.to_vec();
    octets.push(0);
    evidence.events.push(End {
        octets: Bytes::from(octets),
        ..end
    });
    assert_eq!(broken(&evidence), ["O1"]);
}

#[test]
fn a_message_accepted_under_two_ids_is_found() {
    let mut evidence = sound();
    let id = delivered(&evidence, Class::Otp);
    let message = evidence.accepted[&id][0].clone();
    let twin = MessageId::of(UnixMs(1), [7; 10]);
    evidence.accepted.insert(twin, vec![Message { id: twin, ..message }]);
    let findings = oracle::judge(&evidence);
    assert!(
        findings
            .iter()
            .any(|finding| finding.what.contains("accepted as 2 messages"))
    );
}

#[test]
fn a_delivery_that_was_told_and_is_not_known_is_found() {
    let mut evidence = sound();
    let id = delivered(&evidence, Class::Otp);
    let end = evidence.events.iter_mut().find(|end| is_end_of(end, id)).unwrap();
    let Event::Ended(event) = &mut end.event else {
        unreachable!()
    };
    Arc::make_mut(event).state = EndState::Unknown;
    assert_eq!(broken(&evidence), [""; 0], "it may have ended before the receipt came");
    let end = evidence.events.iter_mut().find(|end| is_end_of(end, id)).unwrap();
    end.at = UnixMs(end.at.0 + 60_000);
    assert_eq!(broken(&evidence), ["O3"]);
}

#[test]
fn a_late_end_is_found() {
    let mut evidence = sound();
    let id = delivered(&evidence, Class::Promotional);
    let calm_at = evidence.calm_at;
    let end = evidence.events.iter_mut().find(|end| is_end_of(end, id)).unwrap();
    end.at = calm_at + oracle::LATENESS_MAX;
    assert_eq!(broken(&evidence), [""; 0], "in time to the last millisecond");
    let grace = Class::Promotional.grace() + Duration::from_secs(60);
    let end = evidence.events.iter_mut().find(|end| is_end_of(end, id)).unwrap();
    end.at = calm_at + grace + oracle::LATENESS_MAX;
    assert_eq!(broken(&evidence), ["O1"]);
}

#[test]
fn two_messages_under_one_key_are_found() {
    let mut evidence = sound();
    let mut keyed = evidence
        .promises
        .iter_mut()
        .filter(|promise| promise.reference != "fresh");
    let (one, other) = (keyed.next().unwrap(), keyed.next().unwrap());
    (one.key, other.key) = ("same".to_owned(), "same".to_owned());
    assert_eq!(broken(&evidence), ["O1"]);
}

#[test]
fn a_part_that_nobody_ordered_is_found() {
    let mut evidence = sound();
    let id = delivered(&evidence, Class::Otp);
    first_part(&mut evidence, id).number = OrderNumber(9);
    assert!(broken(&evidence).contains(&"O2"));
}

#[test]
fn a_part_sent_after_its_answer_is_found() {
    let mut evidence = sound();
    let id = delivered(&evidence, Class::Otp);
    let part = first_part(&mut evidence, id);
    part.at = UnixMs(part.at.0 + 60_000);
    assert_eq!(broken(&evidence), ["O2"]);
}

#[test]
fn an_altered_octet_is_found() {
    let mut evidence = sound();
    let id = delivered(&evidence, Class::Otp);
    let part = first_part(&mut evidence, id);
    let mut octets = part.octets.to_vec();
    *octets.last_mut().unwrap() ^= 1;
    part.octets = octets.into();
    assert!(broken(&evidence).contains(&"O3"));
}

#[test]
fn a_delivered_message_that_no_carrier_took_whole_is_found() {
    let mut evidence = sound();
    let id = delivered(&evidence, Class::Otp);
    first_part(&mut evidence, id).remote_id = None;
    assert_eq!(broken(&evidence), ["O3"]);
}

#[test]
fn a_duplicate_without_a_reason_is_found() {
    let mut evidence = sound();
    let id = delivered(&evidence, Class::Transactional);
    take_again(&mut evidence, id);
    assert_eq!(broken(&evidence), ["O4"]);
}

#[test]
fn a_duplicate_after_a_lost_answer_is_explained_where_the_route_resends() {
    for (rule, expected) in [(OnUnknown::Resend, &[][..]), (OnUnknown::Fail, &["O4"])] {
        let mut evidence = sound();
        let id = delivered(&evidence, Class::Promotional);
        // It is delivered by the order that is taken after the one without an answer.
        for heard in evidence.receipts.iter_mut().filter(|heard| heard.order.message == id) {
            heard.order.number = OrderNumber(2);
        }
        lose_answer(&mut evidence, id, rule);
        take_again(&mut evidence, id);
        assert_eq!(broken(&evidence), expected, "{rule:?}");
    }
}

/// A carrier that answered, on a link that stood, to a connector that lived: nobody may say that the answer never came.
#[test]
fn an_unknown_that_no_fault_explains_is_found() {
    let mut evidence = sound();
    let id = delivered(&evidence, Class::Otp);
    lose_answer(&mut evidence, id, OnUnknown::Resend);
    assert_eq!(broken(&evidence), [""; 0]);
    for part in evidence.submitted.iter_mut().filter(|part| part.message == id) {
        part.is_answered = true;
    }
    assert_eq!(broken(&evidence), ["O4"]);
}

/// A message of two parts of which the second was never handed over, though the carrier had answered the first.
#[test]
fn an_unknown_is_explained_where_the_time_was_over_before_all_parts_were_sent() {
    for (is_over, expected) in [(true, vec![]), (false, vec!["O4"])] {
        let mut evidence = sound();
        let id = delivered(&evidence, Class::Otp);
        lose_answer(&mut evidence, id, OnUnknown::Resend);
        let content = Content::Text("x".repeat(200));
        let parts = sms::segment(&content, Encoding::Gsm7, Reference::Short(7)).unwrap();
        for message in evidence.accepted.get_mut(&id).unwrap() {
            (message.content, message.encoding, message.segments) = (content.clone(), Encoding::Gsm7, 2);
        }
        let part = first_part(&mut evidence, id);
        (part.octets, part.encoding) = (parts[0].octets().to_vec().into(), Encoding::Gsm7);
        part.is_answered = true;
        for answer in evidence.answers.iter_mut().filter(|answer| answer.order.message == id) {
            let deadline = &mut answer.returned.terms.deadline;
            *deadline = if is_over { answer.at } else { *deadline };
        }
        // Nobody is told that it was delivered.
        for event in evidence.events.iter_mut().filter(|end| is_end_of(end, id)) {
            if let Event::Ended(event) = &mut event.event {
                Arc::make_mut(event).state = EndState::Unknown;
            }
        }
        assert_eq!(broken(&evidence), expected);
    }
}

/// The header of a link may make more parts of a text than its message counts.
#[test]
fn an_unknown_is_explained_where_a_carrier_refused_one_of_the_parts_that_its_link_makes() {
    let mut evidence = sound();
    let id = delivered(&evidence, Class::Otp);
    lose_answer(&mut evidence, id, OnUnknown::Resend);
    let content = Content::Text("x".repeat(2 * 153));
    let reference = Reference::Long(7);
    let parts = sms::segment(&content, Encoding::Gsm7, reference).unwrap();
    assert_eq!(parts.len(), 3, "and two with a short reference");
    for message in evidence.accepted.get_mut(&id).unwrap() {
        (message.content, message.encoding, message.segments) = (content.clone(), Encoding::Gsm7, 2);
    }
    let first = first_part(&mut evidence, id).clone();
    evidence.submitted.retain(|part| part.message != id);
    let handed = (0..).zip(&parts).map(|(at, segment)| Submitted {
        part: at,
        octets: segment.octets().to_vec().into(),
        encoding: Encoding::Gsm7,
        is_answered: true,
        remote_id: (at < 2).then(|| format!("part {at}")),
        ..first.clone()
    });
    evidence.submitted.extend(handed);
    evidence.events.retain(|end| !is_end_of(end, id));
    assert_eq!(broken(&evidence), ["O1"], "it never ended, and nothing else is wrong");
    let refused = evidence.submitted.last_mut().unwrap();
    refused.remote_id = Some("part 2".to_owned());
    assert_eq!(broken(&evidence), ["O1", "O4"]);
}

/// An order that was published again for another carrier, after it was sent, says nothing of what was sent.
#[test]
fn what_was_sent_is_judged_by_the_orders_that_were_there_by_then() {
    for (is_later, expected) in [(false, &[][..]), (true, &["O4"])] {
        let mut evidence = sound();
        let id = delivered(&evidence, Class::Promotional);
        for heard in evidence.receipts.iter_mut().filter(|heard| heard.order.message == id) {
            heard.order.number = OrderNumber(2);
        }
        lose_answer(&mut evidence, id, OnUnknown::Fail);
        take_again(&mut evidence, id);
        let is_first = |order: &&Order| order.message.id == id && order.number == OrderNumber::FIRST;
        let mut again = evidence.orders.iter().find(is_first).unwrap().clone();
        again.terms.on_unknown = OnUnknown::Resend;
        if is_later {
            again.issued_at = first_part(&mut evidence, id).at + Duration::from_millis(1);
        }
        evidence.orders.insert(0, again);
        assert_eq!(broken(&evidence), expected);
    }
}

#[test]
fn a_part_taken_twice_within_one_order_is_found() {
    let mut evidence = sound();
    let id = delivered(&evidence, Class::Otp);
    let part = first_part(&mut evidence, id).clone();
    evidence.submitted.push(part);
    assert_eq!(broken(&evidence), ["O4"]);
}

#[test]
fn a_fresh_message_that_hangs_is_found() {
    let mut evidence = sound();
    let id = evidence.fresh[0];
    for part in evidence.submitted.iter_mut().filter(|part| part.message == id) {
        part.at = UnixMs(part.at.0 + 60_000);
    }
    for answer in evidence.answers.iter_mut().filter(|answer| answer.order.message == id) {
        answer.at = UnixMs(answer.at.0 + 60_000);
    }
    assert_eq!(broken(&evidence), ["O5"]);
    evidence.fresh.clear();
    assert_eq!(broken(&evidence), ["O5"]);
}

#[test]
fn a_record_that_nobody_can_read_is_found_unless_it_was_put_aside() {
    let (topic, octets) = ("signalbox.outcomes", Bytes::from_static(b"\xff"));
    let mut evidence = sound();
    evidence.unreadable.push((topic.to_owned(), octets.clone()));
    assert_eq!(broken(&evidence), ["dead"]);
    evidence
        .dead
        .push(DeadRecord::new(topic, octets, Fault::Checksum, "changed"));
    assert_eq!(broken(&evidence), [""; 0]);
    evidence.unreadable.clear();
    assert_eq!(broken(&evidence), ["dead"], "it could be read");
}

/// Has `id` end as `state`, without a receipt that says otherwise and without a carrier that took it.
fn end_as(evidence: &mut Evidence, id: MessageId, state: EndState) -> &mut End {
    evidence.submitted.retain(|part| part.message != id);
    evidence.told.clear();
    let end = evidence
        .events
        .iter_mut()
        .find(|end| is_end_of(end, id))
        .expect("it ended");
    let Event::Ended(event) = &mut end.event else {
        unreachable!()
    };
    Arc::make_mut(event).state = state;
    end
}

#[test]
fn an_end_for_no_reason_is_found() {
    for state in [EndState::Failed, EndState::Rejected, EndState::Sent] {
        let mut evidence = sound();
        let id = delivered(&evidence, Class::Otp);
        end_as(&mut evidence, id, state);
        assert!(broken(&evidence).contains(&"O3"), "{state:?}");
    }
    let mut evidence = sound();
    let id = delivered(&evidence, Class::Otp);
    end_as(&mut evidence, id, EndState::Rejected);
    evidence.refused.insert(id);
    assert_eq!(broken(&evidence), [""; 0]);
}

#[test]
fn a_message_that_expires_before_its_time_is_found() {
    let mut evidence = sound();
    let id = delivered(&evidence, Class::Promotional);
    let message = &evidence.accepted[&id][0];
    let deadline = message.accepted_at + message.ttl.unwrap_or(message.class.deadline_default());
    end_as(&mut evidence, id, EndState::Expired).at = deadline;
    assert_eq!(broken(&evidence), [""; 0]);
    end_as(&mut evidence, id, EndState::Expired).at = UnixMs(deadline.0 - 16_000);
    assert_eq!(broken(&evidence), ["O1"]);
}

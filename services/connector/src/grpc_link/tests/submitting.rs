//! Submissions and their answers.

use std::time::Duration;

use signalbox_proto::{
    pb::signalbox::{
        carrier::v1 as pb,
        sms::v1::{Encoding, MessageClass, content::Body},
    },
    topics,
};
use sms::Class;
use tonic::{Code, Status};

use super::{
    Running, connect,
    peer::{Says, Script},
    until,
};
use crate::{
    Action, LinkKind,
    fixture::{World, long_order, order},
};

fn script(says: impl Fn(&pb::Submission, usize) -> Says + Send + 'static) -> Script {
    Script {
        says: Box::new(says),
        ..Script::default()
    }
}

#[tokio::test]
async fn a_message_reaches_the_carrier_as_ordered() {
    let key = Some("k3y-of-the-test".to_owned());
    let running = Running::start(Script {
        key,
        ..Script::default()
    })
    .await;
    let mut wanted = order(0x1234);
    wanted.network = "20801".to_owned();
    running.world.publish(std::slice::from_ref(&wanted)).await;
    let attempt = format!("{}.1", wanted.message.id);
    assert_eq!(running.said(1).await, [format!("4660 accepted c-{attempt}")]);
    let seen = running.peer.known().submissions.remove(0);
    assert_eq!(seen.attempt_id, attempt);
    let address = |value: &str, kind: pb::AddressType| {
        Some(pb::Address {
            value: value.to_owned(),
            r#type: kind.into(),
        })
    };
    assert_eq!(seen.carrier, "atlas");
    assert_eq!(seen.from, address("ACME", pb::AddressType::Alphanumeric));
    assert_eq!(seen.to, address("33639980001", pb::AddressType::International));
    assert_eq!(
        seen.content.clone().unwrap().body,
        Some(Body::Text("message 4660".to_owned()))
    );
    assert_eq!((seen.encoding(), seen.segments), (Encoding::Gsm7, 1));
    assert_eq!((seen.class(), seen.receipt), (MessageClass::Transactional, true));
    let left = seen.valid_for.unwrap().seconds;
    assert!((500..=600).contains(&left), "{left}");
    let network = seen.network.unwrap();
    assert_eq!((&*network.mcc, &*network.mnc), ("208", "01"));
}

#[tokio::test]
async fn a_long_message_goes_as_one_piece_and_has_one_id() {
    let running = Running::start(Script::default()).await;
    running.world.publish(&[long_order(1, 3)]).await;
    assert!(!running.said(1).await[0].contains(','), "one id");
    let seen = running.peer.known().submissions.remove(0);
    assert_eq!(seen.segments, 3);
    assert_eq!(seen.content.unwrap().body, Some(Body::Text("x".repeat(459))));
}

#[tokio::test]
async fn messages_travel_in_batches_and_never_more_than_the_carrier_s_window_is_unanswered() {
    let script = Script {
        window: Some(7),
        ..script(|_, _| Says::After(Duration::from_millis(20), Says::taken("")))
    };
    let running = Running::start(script).await;
    running.world.publish(&(1..=60).map(order).collect::<Vec<_>>()).await;
    let said = running.said(60).await;
    assert!(said.iter().all(|word| word.contains("accepted")), "{said:?}");
    let known = running.peer.known();
    assert_eq!(known.open_max, 7);
    assert!(known.batches.len() < 60, "{:?}", known.batches);
}

#[tokio::test]
async fn refusals_become_what_the_map_says_and_one_of_the_carrier_s_own_what_the_link_says() {
    let refusals = [
        pb::Refusal::BadNumber,
        pb::Refusal::OptedOut,
        pb::Refusal::Unspecified,
        pb::Refusal::Content,
    ];
    let script = script(move |submission, _| {
        let number = u128::from_str_radix(&submission.attempt_id[24..36], 16).unwrap() as usize;
        match refusals.get(number - 1) {
            Some(refusal) => Says::Answer(Says::refused(*refusal)),
            None => Says::Answer(pb::answer::Result::Refused(pb::Refused {
                refusal: 1_234,
                detail: "no route to 33639980001".to_owned(),
                ..pb::Refused::default()
            })),
        }
    });
    let running = Running::start_with(script, |link| {
        link.outcomes.grpc.set("1234".parse().unwrap(), Action::Fail);
    })
    .await;
    running.world.publish(&(1..=5).map(order).collect::<Vec<_>>()).await;
    let mut said = running.said(5).await;
    said.sort();
    assert_eq!(
        said,
        [
            "1 next bad_number",
            "2 fail opted_out",
            "3 next unmapped",
            "4 next content",
            "5 fail mapped"
        ]
    );
    let answers = running.world.answers().await;
    let detail = answers.iter().find_map(|answer| match &answer.outcome {
        journey::Outcome::Fail { cause } if cause.code == "mapped" => Some(cause.detail.clone()),
        _ => None,
    });
    assert_eq!(detail.as_deref(), Some("refusal 1234: no route to ***********"));
}

/// What the carrier names beside its id reaches the outcome, and from there invoices.
#[tokio::test]
async fn what_the_carrier_charges_is_told_with_the_outcome() {
    let running = Running::start(script(|_, _| {
        Says::Answer(pb::answer::Result::Taken(pb::Taken {
            remote_id: "7".to_owned(),
            segments: 2,
            price: Some(pb::Price {
                amount: "0.0825".to_owned(),
                currency: "EUR".to_owned(),
            }),
            network: Some(pb::Network {
                mcc: "208".to_owned(),
                mnc: "01".to_owned(),
            }),
        }))
    }))
    .await;
    running.world.publish(&[order(1)]).await;
    assert_eq!(running.said(1).await, ["1 accepted 7"]);
    let charge = running.world.answers().await.remove(0).charge;
    let wanted = journey::Charge {
        segments: 2,
        cost_micros: Some(82_500),
        currency: "EUR".to_owned(),
        network: "20801".to_owned(),
    };
    assert_eq!(charge.as_deref(), Some(&wanted));
}

#[tokio::test]
async fn what_was_throttled_comes_again_under_the_same_attempt_id() {
    let running = Running::start(script(|_, tries| match tries {
        1 => Says::Answer(Says::refused(pb::Refusal::Throttled)),
        _ => Says::Answer(Says::taken("7")),
    }))
    .await;
    running.world.publish(&[order(1)]).await;
    assert_eq!(running.said(1).await, ["1 accepted 7"]);
    let known = running.peer.known();
    assert_eq!(known.submissions.len(), 2);
    assert_eq!(known.submissions[0].attempt_id, known.submissions[1].attempt_id);
}

/// The carrier rests for three seconds: what comes within them is not shown to it, and goes on when they are over.
#[tokio::test]
async fn a_carrier_that_wants_to_rest_is_left_alone() {
    let running = Running::start(script(|_, tries| match tries {
        1 => Says::Answer(pb::answer::Result::Refused(pb::Refused {
            refusal: pb::Refusal::Throttled.into(),
            retry_after: Some(signalbox_proto::carrier::span(Duration::from_millis(900))),
            ..pb::Refused::default()
        })),
        _ => Says::Answer(Says::taken("7")),
    }))
    .await;
    running.world.publish(&[order(1)]).await;
    assert_eq!(running.said(1).await, ["1 accepted 7"]);
    let seen = running.peer.known().submissions.len();
    assert_eq!(seen, 2, "the tries after 250 and 750 ms stayed here");
}

#[tokio::test]
async fn a_password_unanswered_for_two_seconds_is_unknown_and_its_late_answer_counts() {
    let running = Running::start(script(|_, _| {
        Says::After(Duration::from_millis(2_300), Says::taken("late"))
    }))
    .await;
    let mut password = order(1);
    password.message.class = Class::Otp;
    running.world.publish(&[password]).await;
    assert_eq!(running.said(2).await, ["1 unknown", "1 accepted late"]);
}

#[tokio::test]
async fn answers_that_come_twice_or_to_nobody_or_say_nothing_cost_nothing() {
    let running = Running::start(script(|submission, _| match submission.attempt_id.ends_with("1.1") {
        true => Says::Empty,
        false => Says::Twice(Says::taken("x".repeat(100_000))),
    }))
    .await;
    running.world.publish(&[order(1), order(2)]).await;
    assert_eq!(running.said(1).await, [format!("2 accepted {}", "x".repeat(128))]);
    running.world.publish(&[order(4)]).await;
    assert!(running.said(2).await[1].starts_with("4 accepted"));
    assert_eq!(running.peer.calls("Submit"), 1, "the connection goes on");
}

#[tokio::test]
async fn a_stream_that_breaks_leaves_unknown_what_was_written_and_is_opened_again() {
    let running = Running::start(script(|submission, _| match submission.attempt_id.ends_with("1.1") {
        true => Says::Nothing,
        false => Says::Answer(Says::taken("7")),
    }))
    .await;
    running.world.publish(&[order(1)]).await;
    until(async || running.peer.known().submissions.len() == 1).await;
    running.peer.cut();
    assert_eq!(running.said(1).await, ["1 unknown"]);
    running.world.publish(&[order(2)]).await;
    assert_eq!(running.said(2).await[1], "2 accepted 7");
    assert_eq!(running.peer.known().submissions.len(), 2, "nothing is sent twice");
}

#[tokio::test]
async fn a_carrier_without_a_stream_is_asked_by_one_call_each() {
    let script = Script {
        has_stream: false,
        ..script(|submission, tries| {
            let number = &submission.attempt_id[34..36];
            match number {
                "01" => Says::Answer(Says::taken("")),
                "02" => Says::Fails(Status::invalid_argument("what is this")),
                "03" => Says::Fails(Status::unavailable("perhaps")),
                "04" if tries == 1 => Says::Fails(Status::resource_exhausted("slow down")),
                "05" => Says::Empty,
                _ => Says::Answer(Says::taken(number)),
            }
        })
    };
    let running = Running::start(script).await;
    running.world.publish(&(1..=6).map(order).collect::<Vec<_>>()).await;
    let mut said = running.said(6).await;
    said.sort();
    let first = format!("1 accepted {}.1", order(1).message.id);
    let rest = [
        "2 next profile",
        "3 unknown",
        "4 accepted 04",
        "5 unknown",
        "6 accepted 06",
    ];
    assert_eq!(said, [&[&*first], &rest[..]].concat());
    assert_eq!((running.peer.calls("Submit"), running.peer.calls("SubmitOne")), (1, 7));
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_unknown() {
    let script = Script {
        has_stream: false,
        ..script(|_, _| Says::Nothing)
    };
    let running = Running::start(script).await;
    let mut password = order(1);
    password.message.class = Class::Otp;
    running.world.publish(&[password]).await;
    assert_eq!(running.said(1).await, ["1 unknown"]);
}

#[tokio::test]
async fn a_refused_key_is_not_tried_again_soon() {
    for has_stream in [true, false] {
        let script = Script {
            key: Some("another".to_owned()),
            has_stream,
            ..Script::default()
        };
        let mut running = Running::start(script).await;
        running.world.publish(&[order(1)]).await;
        assert_eq!(running.said(1).await, ["1 link_down no_link"]);
        assert_eq!(running.peer.calls("Submit"), 1);
        running.stopped().await.unwrap();
    }
}

#[tokio::test]
async fn an_account_without_money_takes_the_link_down_and_it_comes_back() {
    let running = Running::start(script(|submission, _| match submission.attempt_id.ends_with("1.1") {
        true => Says::Answer(Says::refused(pb::Refusal::NoCredit)),
        false => Says::Answer(Says::taken("7")),
    }))
    .await;
    running.world.publish(&[order(1)]).await;
    assert_eq!(running.said(1).await, ["1 link_down no_credit"]);
    running.world.publish(&[order(2)]).await;
    assert_eq!(running.said(2).await[1], "2 accepted 7");
    assert!(running.peer.calls("Submit") >= 2);
}

#[tokio::test]
async fn a_stop_waits_for_answers_and_ends_the_stream() {
    let mut running = Running::start(script(|_, _| Says::After(Duration::from_millis(300), Says::taken("7")))).await;
    running.world.publish(&(1..=10).map(order).collect::<Vec<_>>()).await;
    until(async || running.peer.known().submissions.len() == 10).await;
    running.stopped().await.unwrap();
    let said = running.world.said().await;
    assert_eq!(said.iter().filter(|word| word.contains("accepted")).count(), 10);
    until(async || running.peer.known().goodbyes == 1).await;
}

#[tokio::test]
async fn a_carrier_that_is_not_there_hands_orders_back_and_is_found_once_it_is() {
    let world = World::new(&["atlas"]).await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let (_stop, _service) = connect(&world, format!("http://{address}"), |_| {});
    world.publish(&[order(1)]).await;
    until(async || world.said().await == ["1 link_down no_link"]).await;
}

/// The link says what the carrier means by a status that says nothing of a message elsewhere.
#[tokio::test]
async fn a_status_that_the_link_maps_is_a_refusal() {
    let script = Script {
        has_stream: false,
        ..script(|_, _| Says::Fails(Status::new(Code::Aborted, "not now")))
    };
    let running = Running::start_with(script, |link| {
        let next = Action::Next { then_fail: false };
        link.outcomes.grpc.set("ABORTED".parse().unwrap(), next);
    })
    .await;
    running.world.publish(&[order(1)]).await;
    assert_eq!(running.said(1).await, ["1 next mapped"]);
    assert!(running.world.values(&topics::receipts()).await.is_empty());
}

#[tokio::test]
async fn a_carrier_with_neither_receipts_nor_inbound_messages_is_asked_for_them_once() {
    let script = Script {
        has_feeds: false,
        ..Script::default()
    };
    let running = Running::start(script).await;
    running.world.publish(&(1..=3).map(order).collect::<Vec<_>>()).await;
    running.said(3).await;
    until(async || running.peer.calls("Receipts") == 1 && running.peer.calls("Inbound") == 1).await;
}

#[tokio::test]
async fn a_silent_carrier_is_asked_for_a_sign_of_life_and_left_when_it_gives_none() {
    for is_mute in [false, true] {
        let script = Script {
            is_mute,
            ..Script::default()
        };
        let running = Running::start_with(script, |link| match &mut link.kind {
            LinkKind::Grpc(grpc) => grpc.keep_alive = Duration::from_millis(200),
            _ => unreachable!("it was made as a gRPC link"),
        })
        .await;
        match is_mute {
            false => until(async || running.peer.known().signs >= 5).await,
            true => until(async || running.peer.calls("Submit") >= 3).await,
        }
        assert_eq!(is_mute, running.peer.calls("Submit") > 1);
        running.world.publish(&[order(1)]).await;
        assert!(running.said(1).await[0].contains("accepted"));
    }
}

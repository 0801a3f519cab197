//! `GetMessage`: where a message is, for the account it belongs to.

use std::{collections::BTreeMap, sync::Arc};

use journey::{Answer, Asked, Attempt, Body, Charge, EndState, OnUnknown, OrderNumber, Price, Progress, State, Terms};
use signalbox_proto::{keys, pb::signalbox::ingest::v1 as pb, record::state_to_bytes};
use sms::{CarrierName, Message, UnixMs};
use store::Op;
use tonic::Code;

use crate::{
    receipts::{ended, message},
    rig::{ACME, Rig, ZENO, details, request, submission, violations},
};

async fn put(rig: &Rig, message: &Message, state: &State) {
    let expires_at_ms = rig.deps.clock.now().0 + 60_000;
    let op = Op::Put {
        key: keys::state(message.id),
        value: state_to_bytes(state),
        expires_at_ms,
    };
    rig.deps.store.apply(vec![op]).await.unwrap().1.await.unwrap();
}

async fn get(rig: &Rig, key: &str, id: impl ToString) -> Result<pb::GetMessageResponse, tonic::Status> {
    let request = pb::GetMessageRequest {
        message_id: id.to_string(),
    };
    rig.client(key)
        .await
        .get_message(request)
        .await
        .map(tonic::Response::into_inner)
}

#[tokio::test]
async fn a_message_nobody_decided_on_is_accepted() {
    let rig = Rig::start().await;
    let mut client = rig.client(ACME).await;
    for _ in 0..20 {
        client.submit(request(submission())).await.unwrap();
    }
    let accepted = client
        .submit(request(submission()))
        .await
        .unwrap()
        .into_inner()
        .accepted
        .unwrap();
    let found = get(&rig, ACME, &accepted.message_id).await.unwrap();
    assert_eq!(
        (found.state(), &found.message_id),
        (pb::MessageState::Accepted, &accepted.message_id)
    );
    assert_eq!((found.segments, found.attempts.len()), (1, 0));
    assert!(found.accepted_at.is_some() && found.ended_at.is_none());
}

#[tokio::test]
async fn messages_of_others_and_unknown_ids_are_not_found() {
    let rig = Rig::start().await;
    let accepted = rig
        .client(ACME)
        .await
        .submit(request(submission()))
        .await
        .unwrap()
        .into_inner()
        .accepted
        .unwrap();
    let stored = message(&rig, "acme", "");
    let state = State {
        ended: Some(Arc::new(ended(stored.clone(), EndState::Sent, ""))),
        ..State::default()
    };
    put(&rig, &stored, &state).await;
    let unknown = rig.deps.dice.message_id(rig.deps.clock.now()).to_string();
    let future = rig.deps.dice.message_id(UnixMs(u64::MAX >> 17)).to_string();
    for id in [
        accepted.message_id,
        stored.id.to_string(),
        unknown,
        future,
        uuid::Uuid::nil().to_string(),
    ] {
        let status = get(&rig, ZENO, &id).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound);
        assert_eq!(
            details(&status, "MESSAGE_NOT_FOUND").error_info().unwrap().metadata["message_id"],
            id
        );
    }
    for id in ["", "12", "not-a-uuid"] {
        let status = get(&rig, ZENO, id).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(violations(&status, "INVALID_FIELD")[0].0, "message_id");
    }
}

fn price() -> Price {
    Price {
        unit_micros: 41_000,
        currency: "EUR".to_owned(),
        cost_micros: 82_000,
    }
}

fn answer(outcome: &str, code: &str) -> Answer {
    Answer {
        charge: None,
        outcome: outcome.to_owned(),
        code: code.to_owned(),
        detail: "ESME_X".to_owned(),
        at: UnixMs(3_000),
    }
}

fn progress(outcome: &str) -> Progress {
    let asked = Asked {
        network: "20801".to_owned(),
        looked_up: None,
        price: Some(price()),
        table: "t1".to_owned(),
        policy: "p".to_owned(),
        issued_at: UnixMs(2_000),
        answer: answer(outcome, "code"),
        spent: true,
        remote_ids: Vec::new(),
        receipt: true,
    };
    Progress {
        carrier: CarrierName::new("atlas").unwrap(),
        asked: Some(asked),
        receipts: BTreeMap::new(),
        segments: 0,
        silent: false,
    }
}

#[tokio::test]
async fn a_message_under_way_shows_its_orders() {
    let rig = Rig::start().await;
    for (outcome, wanted) in [
        ("accepted", pb::MessageState::Submitted),
        ("next", pb::MessageState::Routed),
    ] {
        let message = message(&rig, "acme", "r");
        let terms = Terms {
            attempts_max: 3,
            deadline: UnixMs(9_000),
            grace: std::time::Duration::ZERO,
            on_unknown: OnUnknown::Wait,
            receipt_within: None,
            spill_after: None,
        };
        let state = State {
            body: Some(Body {
                message: message.clone(),
                has_content: false,
                terms,
            }),
            orders: BTreeMap::from([(OrderNumber(1), progress("next")), (OrderNumber(2), progress(outcome))]),
            issued: OrderNumber(2),
            ..State::default()
        };
        put(&rig, &message, &state).await;
        let found = get(&rig, ACME, message.id).await.unwrap();
        assert_eq!(
            (found.state(), found.attempts.len(), found.reference.as_str()),
            (wanted, 2, "r")
        );
        let attempt = &found.attempts[1];
        assert_eq!(
            (attempt.order_number, attempt.carrier.as_str(), attempt.outcome.as_str()),
            (2, "atlas", outcome)
        );
        let price = attempt.price.as_ref().unwrap();
        assert_eq!(
            (price.unit.as_str(), price.currency.as_str(), price.cost.as_str()),
            ("0.041000", "EUR", "0.082000")
        );
        assert_eq!((attempt.table_version.as_str(), attempt.policy.as_str()), ("t1", "p"));
        assert_eq!(
            (attempt.issued_at.unwrap().seconds, attempt.answered_at.unwrap().seconds),
            (2, 3)
        );
        assert_eq!(attempt.reason.as_ref().unwrap().detail, "ESME_X");
    }
}

#[tokio::test]
async fn an_ended_message_shows_how() {
    let rig = Rig::start().await;
    let message = message(&rig, "acme", "r");
    let attempt = Attempt {
        number: OrderNumber(1),
        carrier: CarrierName::new("cirrus").unwrap(),
        network: String::new(),
        looked_up: None,
        price: None,
        table: "t2".to_owned(),
        policy: String::new(),
        issued_at: UnixMs(1_000),
        answer: Answer {
            charge: Some(Box::new(Charge {
                segments: 2,
                cost_micros: Some(82_500),
                currency: "EUR".to_owned(),
                network: "20801".to_owned(),
            })),
            ..answer("fail", "bad_number")
        },
        spent: true,
        remote_ids: Vec::new(),
        receipts: Vec::new(),
    };
    let end = journey::TerminalEvent {
        attempts: vec![attempt],
        ..ended(message.clone(), EndState::Failed, "bad_number")
    };
    put(
        &rig,
        &message,
        &State {
            ended: Some(Arc::new(end)),
            ..State::default()
        },
    )
    .await;
    let found = get(&rig, ACME, message.id).await.unwrap();
    assert_eq!(
        (found.state(), found.reason.unwrap().code.as_str()),
        (pb::MessageState::Failed, "bad_number")
    );
    assert!(found.ended_at.is_some());
    assert_eq!(
        (found.attempts[0].carrier.as_str(), found.attempts[0].price.clone()),
        ("cirrus", None)
    );
    let charge = found.attempts[0].charge.clone().unwrap();
    assert_eq!(
        (
            charge.segments,
            charge.cost.as_str(),
            charge.currency.as_str(),
            charge.network.as_str()
        ),
        (2, "0.082500", "EUR", "20801")
    );
}

#[tokio::test]
async fn a_state_that_cannot_be_read_is_an_error_and_not_a_missing_message() {
    let rig = Rig::start().await;
    let message = message(&rig, "acme", "");
    let expires_at_ms = rig.deps.clock.now().0 + 60_000;
    let op = Op::Put {
        key: keys::state(message.id),
        value: vec![0xFF; 9].into(),
        expires_at_ms,
    };
    rig.deps.store.apply(vec![op]).await.unwrap().1.await.unwrap();
    let status = get(&rig, ACME, message.id).await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    details(&status, "STATE_UNREADABLE");
}

//! Every status and every state of a receipt, from the carrier's octets to what becomes of the message.

use std::collections::{BTreeMap, BTreeSet};

use journey::{Input as Fold, Known, OrderAnswer, ReceiptRecord, fold};
use signalbox_proto::record;
use smpp::{Body, Deliver, Status, Tlv, tag};
use sms::Msisdn;

use super::{
    connect,
    peer::{Peer, Says},
    until,
};
use crate::fixture::{World, order};

/// What the practice says of each answer: the outcome and its cause. A status of the specification that stands nowhere here
/// must be unmapped, and so must codes of a vendor.
const EXPECTED: &[(&str, &str)] = &[
    ("accepted", "ROK"),
    ("hold throttled", "RTHROTTLED"),
    ("next queue_full", "RMSGQFUL"),
    ("next system_error", "RSYSERR"),
    ("next temporary", "RX_T_APPN"),
    ("next unknown_error", "RUNKNOWNERR"),
    ("next submit_failed", "RSUBMITFAIL"),
    ("next delivery_failed", "RDELIVERYFAILURE"),
    ("next refused", "RX_P_APPN RX_R_APPN"),
    ("next bad_number", "RINVDSTADR"),
    ("next bad_sender", "RINVSRCADR"),
    (
        "next not_permitted",
        "RSERTYPUNAUTH RPROHIBITED RSERTYPUNAVAIL RSERTYPDENIED",
    ),
    (
        "next profile",
        "RINVMSGLEN RINVCMDLEN RINVCMDID RINVPRTFLG RINVREGDLVFLG RINVESMCLASS RINVSUBREP RINVSRCTON RINVSRCNPI \
         RINVDSTTON RINVDSTNPI RINVREPFLAG RINVSCHED RINVEXPIRY RINVDFTMSGID RINVOPTPARSTREAM ROPTPARNOTALLWD \
         RINVPARLEN RMISSINGOPTPARAM RINVOPTPARAMVAL RINVDCS RINVSRCADDRSUBUNIT RINVDSTADDRSUBUNIT",
    ),
    ("link_down not_bound", "RINVBNDSTS RALYBND"),
    (
        "link_down bind_refused",
        "RBINDFAIL RINVPASWD RINVSYSID RINVSYSTYP RINVSERTYP",
    ),
];

fn expected(name: &str) -> &'static str {
    let found = EXPECTED
        .iter()
        .find(|(_, names)| names.split_ascii_whitespace().any(|known| known == name));
    found.map_or("next unmapped", |(outcome, _)| outcome)
}

/// Number that has the peer answer with `status`.
fn number_for(status: Status) -> Msisdn {
    Msisdn::new(&format!("3363998{:04}", status.0)).unwrap()
}

/// One message for each status, to a carrier that answers it with that status however often it comes.
#[tokio::test]
async fn every_status_ends_in_its_outcome() {
    let peer = Peer::start(|submit| {
        let status = Status(submit.destination.value[7..].parse().unwrap());
        match status.is_ok() {
            true => Says::taken("1"),
            false => Says::refused(status),
        }
    })
    .await;
    let world = World::new(&["atlas"]).await;
    let (_stop, _service) = connect(&world, peer.address.to_string(), |_| {});
    let vendor = [Status(0x400), Status(0x421), Status(0x4FF), Status(0x999)];
    let statuses: Vec<(String, Status)> = Status::named()
        .chain(vendor.into_iter().map(|status| ("vendor", status)))
        .map(|(name, status)| (name.to_owned(), status))
        .collect();
    assert!(statuses.len() > 70, "3.4 and 5.0 together");
    let orders = statuses.iter().map(|(_, status)| {
        let mut order = order(u128::from(status.0));
        order.message.to = number_for(*status);
        order.receipt = false;
        order
    });
    world.publish(&orders.collect::<Vec<_>>()).await;
    until(async || world.said().await.len() >= statuses.len()).await;
    let said: BTreeMap<u32, String> = world
        .said()
        .await
        .into_iter()
        .map(|line| {
            let (message, outcome) = line.split_once(' ').unwrap();
            (message.parse().unwrap(), outcome.to_owned())
        })
        .collect();
    for (name, status) in &statuses {
        let outcome = said[&status.0].replace(" 1", "");
        assert_eq!(outcome, expected(name), "{name} {status}");
    }
    let listed: BTreeSet<&str> = EXPECTED
        .iter()
        .flat_map(|(_, names)| names.split_ascii_whitespace())
        .collect();
    let unknown = listed.iter().find(|name| name.parse::<Status>().is_err());
    assert_eq!(unknown, None, "a name that no specification has");
}

/// A receipt of `esm_class` 4 with a text, TLVs, and what becomes of a message that has no other carrier's answer.
struct Case {
    name: &'static str,
    text: &'static str,
    tlvs: Vec<Tlv>,
    becomes: &'static str,
}

fn cases() -> Vec<Case> {
    let text = |name, text, becomes| Case {
        name,
        text,
        tlvs: Vec::new(),
        becomes,
    };
    let state = |name, number, becomes| Case {
        name,
        text: "",
        tlvs: vec![Tlv::octet(tag::MESSAGE_STATE, number)],
        becomes,
    };
    let error = |name, code: u16, becomes| Case {
        name,
        text: "stat:UNDELIV",
        tlvs: vec![Tlv::new(
            tag::NETWORK_ERROR_CODE,
            [&[3][..], &code.to_be_bytes()].concat(),
        )],
        becomes,
    };
    vec![
        text("DELIVRD", "stat:DELIVRD err:000", "ended delivered"),
        text("ENROUTE", "stat:ENROUTE", "waits"),
        text("ACCEPTD", "stat:ACCEPTD", "waits"),
        text("BUFFERED", "stat:BUFFERED", "waits"),
        text("a word of its own", "stat:QUEUED", "waits"),
        // Long before its validity ended: the carrier gave up early, so another one may do.
        text("EXPIRED", "stat:EXPIRED", "next"),
        text("DELETED", "stat:DELETED", "ended unknown"),
        text("UNDELIV", "stat:UNDELIV err:999", "ended failed"),
        text("UNKNOWN", "stat:UNKNOWN", "ended unknown"),
        text("REJECTD", "stat:REJECTD", "next"),
        text("FAILED", "stat:FAILED", "ended failed"),
        state("SCHEDULED, 5.0", 0, "waits"),
        state("ENROUTE as TLV", 1, "waits"),
        state("DELIVERED as TLV", 2, "ended delivered"),
        state("EXPIRED as TLV", 3, "next"),
        state("DELETED as TLV", 4, "ended unknown"),
        state("UNDELIVERABLE as TLV", 5, "ended failed"),
        state("ACCEPTED as TLV", 6, "waits"),
        state("UNKNOWN as TLV", 7, "ended unknown"),
        state("REJECTED as TLV", 8, "next"),
        state("SKIPPED, 5.0", 9, "ended failed"),
        state("a state of no version", 77, "waits"),
        error("unknown subscriber", 1, "next after a look-up"),
        error("illegal subscriber", 9, "ended failed"),
        error("call barred", 13, "ended failed"),
        error("absent subscriber", 27, "ended failed"),
        error("memory full", 32, "ended failed"),
        error("system failure", 34, "next"),
    ]
}

/// What the receipts of `answer`'s order make of its message.
fn becomes(answer: &OrderAnswer, receipt: &ReceiptRecord) -> String {
    let known = Known {
        is_kept: true,
        ..Known::default()
    };
    let (state, _) = fold(None, &Fold::Answered(Box::new(answer.clone())), answer.at, &known);
    let (state, mut actions) = fold(
        Some(state),
        &Fold::Receipt(Box::new(receipt.clone())),
        receipt.at,
        &known,
    );
    let mut ended = state.ended.clone();
    if let Some(number) = actions.claim {
        let claims = BTreeMap::from([(number, true)]);
        let known = Known { claims, ..known };
        let receipt = Fold::Receipt(Box::new(receipt.clone()));
        let (state, then) = fold(Some(state), &receipt, answer.at, &known);
        (ended, actions) = (state.ended, then);
    }
    match (ended, actions.next) {
        (Some(ended), _) => format!("ended {}", ended.state.as_str()),
        (None, Some(next)) if next.look_again => "next after a look-up".to_owned(),
        (None, Some(_)) => "next".to_owned(),
        (None, None) => "waits".to_owned(),
    }
}

/// One message for each case; the peer takes it and sends the receipt of the case.
#[tokio::test]
async fn every_state_of_a_receipt_ends_in_what_becomes_of_the_message() {
    let peer = Peer::start(|submit| {
        let number: usize = submit.destination.value[7..].parse().unwrap();
        let case = &cases()[number];
        let body = Body::ShortMessage(format!("id:{number} {}", case.text).into());
        Says::taken(number.to_string()).then(Deliver {
            esm_class: 0x04,
            body,
            tlvs: case.tlvs.clone(),
            ..Deliver::default()
        })
    })
    .await;
    let world = World::new(&["atlas"]).await;
    let (_stop, _service) = connect(&world, peer.address.to_string(), |_| {});
    let cases = cases();
    let orders = (0..cases.len()).map(|number| {
        let mut order = order(number as u128 + 1);
        order.message.to = Msisdn::new(&format!("3363998{number:04}")).unwrap();
        order
    });
    world.publish(&orders.collect::<Vec<_>>()).await;
    let receipts = signalbox_proto::topics::receipts();
    until(async || world.values(&receipts).await.len() == cases.len()).await;
    until(async || world.answers().await.len() == cases.len()).await;
    let answers = world.answers().await;
    let receipts = world.values(&receipts).await;
    let receipts: Vec<ReceiptRecord> = receipts
        .iter()
        .map(|value| record::receipt_from_bytes(value).unwrap())
        .collect();
    for (number, case) in cases.iter().enumerate() {
        let is_ours = |id: sms::MessageId| id.0.as_u128() == number as u128 + 1;
        let answer = answers.iter().find(|answer| is_ours(answer.order.message)).unwrap();
        let receipt = receipts.iter().find(|receipt| is_ours(receipt.order.message)).unwrap();
        assert_eq!(becomes(answer, receipt), case.becomes, "{}: {receipt:?}", case.name);
    }
}

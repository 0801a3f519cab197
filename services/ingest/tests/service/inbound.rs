//! `WatchInbound`: what was sent to the account's numbers, and to no others, from where the reader left off.

use bus::{Position, Record};
use bytes::Bytes;
use signalbox_proto::{pb::signalbox::ingest::v1 as pb, record::inbound_to_bytes, topics};
use sms::{CarrierName, Carriers, Inbound};
use tonic::{Code, Streaming};

use crate::rig::{ACME, Client, Rig, ZENO, details};

/// A message over the link of `carriers`, their names apart by spaces.
fn inbound(rig: &Rig, carriers: &str, to: &str, text: &str) -> Inbound {
    let now = rig.deps.clock.now();
    Inbound {
        id: rig.deps.dice.message_id(now),
        carriers: Carriers::new(carriers.split(' ').map(|name| CarrierName::new(name).unwrap())).unwrap(),
        from: "447700900999".into(),
        to: to.into(),
        text: Some(text.into()),
        octets: Bytes::new(),
        data_coding: 8,
        header: Bytes::new(),
        parts: 3,
        missing: vec![2],
        received_at: now,
    }
}

async fn put(rig: &Rig, value: Bytes) {
    let records = vec![Record::new(1, value)];
    let published = rig.deps.bus.publish(&topics::inbound(), records).await.unwrap();
    published.await.unwrap();
}

async fn come(rig: &Rig, carriers: &str, to: &str, text: &str) {
    put(rig, inbound_to_bytes(&inbound(rig, carriers, to, text))).await;
}

async fn watch(client: &mut Client, token: String) -> (Streaming<pb::WatchInboundResponse>, String) {
    let request = pb::WatchInboundRequest { token, since: None };
    let mut responses = client.watch_inbound(request).await.unwrap().into_inner();
    let first = responses.message().await.unwrap().unwrap();
    assert!(first.messages.is_empty());
    (responses, first.token)
}

/// Texts of the next `count` messages, and the token after them.
async fn texts(responses: &mut Streaming<pb::WatchInboundResponse>, count: usize) -> (Vec<String>, String) {
    let (mut texts, mut token) = (Vec::new(), String::new());
    while texts.len() < count {
        let response = responses.message().await.unwrap().unwrap();
        texts.extend(response.messages.into_iter().map(|message| message.text.unwrap()));
        token = response.token;
    }
    (texts, token)
}

#[tokio::test]
async fn an_account_gets_what_its_numbers_were_sent_and_resumes_by_token() {
    let rig = Rig::start().await;
    let (mut acme, mut zeno) = (rig.client(ACME).await, rig.client(ZENO).await);
    let (mut ours, beginning) = watch(&mut acme, String::new()).await;
    let (mut theirs, _) = watch(&mut zeno, String::new()).await;
    for (carrier, to, text) in [
        ("atlas", "447700900001", "one"),
        ("atlas", "447700900002", "theirs"),
        ("cirrus", "70001", "nobody owns it over this carrier"),
        ("atlas", "70001", "two"),
    ] {
        come(&rig, carrier, to, text).await;
    }
    let (seen, token) = texts(&mut ours, 2).await;
    assert_eq!(seen, ["one", "two"]);
    assert_eq!(texts(&mut theirs, 1).await.0, ["theirs"]);
    drop(ours);
    come(&rig, "atlas", "70001", "three").await;
    let (mut ours, _) = watch(&mut acme, token).await;
    assert_eq!(texts(&mut ours, 1).await.0, ["three"]);
    let (mut ours, _) = watch(&mut acme, beginning).await;
    assert_eq!(texts(&mut ours, 3).await.0, ["one", "two", "three"]);
}

#[tokio::test]
async fn over_a_shared_link_the_carrier_is_the_one_that_the_account_names() {
    let rig = Rig::start().await;
    let (mut ours, _) = watch(&mut rig.client(ACME).await, String::new()).await;
    come(&rig, "cirrus atlas", "70001", "the account has it under the second").await;
    let message = ours.message().await.unwrap().unwrap().messages.remove(0);
    assert_eq!((message.to.as_str(), message.carrier.as_str()), ("70001", "atlas"));
}

#[tokio::test]
async fn a_number_given_later_brings_what_came_before() {
    let rig = Rig::start().await;
    come(&rig, "cirrus", "70001", "early").await;
    let accounts = std::fs::read_to_string(&rig.accounts).unwrap();
    std::fs::write(&rig.accounts, accounts.replace("atlas/70001", "70001")).unwrap();
    let mut client = rig.client(ACME).await;
    let since = Some(prost_types::Timestamp { seconds: 0, nanos: 0 });
    // The file is looked at now and then; a stream that begins before reads nothing.
    loop {
        let request = pb::WatchInboundRequest {
            token: String::new(),
            since,
        };
        let mut responses = client.watch_inbound(request).await.unwrap().into_inner();
        responses.message().await.unwrap().unwrap();
        let next = service::time::timeout(std::time::Duration::from_millis(200), responses.message()).await;
        if let Some(response) = next {
            assert_eq!(response.unwrap().unwrap().messages[0].text.as_deref(), Some("early"));
            return;
        }
    }
}

#[tokio::test]
async fn every_field_is_handed_on() {
    let rig = Rig::start().await;
    let (mut ours, _) = watch(&mut rig.client(ACME).await, String::new()).await;
    let mut sent = inbound(&rig, "atlas", "70001", "x\u{FFFD}");
    (sent.octets, sent.header) = (Bytes::from_static(b"\x00\xff"), Bytes::from_static(b"\x05\x04"));
    put(&rig, inbound_to_bytes(&sent)).await;
    let message = ours.message().await.unwrap().unwrap().messages.remove(0);
    let wanted = pb::InboundMessage {
        inbound_id: sent.id.to_string(),
        from: "447700900999".into(),
        to: "70001".into(),
        text: Some("x\u{FFFD}".into()),
        data: sent.octets.clone(),
        data_coding: 8,
        header: sent.header.clone(),
        parts: 3,
        missing_parts: vec![2],
        carrier: "atlas".into(),
        received_at: Some(signalbox_proto::ingest::timestamp(sent.received_at)),
    };
    assert_eq!(message, wanted);
}

#[tokio::test]
async fn what_cannot_be_read_is_put_aside_and_the_stream_goes_on() {
    let rig = Rig::start().await;
    let (mut ours, _) = watch(&mut rig.client(ACME).await, String::new()).await;
    put(&rig, Bytes::from_static(b"\xff")).await;
    come(&rig, "atlas", "70001", "after").await;
    assert_eq!(texts(&mut ours, 1).await.0, ["after"]);
    let mut dead = rig.deps.bus.read(&topics::dead(), Position::Start).await.unwrap();
    assert_eq!(dead.poll(10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_token_of_another_stream_and_too_many_streams_are_refused() {
    let rig = Rig::start().await;
    let mut client = rig.client(ACME).await;
    let request = |token: &str| pb::WatchInboundRequest {
        token: token.into(),
        since: None,
    };
    let refused = client.watch_inbound(request("nonsense")).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let mut open = Vec::new();
    for _ in 0..ingest::WATCHES_MAX {
        open.push(watch(&mut client, String::new()).await);
    }
    let refused = client.watch_inbound(request("")).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    details(&refused, "LIMIT_EXHAUSTED");
}

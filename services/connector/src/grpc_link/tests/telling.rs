//! Receipts and inbound messages.

use std::sync::atomic::Ordering;

use signalbox_proto::{
    pb::signalbox::{
        carrier::v1 as pb,
        sms::v1::{Content, content::Body},
    },
    record, topics,
};
use sms::ReceiptState;

use super::{
    Running,
    peer::{Says, Script},
    until,
};
use crate::fixture::order;

fn receipt(id: impl Into<String>, remote_id: impl Into<String>) -> pb::Receipt {
    pb::Receipt {
        receipt_id: id.into(),
        remote_id: remote_id.into(),
        state: pb::ReceiptState::Delivered.into(),
        ..pb::Receipt::default()
    }
}

fn message(id: &str, text: &str) -> pb::InboundMessage {
    let address = |value: &str| {
        Some(pb::Address {
            value: value.to_owned(),
            ..pb::Address::default()
        })
    };
    pb::InboundMessage {
        inbound_id: id.to_owned(),
        from: address("447700900123"),
        to: address("70001"),
        content: Some(Content {
            body: Some(Body::Text(text.to_owned())),
        }),
        part: None,
    }
}

impl Running {
    async fn matched(&self) -> usize {
        self.world.values(&topics::receipts()).await.len()
    }

    async fn unmatched(&self) -> usize {
        self.world.values(&topics::unmatched()).await.len()
    }
}

#[tokio::test]
async fn a_receipt_finds_its_message_and_is_confirmed() {
    let running = Running::start(Script::default()).await;
    let wanted = order(1);
    running.world.publish(std::slice::from_ref(&wanted)).await;
    running.said(1).await;
    let id = format!("c-{}.1", wanted.message.id);
    running.peer.tell([receipt("r-1", id)]);
    until(async || running.peer.known().confirmed == ["r-1"]).await;
    let values = running.world.values(&topics::receipts()).await;
    let read = record::receipt_from_bytes(&values[0]).unwrap();
    assert_eq!((read.order, read.segments), (wanted.order_ref(), Some(1)));
    assert_eq!(
        (read.receipt.state, &*read.receipt.raw),
        (ReceiptState::Delivered, "DELIVERED")
    );
}

#[tokio::test]
async fn a_message_without_an_id_of_the_carrier_s_is_found_by_its_attempt() {
    let running = Running::start(Script {
        says: Box::new(|_, _| Says::Answer(Says::taken(""))),
        ..Script::default()
    })
    .await;
    let wanted = order(1);
    running.world.publish(std::slice::from_ref(&wanted)).await;
    running.said(1).await;
    running.peer.tell([receipt("r-1", format!("{}.1", wanted.message.id))]);
    until(async || running.matched().await == 1).await;
}

/// A router joins such a receipt with its message once the answer is known.
#[tokio::test]
async fn a_receipt_before_its_answer_is_kept_and_confirmed() {
    let running = Running::start(Script {
        says: Box::new(|_, _| Says::Nothing),
        ..Script::default()
    })
    .await;
    running.world.publish(&[order(1)]).await;
    until(async || running.peer.known().submissions.len() == 1).await;
    running.peer.tell([receipt("early", "7")]);
    until(async || running.peer.known().confirmed == ["early"]).await;
    assert_eq!(running.unmatched().await, 1);
}

#[tokio::test]
async fn a_receipt_that_cannot_be_made_safe_is_not_confirmed_and_asked_for_again() {
    let running = Running::start(Script::default()).await;
    running.world.publish(&[order(1)]).await;
    running.said(1).await;
    running.world.bus_away.store(true, Ordering::Relaxed);
    running.peer.tell([receipt("r-1", "other")]);
    until(async || running.peer.known().again.len() > 1).await;
    assert!(running.peer.known().confirmed.is_empty());
    running.world.bus_away.store(false, Ordering::Relaxed);
    until(async || running.peer.known().confirmed == ["r-1"]).await;
    assert_eq!(running.unmatched().await, 1);
}

#[tokio::test]
async fn what_was_not_confirmed_comes_again_over_the_next_stream_and_what_was_does_not() {
    let running = Running::start(Script::default()).await;
    running.peer.tell([receipt("r-1", "1")]);
    until(async || running.peer.known().confirmed == ["r-1"]).await;
    running.world.bus_away.store(true, Ordering::Relaxed);
    running.peer.tell([receipt("r-2", "2")]);
    until(async || running.peer.known().sent.contains_key("r-2")).await;
    running.peer.cut();
    running.world.bus_away.store(false, Ordering::Relaxed);
    until(async || running.peer.known().confirmed.contains(&"r-2".to_owned())).await;
    let known = running.peer.known();
    assert_eq!(known.sent["r-1"], 1);
    assert!(known.receipts.is_empty());
}

#[tokio::test]
async fn a_flood_of_receipts_waits_at_the_carrier_and_all_arrive() {
    let running = Running::start(Script::default()).await;
    let flood = (0..12_000).map(|number| receipt(format!("r-{number:05}"), format!("{number}")));
    running.peer.tell(flood);
    until(async || running.peer.known().receipts.is_empty()).await;
    assert_eq!(running.unmatched().await.min(10_000), 10_000, "all that one read gives");
    let most = running.peer.known().unconfirmed_max;
    assert!(most <= 5_000, "{most} were unconfirmed");
}

#[tokio::test]
async fn receipts_with_garbage_cost_neither_the_stream_nor_the_others() {
    let running = Running::start(Script::default()).await;
    let nameless = receipt("", "1");
    let mut garbage = receipt("g".repeat(257), "x".repeat(300_000));
    garbage.state = 4_711;
    garbage.word = "\u{0}".repeat(1_000);
    let good = receipt("z-good", "2");
    running.peer.tell([nameless, garbage, good]);
    until(async || running.peer.known().confirmed == ["z-good"]).await;
    until(async || running.unmatched().await == 3).await;
    let values = running.world.values(&topics::unmatched()).await;
    let longest = values.iter().map(|value| {
        let read = record::unmatched_from_bytes(value).unwrap();
        (read.remote_id.len(), read.receipt.raw.chars().count())
    });
    assert_eq!(longest.max(), Some((128, 32)));
    assert_eq!(running.peer.calls("Receipts"), 1);
}

#[tokio::test]
async fn an_inbound_message_is_confirmed_once_it_is_on_the_log_and_a_repeat_is_told() {
    let running = Running::start(Script::default()).await;
    until(async || running.peer.calls("Inbound") == 1).await;
    running.world.bus_away.store(true, Ordering::Relaxed);
    running
        .peer
        .known()
        .inbound
        .insert("m-1".into(), message("m-1", "STOP 😀"));
    running.peer.wake();
    until(async || running.peer.known().sent.get("m-1").is_some_and(|sent| *sent > 1)).await;
    assert!(running.peer.known().confirmed.is_empty());
    running.world.bus_away.store(false, Ordering::Relaxed);
    until(async || running.peer.known().confirmed == ["m-1"]).await;
    running
        .peer
        .known()
        .inbound
        .insert("m-1".into(), message("m-1", "STOP 😀"));
    running.peer.wake();
    until(async || running.peer.known().confirmed == ["m-1", "m-1"]).await;
    let values = running.world.values(&topics::inbound()).await;
    assert_eq!(values.len(), 1, "a repeat is the same message");
    let read = record::inbound_from_bytes(&values[0]).unwrap();
    assert_eq!(read.text.as_deref(), Some("STOP 😀"));
    assert_eq!((&*read.from, &*read.to), ("447700900123", "70001"));
}

#[tokio::test]
async fn parts_of_an_inbound_message_are_joined() {
    let running = Running::start(Script::default()).await;
    for (number, text) in [(2, "und zurück"), (1, "Grüße ")] {
        let id = format!("p-{number}");
        let part = pb::Part {
            reference: 7,
            total: 2,
            number,
        };
        let part = pb::InboundMessage {
            part: Some(part),
            ..message(&id, text)
        };
        running.peer.known().inbound.insert(id, part);
    }
    running.peer.wake();
    until(async || running.peer.known().confirmed.len() == 2).await;
    let values = running.world.values(&topics::inbound()).await;
    let read = record::inbound_from_bytes(&values[0]).unwrap();
    assert_eq!((values.len(), read.parts), (1, 2));
    assert_eq!(read.text.as_deref(), Some("Grüße und zurück"));
}

#[tokio::test]
async fn what_is_safe_when_the_link_is_closed_was_confirmed() {
    let mut running = Running::start(Script::default()).await;
    running
        .peer
        .tell((0..50).map(|number| receipt(format!("r-{number}"), "1")));
    until(async || running.unmatched().await > 0).await;
    running.stopped().await.unwrap();
    let safe = running.unmatched().await;
    until(async || running.peer.known().confirmed.len() == safe).await;
}

//! The carrier of `deploy/examples/carrier-grpc`, which is Python on `grpcio`: it takes, throttles, refuses, answers late, tells
//! receipts and hands over a message. Where it cannot be had, that is said and nothing is tested.

use std::collections::BTreeMap;

use backing::GrpcCarrier;
use journey::Order;
use signalbox_proto::{record, topics};
use sms::{Content, Msisdn, ReceiptFault, ReceiptState};
use source::Secret;

use super::{connect, until};
use crate::{
    LinkKind,
    fixture::{World, order},
};

fn started(options: &[&str]) -> Option<GrpcCarrier> {
    GrpcCarrier::start(options)
        .inspect_err(|error| backing::skipped(error))
        .ok()
}

/// Messages by number: plain, one whose receipt comes before its answer, one that is throttled first, one that cannot be delivered,
/// one to a number that there is not, and a long one.
fn orders() -> Vec<Order> {
    let texts = [
        ("33639980002", "hello @ é £ {€}".to_owned()),
        ("33639980001", "early".to_owned()),
        ("33639980058", "throttled".to_owned()),
        ("33639980017", "never".to_owned()),
        ("33639980009", "nobody".to_owned()),
        ("33639980012", "日本語 🏳 ".repeat(60)),
    ];
    let order = |(index, (to, text)): (usize, (&str, String))| {
        let mut order = order(index as u128 + 1);
        order.message.to = Msisdn::new(to).unwrap();
        order.message.content = Content::Text(text);
        let size = sms::count(&order.message.content);
        (order.message.encoding, order.message.segments) = (size.encoding, size.segments);
        order
    };
    texts.into_iter().enumerate().map(order).collect()
}

/// Values of a line by name.
fn values(line: &str) -> BTreeMap<&str, &str> {
    line.split(' ').filter_map(|word| word.split_once('=')).collect()
}

fn text(hex: &str) -> String {
    let pair = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    String::from_utf8((0..hex.len()).step_by(2).map(pair).collect()).unwrap()
}

async fn converse(carrier: &GrpcCarrier, is_unary: bool) {
    let world = World::new(&["atlas"]).await;
    let (stop, mut service) = connect(&world, format!("http://{}", carrier.address()), |link| {
        let LinkKind::Grpc(grpc) = &mut link.kind else {
            panic!("it was made as a gRPC link");
        };
        grpc.key = Some(Secret::new("example-key"));
    });
    let orders = orders();
    world.publish(&orders).await;
    until(async || world.said().await.len() == orders.len()).await;
    let mut said = world.said().await;
    said.sort();
    let outcome = |index: usize| said[index].split(' ').nth(1).unwrap();
    let outcomes: Vec<_> = (0..said.len()).map(outcome).collect();
    assert_eq!(
        outcomes,
        ["accepted", "accepted", "accepted", "accepted", "next", "accepted"],
        "{said:?}\n{:#?}",
        carrier.lines()
    );
    assert_eq!(said[4], "5 next bad_number");
    // All five that were taken have a receipt; where one was faster than its answer a router joins them.
    let count = async |topic| world.values(&topic).await.len();
    until(async || count(topics::receipts()).await + count(topics::unmatched()).await == 5).await;
    let matched = world.values(&topics::receipts()).await;
    let read = matched.iter().map(|value| record::receipt_from_bytes(value).unwrap());
    let failed = read
        .into_iter()
        .find(|receipt| receipt.order.message.0.as_u128() == 4)
        .unwrap();
    assert_eq!(
        (failed.receipt.state, failed.receipt.fault, &*failed.receipt.raw),
        (ReceiptState::Undeliverable, ReceiptFault::Handset, "UNDELIV 027")
    );
    until(async || count(topics::inbound()).await == 1).await;
    let confirmed = |kind: &str| {
        carrier
            .lines()
            .iter()
            .filter(|line| line.starts_with(&format!("confirmed {kind}")))
            .count()
    };
    until(async || confirmed("receipt") == 5 && confirmed("inbound") == 1).await;
    stop.request();
    service.join_next().await.unwrap().unwrap().unwrap();
    if !is_unary {
        until(async || carrier.lines().iter().any(|line| line == "goodbye")).await;
    }
    arrived(&carrier.lines(), &orders);
    let message = record::inbound_from_bytes(&world.values(&topics::inbound()).await[0]).unwrap();
    assert_eq!(message.text.as_deref(), Some("STOP, bitte 😀"));
    assert_eq!((&*message.from, &*message.to), ("447700900123", "70001"));
}

/// Every text arrived as it was ordered, and only what was throttled came twice, under one attempt id.
fn arrived(lines: &[String], orders: &[Order]) {
    let submits: Vec<_> = lines
        .iter()
        .filter(|line| line.starts_with("submit "))
        .map(|line| values(line))
        .collect();
    assert_eq!(submits.len(), orders.len() + 1, "{lines:#?}");
    for order in orders {
        let of_order: Vec<_> = submits
            .iter()
            .filter(|submit| submit["to"] == order.to().digits())
            .collect();
        let tries = if order.to().digits().ends_with("58") { 2 } else { 1 };
        assert_eq!(of_order.len(), tries);
        for submit in of_order {
            assert_eq!(submit["attempt"], format!("{}.1", order.message.id));
            assert_eq!(Content::Text(text(submit["octets"])), order.message.content);
            assert_eq!(submit["segments"], order.message.segments.to_string());
            assert_eq!((submit["from"], submit["receipt"]), ("ACME", "1"));
        }
    }
}

#[tokio::test]
async fn the_example_carrier_understands_us_over_streams() {
    if let Some(carrier) = started(&["--handset", "447700900123 70001 STOP, bitte 😀"]) {
        converse(&carrier, false).await;
    }
}

#[tokio::test]
async fn the_example_carrier_understands_us_by_one_call_each() {
    if let Some(carrier) = started(&["--unary", "--handset", "447700900123 70001 STOP, bitte 😀"]) {
        converse(&carrier, true).await;
    }
}

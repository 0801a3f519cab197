//! Carriers that others wrote: each binds us, reads what we write, throttles us, and sends receipts; `tshark` reads along.
//! What cannot be had here is skipped, and said so.

use std::collections::BTreeMap;

use backing::{SmppLibrary, SmppPeer};
use journey::Order;
use signalbox_proto::{record, topics};
use smpp::{IdFormat, IdFormats};
use sms::{Content, Encoding, Msisdn};

use super::{connect_with, tap::Tap, until};
use crate::{
    Concatenation, LinkKind,
    fixture::{World, order},
};

/// Messages by number: plain with characters that stand alone in GSM 7-bit, one whose receipt comes before its answer, one
/// that is throttled first, a long one, and a long one in UCS-2.
fn texts() -> Vec<(&'static str, String)> {
    vec![
        ("33639980002", "hello @ é £ {€}".to_owned()),
        ("33639980001", "early".to_owned()),
        ("33639980058", "throttled".to_owned()),
        ("33639980012", "0123456789".repeat(40)),
        ("33639980022", "日本語 🏳".repeat(30)),
    ]
}

fn orders() -> Vec<Order> {
    let order = |(index, (to, text)): (usize, (&str, String))| {
        let mut order = order(index as u128 + 1);
        order.message.to = Msisdn::new(to).unwrap();
        order.message.content = Content::Text(text);
        let size = sms::count(&order.message.content);
        (order.message.encoding, order.message.segments) = (size.encoding, size.segments);
        order
    };
    texts().into_iter().enumerate().map(order).collect()
}

/// Values of a line by name.
fn values(line: &str) -> BTreeMap<&str, &str> {
    line.split(' ').filter_map(|word| word.split_once('=')).collect()
}

fn octets(hex: &str) -> Vec<u8> {
    let pair = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(pair).collect()
}

/// What a line says of its part: which one it is, and its text as the carrier's library, or its octets as ours, read it.
fn part(line: &str) -> (String, u8, String) {
    let values = values(line);
    let header = octets(values["header"]);
    let number = match (header.last(), values["sar"].rsplit('/').next()) {
        (Some(number), _) => *number,
        (None, Some(number)) if !number.is_empty() => number.parse().unwrap(),
        _ => 1,
    };
    let text = match values.get("text") {
        Some(text) => String::from_utf8(octets(text)).unwrap(),
        None => {
            let encoding = if values["dcs"] == "8" {
                Encoding::Ucs2
            } else {
                Encoding::Gsm7
            };
            sms::decode(encoding, &octets(values["octets"])).unwrap()
        }
    };
    (values["to"].to_owned(), number, text)
}

/// Every text as it arrived, put together.
fn arrived(lines: &[String]) -> BTreeMap<String, String> {
    let mut parts = BTreeMap::new();
    for (to, number, text) in lines
        .iter()
        .filter(|line| line.starts_with("submit "))
        .map(|line| part(line))
    {
        // A part that was throttled comes again.
        parts.insert((to, number), text);
    }
    let mut texts = BTreeMap::<String, String>::new();
    for ((to, _), text) in parts {
        texts.entry(to).or_default().push_str(&text);
    }
    texts
}

/// Sends every message to a carrier of `library` in one way of concatenation; false = the carrier cannot be had.
async fn converse(library: SmppLibrary, concatenation: Concatenation) -> bool {
    let peer = match SmppPeer::start(library) {
        Ok(peer) => peer,
        Err(error) => {
            backing::skipped(format_args!("{library}: {error}"));
            return false;
        }
    };
    let tap = Tap::before(peer.address()).await;
    let world = World::new(&["atlas"]).await;
    let (stop, mut service) = connect_with(&world, tap.address.to_string(), |link| {
        link.concatenation = concatenation;
        let LinkKind::Smpp(smpp) = &mut link.kind else {
            panic!("it was made as an SMPP link");
        };
        smpp.ids = IdFormats {
            response: IdFormat::Hex,
            receipt: IdFormat::Dec,
        };
    });
    let orders = orders();
    let parts = orders.iter().map(|order| match concatenation {
        Concatenation::Payload => 1,
        _ => usize::from(order.message.segments),
    });
    let parts: usize = parts.sum();
    world.publish(&orders).await;
    until(async || world.said().await.len() == orders.len()).await;
    let said = world.said().await;
    assert!(
        said.iter().all(|line| line.contains(" accepted ")),
        "{library}: {said:?}\n{:#?}",
        peer.lines()
    );
    // The early one waits for a router, which knows the id of its answer by then.
    until(async || world.values(&topics::receipts()).await.len() == parts - 1).await;
    let early = world.values(&topics::unmatched()).await;
    let early: Vec<_> = early
        .iter()
        .map(|value| record::unmatched_from_bytes(value).unwrap())
        .collect();
    assert_eq!(early.len(), 1);
    let answer = said.iter().find(|line| line.starts_with("2 accepted")).unwrap();
    assert_eq!(answer, &format!("2 accepted {}", early[0].remote_id));
    stop.request();
    service.join_next().await.unwrap().unwrap().unwrap();
    until(async || peer.lines().iter().any(|line| line == "unbind")).await;

    let lines = peer.lines();
    let wanted = texts().into_iter().map(|(to, text)| (to.to_owned(), text));
    assert_eq!(arrived(&lines), wanted.collect(), "{library} {concatenation:?}");
    let count = |word: &str| lines.iter().filter(|line| line.starts_with(word)).count();
    assert_eq!((count("bind as=signalbox"), count("error")), (1, 0), "{lines:#?}");
    assert_eq!(count("receipt status=0"), parts);
    assert_eq!(count("submit "), parts + 1, "one was throttled once");
    is_well_formed(&tap, count("submit "));
    true
}

/// The way in which each kind of part says that it is one.
fn is_well_formed(tap: &Tap, submits: usize) {
    let Some(tshark) = backing::tshark() else {
        backing::skipped("tshark is not installed");
        return;
    };
    let (commands, complaints) = tap.decoded_by(&tshark);
    assert_eq!(complaints, "", "tshark complains");
    let count = |command: &str| commands.iter().filter(|seen| *seen == command).count();
    assert_eq!(count("0x00000004"), submits, "{commands:?}");
    assert_eq!(
        (count("0x00000009"), count("0x00000006")),
        (1, 1),
        "a bind and an unbind"
    );
    assert!(count("0x80000005") > 0, "receipts are answered");
}

async fn converse_in_every_way(library: SmppLibrary) {
    for concatenation in [
        Concatenation::Udh8,
        Concatenation::Udh16,
        Concatenation::Sar,
        Concatenation::Payload,
    ] {
        if !converse(library, concatenation).await {
            return;
        }
    }
}

#[tokio::test]
async fn a_carrier_on_npm_s_smpp_understands_us() {
    converse_in_every_way(SmppLibrary::Npm).await;
}

#[tokio::test]
async fn a_carrier_on_pypi_s_smpplib_understands_us() {
    converse_in_every_way(SmppLibrary::Pypi).await;
}

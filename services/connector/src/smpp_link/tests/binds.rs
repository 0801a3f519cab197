//! Several binds to one carrier, over real TCP.

use std::{collections::BTreeSet, time::Duration};

use signalbox_loadtest::smsc::{Behaviour, Config as CarrierConfig, Delay, Smsc};
use signalbox_proto::{record, topics};
use smpp::{BindKind, Body, Deliver, Submit};

use super::{
    connect, connect_with,
    dialects::smpp,
    peer::{Peer, Says},
    until,
};
use crate::{
    LinkConfig,
    fixture::{World, long_order, order},
    smpp_link::Binds,
};

const TRANSCEIVERS: Binds = Binds {
    transceivers: 2,
    transmitters: 0,
    receivers: 0,
};
const PAIRS: Binds = Binds {
    transceivers: 0,
    transmitters: 2,
    receivers: 1,
};

fn with(binds: Binds) -> impl FnOnce(&mut LinkConfig) {
    move |link| {
        link.window = 5;
        smpp(link).binds = binds;
        smpp(link).unmarked_receipts = true;
    }
}

/// What fixtures write into message `n`.
fn text(submit: &Submit) -> String {
    match &submit.body {
        Body::ShortMessage(octets) | Body::Payload(octets) => String::from_utf8_lossy(octets).into_owned(),
    }
}

/// Each message has its number as its id, each part of a long one the same.
async fn willing() -> Peer {
    Peer::start(|submit| Says::taken(text(submit).strip_prefix("message ").unwrap_or("long"))).await
}

fn delivered(id: &str) -> Deliver {
    Deliver {
        body: Body::ShortMessage(format!("id:{id} stat:DELIVRD").into()),
        ..Deliver::default()
    }
}

#[tokio::test]
async fn messages_are_shared_among_the_binds_that_submit() {
    for (binds, kind) in [(TRANSCEIVERS, BindKind::Transceiver), (PAIRS, BindKind::Transmitter)] {
        let peer = willing().await;
        let world = World::new(&["atlas"]).await;
        let (stop, mut service) = connect_with(&world, peer.address.to_string(), with(binds));
        // Only once all binds are up are all of them used, and more messages than one window take two.
        until(async || {
            let known = world.said().await.len();
            let from = 1 + known as u128;
            world.publish(&(from..from + 20).map(order).collect::<Vec<_>>()).await;
            until(async || world.said().await.len() == known + 20).await;
            let binds = peer.seen.binds();
            binds.iter().map(|(_, number)| number).collect::<BTreeSet<_>>().len() == 2
        })
        .await;
        assert!(peer.seen.binds().iter().all(|(seen, _)| *seen == kind));
        assert!(world.said().await.iter().all(|line| line.contains("accepted")));
        stop.request();
        service.join_next().await.unwrap().unwrap().unwrap();
    }
}

#[tokio::test]
async fn the_parts_of_a_message_go_over_one_bind_while_they_are_on_their_way() {
    let peer = willing().await;
    let world = World::new(&["atlas"]).await;
    let (_stop, _service) = connect_with(&world, peer.address.to_string(), with(TRANSCEIVERS));
    for n in 1..=10 {
        world.publish(&[long_order(n, 4)]).await;
        until(async || world.said().await.len() == n as usize).await;
    }
    let binds = peer.seen.binds();
    assert_eq!(binds.len(), 40);
    for parts in binds.chunks(4) {
        assert!(parts.iter().all(|bind| *bind == parts[0]), "{parts:?}");
    }
}

/// The answer of each message is known before its receipt comes, so only the other connection could make a difference.
#[tokio::test]
async fn a_receipt_on_another_bind_than_the_submission_finds_its_message() {
    let peer = willing().await;
    let world = World::new(&["atlas"]).await;
    let (_stop, _service) = connect_with(&world, peer.address.to_string(), with(PAIRS));
    world.publish(&(1..=10).map(order).collect::<Vec<_>>()).await;
    until(async || world.said().await.len() == 10).await;
    (1..=10).for_each(|n| peer.deliver(delivered(&n.to_string())));
    until(async || world.values(&topics::receipts()).await.len() == 10).await;
    assert!(world.values(&topics::unmatched()).await.is_empty());
    let receipt = record::receipt_from_bytes(&world.values(&topics::receipts()).await[0]).unwrap();
    assert_eq!(receipt.order, order(1).order_ref());
}

#[tokio::test]
async fn a_bind_that_dies_leaves_unknown_what_it_had_and_the_others_go_on() {
    let peer = Peer::start(|submit| match text(submit).as_str() {
        "message 7" => Says::cut(),
        text => Says::taken(text.replace("message ", "")),
    })
    .await;
    let world = World::new(&["atlas"]).await;
    let (_stop, _service) = connect_with(&world, peer.address.to_string(), |link| {
        with(TRANSCEIVERS)(link);
        // It does not come back before the end.
        smpp(link).reconnect = Duration::from_secs(3_600)..=Duration::from_secs(3_600);
    });
    world.publish(&(1..=60).map(order).collect::<Vec<_>>()).await;
    until(async || world.said().await.len() == 60).await;
    let said = world.said().await;
    assert!(said.contains(&"7 unknown".to_owned()), "{said:?}");
    let unknown = said.iter().filter(|line| line.ends_with("unknown")).count();
    assert!((1..=5).contains(&unknown), "at most its window is in doubt: {said:?}");
    let accepted = said.iter().filter(|line| line.contains("accepted")).count();
    assert_eq!(
        accepted + unknown,
        60,
        "nothing was handed back for want of a link: {said:?}"
    );
}

#[tokio::test]
async fn a_late_answer_counts_on_any_of_several_binds() {
    let behaviour = Behaviour {
        answer: Delay::fixed(Duration::from_millis(2_500)),
        ..Behaviour::default()
    };
    let carrier = Smsc::start(CarrierConfig {
        behaviour,
        ..CarrierConfig::default()
    })
    .await
    .unwrap();
    let world = World::new(&["atlas"]).await;
    let (_stop, _service) = connect(&world, carrier.addr().to_string(), |smpp| smpp.binds = TRANSCEIVERS);
    let passwords = (1..=4).map(|n| {
        let mut password = order(n);
        password.message.class = sms::Class::Otp;
        password
    });
    world.publish(&passwords.collect::<Vec<_>>()).await;
    until(async || world.said().await.len() == 8).await;
    let said = world.said().await;
    for n in 1..=4 {
        let of_it: Vec<_> = said.iter().filter(|line| line.starts_with(&format!("{n} "))).collect();
        assert!(
            of_it[0].ends_with("unknown") && of_it[1].contains("accepted"),
            "{of_it:?}"
        );
    }
}

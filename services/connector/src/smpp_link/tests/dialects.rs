//! Dialects over the wire: what a carrier of each kind gets and sends.

use std::time::Duration;

use signalbox_proto::{record, topics};
use smpp::{Body, Deliver, IdFormat, IdFormats, ReceiptFormat, ReceiptKey};
use sms::{ReceiptState, UnixMs};

use super::{
    connect_with,
    peer::{Peer, Says},
    until,
};
use crate::{
    Concatenation, LinkConfig, LinkKind, SmppConfig,
    fixture::{World, long_order, order},
};

pub(super) fn smpp(link: &mut LinkConfig) -> &mut SmppConfig {
    match &mut link.kind {
        LinkKind::Smpp(smpp) => smpp,
        _ => panic!("an SMPP link"),
    }
}

/// A peer that gives `id` to what it takes and sends this text as its receipt.
async fn peer(id: &'static str, text: &'static str) -> Peer {
    Peer::start(move |_| {
        let body = Body::ShortMessage(text.into());
        Says::taken(id).then(Deliver {
            body,
            ..Deliver::default()
        })
    })
    .await
}

#[tokio::test]
async fn a_receipt_of_a_carrier_s_own_pattern_zone_and_ids_is_matched() {
    let peer = peer("00B8BE19", "msgid=12107289&state=DELIVRD&at=2601010530").await;
    let world = World::new(&["atlas"]).await;
    let (_stop, _service) = connect_with(&world, peer.address.to_string(), |link| {
        let mut receipts = ReceiptFormat::default();
        receipts.spell(ReceiptKey::Id, "msgid=");
        receipts.spell(ReceiptKey::Stat, "state=");
        receipts.spell(ReceiptKey::DoneDate, "at=");
        receipts.set_zone(330);
        smpp(link).receipts = receipts;
        smpp(link).unmarked_receipts = true;
        smpp(link).ids = IdFormats {
            response: IdFormat::Hex,
            receipt: IdFormat::Dec,
        };
    });
    world.publish(&[order(1)]).await;
    until(async || !world.values(&topics::receipts()).await.is_empty()).await;
    let receipt = record::receipt_from_bytes(&world.values(&topics::receipts()).await[0]).unwrap();
    assert_eq!(receipt.receipt.state, ReceiptState::Delivered);
    assert_eq!(receipt.receipt.done_at, Some(UnixMs(1_767_225_600_000)));
}

#[tokio::test]
async fn parts_tied_by_tlvs_are_three_messages_and_a_payload_is_one() {
    for (concatenation, messages) in [(Concatenation::Sar, 3), (Concatenation::Payload, 1)] {
        let peer = peer("7", "id:7 stat:DELIVRD").await;
        let world = World::new(&["atlas"]).await;
        let (_stop, _service) = connect_with(&world, peer.address.to_string(), |link| {
            link.concatenation = concatenation;
        });
        world.publish(&[long_order(1, 3)]).await;
        until(async || !world.said().await.is_empty()).await;
        assert!(world.said().await[0].starts_with("1 accepted"));
        let submits = peer.seen.submits();
        assert_eq!(submits.len(), messages);
        let octets: usize = submits.iter().map(|submit| submit.body.octets().len()).sum();
        assert_eq!(octets, 3 * 153);
        let parts = submits.iter().filter_map(|submit| submit.concatenation());
        assert_eq!(parts.count(), if messages == 1 { 0 } else { 3 });
    }
}

#[tokio::test]
async fn the_validity_a_carrier_hears_is_within_the_message_s_own() {
    let peer = peer("7", "").await;
    let world = World::new(&["atlas"]).await;
    let (_stop, _service) = connect_with(&world, peer.address.to_string(), |link| {
        smpp(link).validity_max = Duration::from_secs(3_600);
    });
    world.publish(&[order(1)]).await;
    until(async || !world.said().await.is_empty()).await;
    let validity = &peer.seen.submits()[0].validity;
    let told = smpp::validity_duration(validity, UnixMs(0)).unwrap();
    assert!(
        told <= Duration::from_secs(600) && told > Duration::from_secs(540),
        "{validity}"
    );
}

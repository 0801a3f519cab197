//! Dead records come back, keep to their bounds, and have ids that stay.

use prost::Message as _;

use super::*;
use crate::record::{event_to_bytes, of_a_later_format};

fn stored(value: Bytes) -> Stored {
    Stored {
        key: 7,
        value,
        stored_at_ms: 1_790_000_000_000,
        headers: Vec::new(),
    }
}

#[test]
fn dead_records_keep_their_octets() {
    let invalid = Invalid::Newer { format: 2, known: 1 };
    let dead = DeadRecord::of("signalbox.outcomes", &stored(Bytes::from_static(b"\x00\xff")), &invalid);
    assert_eq!((dead.fault, dead.omitted), (Fault::Newer, 0));
    assert_eq!(dead.stored_at, Some(UnixMs(1_790_000_000_000)));
    assert_eq!(dead_from_bytes(&dead_to_bytes(&dead)), Ok(dead));
}

#[test]
fn a_record_as_long_as_can_be_fits_into_its_dead_record() {
    let long = stored(vec![1; bus::RECORD_OCTETS_MAX].into());
    let invalid = Invalid::Octets("ä".repeat(10_000));
    let dead = DeadRecord::of("signalbox.outcomes", &long, &invalid);
    assert_eq!(dead.octets.len() as u64 + dead.omitted, bus::RECORD_OCTETS_MAX as u64);
    assert!(dead_to_bytes(&dead).len() < bus::RECORD_OCTETS_MAX);
    assert!(dead.reason.chars().count() == REASON_CHARS_MAX);
}

#[test]
fn an_older_version_put_it_aside_without_a_word() {
    let old = pb::Dead {
        topic: "signalbox.outcomes".to_owned(),
        octets: Bytes::from_static(b"x"),
        reason: "y".to_owned(),
        ..pb::Dead::default()
    };
    let dead = dead_from_bytes(&old.encode_to_vec().into()).unwrap();
    assert_eq!((dead.fault, dead.stored_at), (Fault::Invalid, None));
}

#[test]
fn ids_are_read_as_they_are_written_and_name_one_record() {
    let id = DeadId::of(&stored(Bytes::from_static(b"x")));
    assert_eq!(id.to_string(), "1a0c4506c00-dcb68069");
    assert_eq!(id.to_string().parse(), Ok(id));
    assert_ne!(id, DeadId::of(&stored(Bytes::from_static(b"y"))));
    for wrong in ["", "x", "1-2", "1a0c4506c00-DCB68069", "1a0c4506c00"] {
        assert!(wrong.parse::<DeadId>().is_err(), "{wrong}");
    }
    let note = replayed_to_bytes(id);
    assert_eq!(dead_word_from_bytes(&note), Ok(DeadWord::Replayed(id)));
    assert_eq!(dead_from_bytes(&note), Err(Invalid::Missing("topic")));
}

#[test]
fn a_record_is_read_as_its_topic_is() {
    let order = journey::OrderRef {
        message: sms::MessageId(uuid::Uuid::from_u128(5)),
        key: sms::RecordKey(7),
        number: journey::OrderNumber(1),
        carrier: sms::CarrierName::new("a").unwrap(),
    };
    let late = journey::LateReceipt {
        order: order.clone(),
        receipt: journey::SegmentReceipt {
            segment: 0,
            receipt: sms::Receipt {
                state: sms::ReceiptState::Delivered,
                fault: sms::ReceiptFault::Handset,
                raw: String::new(),
                error: String::new(),
                done_at: None,
                vendor: Vec::new(),
            },
            at: UnixMs(1),
        },
        account: sms::AccountId::new("acme").unwrap(),
        reference: String::new(),
        ended: journey::EndState::Failed,
        copy_of: None,
    };
    let octets = event_to_bytes(&journey::Event::Late(Box::new(late)));
    let read = |topic: &str, octets: &Bytes| crate::record::read_as_on(topic, octets, 7);
    let reading = read("signalbox.events", &octets).unwrap();
    assert_eq!((reading.kind, reading.message), ("late receipt", Some(order.message)));
    assert_eq!(reading.carrier, Some(order.carrier));
    let other = read("signalbox.dispatch.a.urgent", &octets).unwrap_err();
    assert_eq!(other.to_string(), "record is of another kind: event, not order");
    let newer = read("signalbox.events", &of_a_later_format(&octets)).unwrap_err();
    assert_eq!(newer.fault(), Fault::Newer);
    assert!(
        read("store/state", &octets)
            .unwrap_err()
            .to_string()
            .contains("no topic")
    );
}

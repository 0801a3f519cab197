//! Receipts as they are seen in the field.

use bytes::Bytes;

use super::*;
use crate::pdu::Body;

/// 2026-11-21T12:00:00Z.
const NOON: UnixMs = UnixMs(1_795_262_400_000);

fn text(text: &str) -> DeliveryReceipt {
    parse_receipt_text(text.as_bytes())
}

fn deliver(esm_class: u8, text: &str, tlvs: Vec<Tlv>) -> Deliver {
    let body = Body::ShortMessage(Bytes::copy_from_slice(text.as_bytes()));
    Deliver {
        esm_class,
        body,
        tlvs,
        ..Deliver::default()
    }
}

#[test]
fn appendix_b_reads_whole() {
    let receipt = text(
        "id:0123456789 sub:001 dlvrd:001 submit date:2611211159 done date:2611211200 stat:DELIVRD err:000 Text:Hello",
    );
    let expected = DeliveryReceipt {
        id: Some("0123456789".into()),
        state: Some(ReceiptState::Delivered),
        stat: "DELIVRD".into(),
        error: Some("000".into()),
        network_error: None,
        submitted_at: Some(UnixMs(NOON.0 - 60_000)),
        done_at: Some(NOON),
        submitted_parts: Some(1),
        delivered_parts: Some(1),
        text: Some("Hello".into()),
    };
    assert_eq!(receipt, expected);
}

#[test]
fn fields_may_come_in_any_order_and_be_missing() {
    let receipt = text("stat:UNDELIV err:21b id:c0ffee");
    assert_eq!(receipt.id.as_deref(), Some("c0ffee"));
    assert_eq!(receipt.state, Some(ReceiptState::Undeliverable));
    assert_eq!(receipt.error.as_deref(), Some("21b"));
    assert_eq!(
        (receipt.done_at, receipt.submitted_parts, receipt.text),
        (None, None, None)
    );
}

#[test]
fn keys_may_be_written_without_space_and_in_any_case() {
    let receipt = text("ID:77 submitdate:2611211159 DoneDate:2611211200 Stat:expired ERR:1 text:bye");
    assert_eq!(receipt.id.as_deref(), Some("77"));
    assert_eq!(receipt.done_at, Some(NOON));
    assert_eq!(receipt.state, Some(ReceiptState::Expired));
    assert_eq!(receipt.text.as_deref(), Some("bye"));
}

#[test]
fn the_senders_words_are_not_read_as_keys() {
    let receipt = text("id:1 stat:DELIVRD Text:your id:2 stat:REJECTD");
    assert_eq!(receipt.id.as_deref(), Some("1"));
    assert_eq!(receipt.state, Some(ReceiptState::Delivered));
}

#[test]
fn a_key_inside_a_word_is_not_a_key() {
    let receipt = text("valid:9 id:1 substat:2 stat:DELIVRD");
    assert_eq!(receipt.id.as_deref(), Some("1"));
    assert_eq!(receipt.stat, "DELIVRD");
}

#[test]
fn dates_have_10_12_or_14_digits() {
    for date in ["2611211200", "261121120000", "20261121120000", "202611211200"] {
        assert_eq!(receipt_date(date), Some(NOON), "{date}");
    }
    for date in ["", "26112112", "2613211200", "26112112000", "2611211200Z", "2602301200"] {
        assert_eq!(receipt_date(date), None, "{date}");
    }
}

#[test]
fn uuids_and_words_are_ids() {
    assert_eq!(
        text("id:0b7c0e4e-61a5-4b0c-8b1f-6f6b1a2c3d4e stat:ACCEPTD")
            .id
            .unwrap()
            .len(),
        36
    );
    assert_eq!(text("id:msg_42 stat:ACCEPTD").id.as_deref(), Some("msg_42"));
}

#[test]
fn every_state_of_the_specification_is_known() {
    for state in [
        ReceiptState::Enroute,
        ReceiptState::Accepted,
        ReceiptState::Delivered,
        ReceiptState::Expired,
        ReceiptState::Deleted,
        ReceiptState::Undeliverable,
        ReceiptState::Rejected,
        ReceiptState::Unknown,
    ] {
        let (word, number) = state_name(state);
        assert_eq!(text(&format!("id:1 stat:{word}")).state, Some(state));
        assert_eq!(state_of_number(number.into()), Some((state, word)));
    }
    assert_eq!(state_of_number(0), Some((ReceiptState::Enroute, "SCHEDULED")));
    assert_eq!(state_of_number(9), Some((ReceiptState::Undeliverable, "SKIPPED")));
    assert_eq!(state_of_number(10), None);
}

#[test]
fn tlvs_win_over_the_text() {
    let tlvs = vec![
        Tlv::new(tag::RECEIPTED_MESSAGE_ID, &b"abc\0"[..]),
        Tlv::octet(tag::MESSAGE_STATE, 5),
        Tlv::new(tag::NETWORK_ERROR_CODE, &[3, 0, 27][..]),
    ];
    let receipt = parse_receipt(&deliver(0x04, "id:1 stat:DELIVRD", tlvs)).unwrap();
    assert_eq!(receipt.id.as_deref(), Some("abc"));
    assert_eq!(receipt.state, Some(ReceiptState::Undeliverable));
    assert_eq!(receipt.stat, "DELIVRD", "what the carrier wrote stays for the invoice");
    assert_eq!(receipt.network_error, Some(NetworkError { network: 3, code: 27 }));
    assert_eq!(receipt.error_code(), "27");
}

#[test]
fn tlvs_alone_are_enough() {
    let tlvs = vec![
        Tlv::new(tag::RECEIPTED_MESSAGE_ID, &b"abc"[..]),
        Tlv::octet(tag::MESSAGE_STATE, 2),
    ];
    let receipt = parse_receipt(&deliver(0x04, "", tlvs)).unwrap();
    assert_eq!(
        (receipt.id.as_deref(), receipt.state),
        (Some("abc"), Some(ReceiptState::Delivered))
    );
    assert_eq!(receipt.stat, "DELIVRD");
}

#[test]
fn only_marked_messages_are_receipts() {
    let body = "id:1 stat:DELIVRD";
    for esm_class in [0x04, 0x44, 0x84, 0x07, 0x20] {
        assert!(
            parse_receipt(&deliver(esm_class, body, Vec::new())).is_some(),
            "{esm_class:#x}"
        );
    }
    for esm_class in [0x00, 0x40, 0x08, 0x24] {
        assert_eq!(
            parse_receipt(&deliver(esm_class, body, Vec::new())),
            None,
            "{esm_class:#x}"
        );
    }
}

#[test]
fn a_nul_after_the_text_is_dropped() {
    assert_eq!(text("id:1 stat:DELIVRD\0").stat, "DELIVRD");
}

proptest::proptest! {
    /// Any octets are read without a panic; what they say does not matter.
    #[test]
    fn arbitrary_octets_are_read(octets: Vec<u8>) {
        parse_receipt_text(&octets);
    }

    /// Texts made of the pieces receipts are made of, in any order.
    #[test]
    fn shuffled_pieces_are_read(text in "(id:|stat:|err:|done date:|text:|[0-9a-z ]{0,8}|é){0,20}") {
        parse_receipt_text(text.as_bytes());
    }
}

#[test]
fn a_carrier_may_write_its_own_keys_and_its_own_time() {
    let mut format = ReceiptFormat::default();
    format.spell(ReceiptKey::Id, "MsgId=");
    format.spell(ReceiptKey::Stat, "state=");
    format.spell(ReceiptKey::DoneDate, "at=");
    format.set_zone(330);
    let receipt = format.read_text(b"msgid=AB12&State=DELIVRD&at=2601010530");
    assert_eq!(receipt.id.as_deref(), Some("AB12"));
    assert_eq!(receipt.state, Some(ReceiptState::Delivered));
    assert_eq!(receipt.done_at, Some(UnixMs(1_767_225_600_000)), "midnight in UTC");
    let usual = format.read_text(b"id:7 stat:UNDELIV err:013 done date:2601010530");
    assert_eq!((usual.id.as_deref(), usual.error.as_deref()), (Some("7"), Some("013")));
    assert_eq!(usual.done_at, receipt.done_at);
}

#[test]
fn a_longer_key_comes_before_one_that_it_begins_with() {
    let mut format = ReceiptFormat::default();
    format.spell(ReceiptKey::Error, "code:");
    format.spell(ReceiptKey::Stat, "code: state ");
    let receipt = format.read_text(b"id:1 code: state DELIVRD code:7");
    assert_eq!(
        (receipt.stat.as_str(), receipt.error.as_deref()),
        ("DELIVRD", Some("7"))
    );
}

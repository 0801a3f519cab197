//! Receipts as carriers write them.

use smpp::{Body, IdFormat, IdFormats, Tlv, tag};
use sms::{ReceiptFault, UnixMs};
use source::Secret;

use super::*;
use crate::{maps::LiveMaps, smpp_link::SmppConfig};

fn dialect(change: impl FnOnce(&mut Dialect)) -> Dialect {
    let smpp = SmppConfig::new("", "", Secret::new(""));
    let mut dialect = Dialect {
        link: "atlas".into(),
        bind: smpp::BindKind::Transceiver,
        window: 10,
        smpp,
        maps: LiveMaps::new(Maps::default()),
    };
    change(&mut dialect);
    dialect
}

/// What `deliver` says over a link with the default maps.
fn read(dialect: &Dialect, deliver: &Deliver) -> Option<(String, Receipt)> {
    super::read(dialect, &Maps::default(), deliver)
}

/// A `deliver_sm` with this `esm_class` and text.
fn deliver(esm_class: u8, text: &str) -> Deliver {
    let body = Body::ShortMessage(text.to_owned().into());
    Deliver {
        esm_class,
        body,
        ..Deliver::default()
    }
}

const TEXT: &str = "id:00AB sub:001 dlvrd:000 submit date:2601010000 done date:2601010001 stat:UNDELIV err:013 text:hi";

#[test]
fn a_receipt_is_read_with_its_id_state_error_and_time() {
    let (id, receipt) = read(&dialect(|_| {}), &deliver(0x04, TEXT)).unwrap();
    assert_eq!(id, "ab");
    assert_eq!(
        (receipt.state, receipt.fault),
        (ReceiptState::Undeliverable, ReceiptFault::Handset)
    );
    assert_eq!((receipt.raw.as_str(), receipt.error.as_str()), ("UNDELIV 013", "013"));
    assert_eq!(receipt.done_at, Some(UnixMs(1_767_225_660_000)));
}

#[test]
fn the_carrier_s_own_error_codes_name_the_fault() {
    let mut maps = Maps::default();
    maps.faults.set("13", ReceiptFault::Recipient);
    let (_, receipt) = super::read(&dialect(|_| {}), &maps, &deliver(0x04, TEXT)).unwrap();
    assert_eq!(receipt.fault, ReceiptFault::Recipient);
}

#[test]
fn the_carrier_s_own_words_for_states_mean_what_the_map_says() {
    let mut maps = Maps::default();
    maps.faults
        .set_word("spam", ReceiptState::Rejected, Some(ReceiptFault::Recipient));
    // This carrier sends nothing after it.
    maps.faults.set_word("ACCEPTD", ReceiptState::Delivered, None);
    let said = |esm_class, text: &str| {
        let unmarked = dialect(|dialect| dialect.smpp.unmarked_receipts = true);
        let (_, receipt) = super::read(&unmarked, &maps, &deliver(esm_class, text)).unwrap();
        (receipt.state, receipt.fault)
    };
    let spam = (ReceiptState::Rejected, ReceiptFault::Recipient);
    assert_eq!(said(0x04, "id:1 stat:SPAM err:077"), spam);
    assert_eq!(said(0, "id:1 stat:SPAM err:077"), spam);
    assert_eq!(said(0x04, "id:1 stat:ACCEPTD").0, ReceiptState::Delivered);
}

#[test]
fn a_network_error_of_gsm_names_the_fault_where_nothing_else_does() {
    let mut with_tlv = deliver(0x04, "id:1 stat:UNDELIV");
    with_tlv.tlvs.push(Tlv::new(tag::NETWORK_ERROR_CODE, vec![3, 0, 1]));
    let (_, receipt) = read(&dialect(|_| {}), &with_tlv).unwrap();
    assert_eq!((receipt.fault, receipt.error.as_str()), (ReceiptFault::Number, "1"));
}

#[test]
fn an_intermediate_notification_is_never_final() {
    let (_, receipt) = read(&dialect(|_| {}), &deliver(0x20, "id:1 stat:DELIVRD err:000")).unwrap();
    assert_eq!(receipt.state, ReceiptState::Enroute);
}

#[test]
fn an_inbound_message_is_no_receipt_unless_the_link_has_unmarked_ones() {
    let unmarked = dialect(|dialect| dialect.smpp.unmarked_receipts = true);
    assert!(read(&dialect(|_| {}), &deliver(0, TEXT)).is_none());
    assert!(read(&unmarked, &deliver(0, TEXT)).is_some());
    assert!(read(&unmarked, &deliver(0, "STOP")).is_none());
}

#[test]
fn a_receipt_that_tells_nothing_is_kept_without_an_id_and_ends_nothing() {
    let (id, receipt) = read(&dialect(|_| {}), &deliver(0x04, "\u{0}")).unwrap();
    assert_eq!((id.as_str(), receipt.state), ("", ReceiptState::Enroute));
}

#[test]
fn a_state_nobody_knows_ends_nothing_and_the_one_called_unknown_does() {
    let state = |stat: &str| {
        let text = format!("id:1 stat:{stat} err:000");
        read(&dialect(|_| {}), &deliver(0x04, &text)).unwrap().1
    };
    for word in ["SENT", "QUEUED", "PENDING", "12"] {
        assert_eq!(
            (state(word).state, state(word).raw),
            (ReceiptState::Enroute, format!("{word} 000"))
        );
    }
    assert_eq!(state("UNKNOWN").state, ReceiptState::Unknown);
}

#[test]
fn a_decimal_id_of_a_receipt_becomes_the_hexadecimal_one_of_its_answer() {
    let ids = IdFormats {
        response: IdFormat::Hex,
        receipt: IdFormat::Dec,
    };
    let dialect = dialect(|dialect| dialect.smpp.ids = ids);
    let (id, _) = read(&dialect, &deliver(0x04, "id:171 stat:DELIVRD")).unwrap();
    assert_eq!(id, ids.of_response("00AB"));
}

/// One receipt of 64 KiB must not outgrow what log and store keep of its message.
#[test]
fn words_of_absurd_length_are_cut_and_such_an_id_is_none() {
    let long = "9".repeat(20_000);
    let text = format!("id:{long} stat:DELIVRD{long} err:{long}");
    let (id, receipt) = read(&dialect(|_| {}), &deliver(0x04, &text)).unwrap();
    assert_eq!((id.as_str(), receipt.state), ("", ReceiptState::Delivered));
    assert_eq!((receipt.error.len(), receipt.raw.len()), (32, 65));
}

#[test]
fn fields_of_the_carrier_s_own_are_kept_a_few_of_them_and_no_others() {
    let mut told = deliver(0x04, TEXT);
    let mut tlvs = vec![
        Tlv::new(tag::RECEIPTED_MESSAGE_ID, "00AB"),
        Tlv::new(0x1400, "23415"),
        Tlv::new(0x4000, "reserved"),
        Tlv::new(0x3FFF, vec![7; 1_000]),
    ];
    tlvs.extend((0x1500..0x1520).map(|tag| Tlv::new(tag, "x")));
    told.tlvs = tlvs;
    let (_, receipt) = read(&dialect(|_| {}), &told).unwrap();
    let kept: Vec<_> = receipt
        .vendor
        .iter()
        .map(|field| (field.tag, field.value.len()))
        .collect();
    assert_eq!(kept[..3], [(0x1400, 5), (0x3FFF, 64), (0x1500, 1)]);
    assert_eq!(kept.len(), 8);
}

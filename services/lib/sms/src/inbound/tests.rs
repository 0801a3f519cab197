//! How parts become a message.

use super::*;
use crate::CarrierName;

fn part(charset: Charset) -> InboundPart {
    InboundPart {
        from: "447700900001".into(),
        to: "70001".into(),
        charset,
        data_coding: 0,
        header: Bytes::new(),
        octets: Bytes::new(),
        place: None,
        name: String::new(),
    }
}

fn joined(first: &InboundPart, total: u8, parts: &[(u8, &[u8])]) -> Inbound {
    let parts = parts
        .iter()
        .map(|(number, octets)| (*number, Bytes::copy_from_slice(octets)));
    let id = MessageId(uuid::Uuid::from_u128(1));
    let carriers = Carriers::from(CarrierName::new("atlas").unwrap());
    Inbound::join((id, carriers, UnixMs(7)), first, total, &parts.collect())
}

#[test]
fn a_character_cut_between_two_parts_is_read() {
    let emoji = joined(
        &part(Charset::Ucs2),
        2,
        &[(1, &[0, 0x61, 0xD8, 0x3D]), (2, &[0xDE, 0x00])],
    );
    assert_eq!(emoji.text.unwrap(), "a😀");
    let euro = joined(&part(Charset::Gsm7), 2, &[(1, &[0x61, 0x1B]), (2, &[0x65])]);
    assert_eq!(
        (euro.text.unwrap(), euro.octets.len(), euro.missing.len()),
        ("a€".into(), 0, 0)
    );
}

#[test]
fn a_gap_is_named_and_no_character_is_made_over_it() {
    let gap = joined(&part(Charset::Gsm7), 4, &[(2, &[0x61, 0x1B]), (4, &[0x65])]);
    assert_eq!((gap.text.as_deref(), &gap.missing[..]), (Some("a e"), &[1, 3][..]));
    assert_eq!(&gap.octets[..], [0x61, 0x1B, 0x65], "the text does not say all of it");
}

#[test]
fn octets_are_kept_where_the_text_does_not_say_all() {
    let octets = joined(&part(Charset::Octets), 1, &[(1, &[0, 1, 2])]);
    assert_eq!((octets.text, &octets.octets[..]), (None, &[0, 1, 2][..]));
    let mut turkish = part(Charset::Gsm7);
    turkish.header = Bytes::from_static(&[0x25, 1, 1]);
    let turkish = joined(&turkish, 1, &[(1, b"abc")]);
    assert_eq!(
        (turkish.text.as_deref(), &turkish.octets[..]),
        (Some("abc"), &b"abc"[..])
    );
    let empty = joined(&part(Charset::Gsm7), 1, &[(1, b"")]);
    assert_eq!((empty.text.as_deref(), empty.octets.len()), (Some(""), 0));
}

#[test]
fn numbers_lose_their_plus_and_names_stay() {
    assert_eq!(inbound_address("+447700900001"), "447700900001");
    assert_eq!(inbound_address(" 70001 "), "70001");
    assert_eq!(inbound_address("+44 77"), "+44 77");
    assert_eq!(inbound_address("ACME"), "ACME");
    assert_eq!(inbound_address(&"9".repeat(80)).len(), INBOUND_ADDRESS_CHARS_MAX);
}

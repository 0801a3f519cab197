//! Bodies as peers write them, sound and unsound.

use bytes::BytesMut;
use proptest::prelude::*;
use rusmpp::decode::DecodeWithLength;
use rusmpp::{Command, Pdu};

use super::*;
use crate::encode;
use crate::pdu::SHORT_MESSAGE_OCTETS_MAX;

/// What the codec crate reads from a whole PDU.
fn codec(octets: &[u8]) -> Command {
    let mut octets = BytesMut::from(&octets[4..]);
    let length = octets.len();
    Command::decode(&mut octets, length)
        .expect("the codec crate reads what it wrote")
        .0
}

fn written(submit: &Submit) -> BytesMut {
    let mut out = BytesMut::new();
    encode::submit(&mut out, 7, submit).unwrap();
    out
}

prop_compose! {
    fn addresses()(ton: u8, npi: u8, value in "[ -~]{0,20}") -> Address {
        Address { ton, npi, value }
    }
}

prop_compose! {
    fn submits()(
        source in addresses(),
        destination in addresses(),
        octets in proptest::collection::vec(any::<u8>(), 0..=SHORT_MESSAGE_OCTETS_MAX),
        in_payload: bool,
        (esm_class, protocol_id, priority, registered_delivery, data_coding) in any::<(u8, u8, u8, u8, u8)>(),
        service_type in "[A-Z]{0,5}",
        validity in "([0-9]{15}R)?",
        tlvs in proptest::collection::vec((0x1400u16..0x4000, proptest::collection::vec(any::<u8>(), 0..40)), 0..4),
    ) -> Submit {
        let octets = Bytes::from(octets);
        Submit {
            service_type, source, destination, esm_class, protocol_id, priority, schedule: String::new(), validity,
            registered_delivery, data_coding,
            body: if in_payload { Body::Payload(octets) } else { Body::ShortMessage(octets) },
            tlvs: tlvs.into_iter().map(|(tag, value)| Tlv::new(tag, value)).collect(),
        }
    }
}

proptest! {
    /// Writes by the codec crate, reads here: nothing may be lost, whatever the octets say.
    #[test]
    fn what_is_written_reads_back(submit in submits()) {
        let octets = written(&submit);
        prop_assert_eq!(u32::from_be_bytes(*octets.first_chunk().unwrap()) as usize, octets.len());
        prop_assert_eq!(super::submit(&octets[16..]).unwrap(), submit);
    }

    /// Reads one PDU here and with the codec crate.
    #[test]
    fn the_lenient_reader_agrees_with_the_codec_crate(submit in submits()) {
        let octets = written(&submit);
        let ours = super::submit(&octets[16..]).unwrap();
        let command = codec(&octets);
        let Some(Pdu::SubmitSm(theirs)) = command.pdu() else { panic!("not a submit_sm") };
        prop_assert_eq!(&ours.source.value, theirs.source_addr.as_str());
        prop_assert_eq!(&ours.destination.value, theirs.destination_addr.as_str());
        prop_assert_eq!(ours.esm_class, u8::from(theirs.esm_class));
        prop_assert_eq!(ours.registered_delivery, u8::from(theirs.registered_delivery));
        prop_assert_eq!(ours.data_coding, u8::from(theirs.data_coding));
        if let Body::ShortMessage(octets) = &ours.body {
            prop_assert_eq!(&octets[..], theirs.short_message().as_ref());
        }
    }

    /// Feeds anything to every reader.
    #[test]
    fn arbitrary_bodies_are_read_or_refused(octets: Vec<u8>) {
        let _ = super::submit(&octets);
        let _ = super::deliver(&octets);
        let _ = super::data(&octets);
        let _ = super::bind(BindKind::Transceiver, &octets);
        super::reply(&octets);
        super::bind_reply(&octets);
    }
}

#[test]
fn every_body_of_a_response_is_taken() {
    assert_eq!(reply(b""), (String::new(), vec![]));
    assert_eq!(reply(b"\0"), (String::new(), vec![]));
    assert_eq!(reply(b"abc\0"), ("abc".into(), vec![]));
    assert_eq!(reply(b"abc"), ("abc".into(), vec![]), "without its NUL");
    assert_eq!(
        reply(b"abc\0\x04\x23\0\x03\x03\0\x01").1,
        vec![Tlv::new(tag::NETWORK_ERROR_CODE, &[3, 0, 1][..])]
    );
    assert_eq!(reply(b"\0\x04\x23\0\x03\x03\0\x01").1.len(), 1);
    let long = "f".repeat(200);
    assert_eq!(
        reply(format!("{long}\0").as_bytes()).0,
        long,
        "an id longer than the specification allows"
    );
}

#[test]
fn a_tlv_that_runs_over_the_end_costs_only_itself() {
    let (id, tlvs) = reply(b"abc\0\x14\0\0\x01x\x14\x01\0\x09short");
    assert_eq!((id.as_str(), tlvs), ("abc", vec![Tlv::new(0x1400, &b"x"[..])]));
}

#[test]
fn a_known_tlv_of_a_wrong_length_leaves_its_neighbour_alone() {
    let (_, tlvs) = reply(b"\0\x02\x04\0\x01\x09\x14\0\0\x01x");
    assert_eq!(tlvs[0].as_number(), Some(9));
    assert_eq!(tlvs[1], Tlv::new(0x1400, &b"x"[..]));
}

#[test]
fn strings_longer_than_their_field_are_read() {
    let mut octets = b"\0\x01\x01".to_vec();
    octets.extend_from_slice(&[b'1'; 40]);
    octets.extend_from_slice(b"\0\x01\x01491701234567\0\0\0\0\0\0\x01\0\0\0\x02hi");
    let submit = super::submit(&octets).unwrap();
    assert_eq!(submit.source.value.len(), 40);
    assert_eq!(submit.body.octets(), &b"hi"[..]);
}

#[test]
fn the_at_sign_does_not_end_a_message() {
    let submit = Submit {
        body: Body::ShortMessage(Bytes::from_static(b"a\0b\0")),
        ..Submit::default()
    };
    assert_eq!(super::submit(&written(&submit)[16..]).unwrap(), submit);
}

#[test]
fn a_nul_after_the_message_is_no_tlv() {
    let mut octets = written(&Submit::default()).to_vec();
    octets.push(0);
    assert_eq!(super::submit(&octets[16..]).unwrap(), Submit::default());
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let refuse = |submit: &Submit| {
        let mut out = BytesMut::new();
        let invalid = encode::submit(&mut out, 1, submit).unwrap_err();
        assert!(out.is_empty());
        invalid.to_string()
    };
    let long = Submit {
        source: Address::international("1".repeat(21)),
        ..Submit::default()
    };
    assert_eq!(
        refuse(&long),
        "source_addr does not fit: at most 20 ASCII characters without NUL"
    );
    let foreign = Submit {
        source: Address::sender("Grüße"),
        ..Submit::default()
    };
    assert!(refuse(&foreign).starts_with("source_addr"));
    let heavy = Submit {
        body: Body::ShortMessage(Bytes::from(vec![0; 255])),
        ..Submit::default()
    };
    assert_eq!(refuse(&heavy), "short_message has 255 octets, at most 254 fit");
    let payload = Submit {
        body: Body::Payload(Bytes::from(vec![0; 65_536])),
        ..Submit::default()
    };
    assert!(refuse(&payload).starts_with("TLV has 65536 octets"));
}

#[test]
fn parts_of_a_long_message_are_told_in_three_ways() {
    let of = |esm_class, octets: &'static [u8], tlvs| {
        Submit {
            esm_class,
            body: Body::ShortMessage(octets.into()),
            tlvs,
            ..Submit::default()
        }
        .concatenation()
    };
    let part = |reference| {
        Some(crate::Concatenation {
            reference,
            total: 3,
            part: 2,
        })
    };
    assert_eq!(of(0x40, &[5, 0, 3, 0x99, 3, 2, b'x'], vec![]), part(0x99));
    assert_eq!(of(0x40, &[6, 8, 4, 0x12, 0x34, 3, 2, b'x'], vec![]), part(0x1234));
    assert_eq!(of(0x40, &[9, 0x24, 1, 1, 8, 4, 0x12, 0x34, 3, 2], vec![]), part(0x1234));
    assert_eq!(of(0, &[5, 0, 3, 0x99, 3, 2], vec![]), None, "no header without its bit");
    let sar = vec![
        Tlv::number(tag::SAR_MSG_REF_NUM, 0x1234),
        Tlv::octet(tag::SAR_TOTAL_SEGMENTS, 3),
        Tlv::octet(tag::SAR_SEGMENT_SEQNUM, 2),
    ];
    assert_eq!(of(0, b"x", sar.clone()), part(0x1234));
    assert_eq!(of(0, b"x", sar[..2].to_vec()), None, "all three or none");
}

#[test]
fn senders_get_the_type_most_carriers_ask_for() {
    let of = |sender| {
        let Address { ton, npi, value } = Address::sender(sender);
        (ton, npi, value)
    };
    assert_eq!(of("ACME"), (5, 0, "ACME".to_owned()));
    assert_eq!(of("12345"), (3, 0, "12345".to_owned()));
    assert_eq!(of("+447700900001"), (1, 1, "447700900001".to_owned()));
}

/// Why bodies are not read by the codec crate: one octet too few in a known TLV costs it the whole PDU.
#[test]
fn the_codec_crate_reads_a_short_tlv_into_its_neighbour() {
    let mut octets = BytesMut::from(&b"\x80\0\0\x04\0\0\0\0\0\0\0\x01"[..]);
    octets.extend_from_slice(b"\0\x02\x04\0\x01\x09\x14\0\0\x01x");
    let length = octets.len();
    assert!(Command::decode(&mut octets, length).is_err());
}

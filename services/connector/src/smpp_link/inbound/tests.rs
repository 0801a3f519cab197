//! What carriers send, and what is read from it.

use smpp::{Address, Body, Tlv};
use source::Secret;

use super::*;

fn smpp(alphabet: Alphabet) -> SmppConfig {
    SmppConfig {
        alphabet,
        destination_prefix: "00".into(),
        ..SmppConfig::new("", "", Secret::new(""))
    }
}

fn deliver(esm_class: u8, data_coding: u8, octets: &[u8], tlvs: Vec<Tlv>) -> Deliver {
    Deliver {
        source: Address::international("+447700900001"),
        destination: Address::international("0070001"),
        esm_class,
        data_coding,
        body: Body::ShortMessage(Bytes::copy_from_slice(octets)),
        tlvs,
    }
}

fn sar(reference: u16, total: u8, part: u8) -> Vec<Tlv> {
    vec![
        Tlv::number(tag::SAR_MSG_REF_NUM, reference),
        Tlv::octet(tag::SAR_TOTAL_SEGMENTS, total),
        Tlv::octet(tag::SAR_SEGMENT_SEQNUM, part),
    ]
}

#[test]
fn every_data_coding_names_its_character_set_and_an_unknown_one_is_counted() {
    for (default, alphabet) in [
        (Charset::Gsm7, Alphabet::Gsm7),
        (Charset::Latin1, Alphabet::Latin1),
        (Charset::Ascii, Alphabet::Ascii),
    ] {
        for data_coding in 0..=u8::MAX {
            let wanted = match data_coding {
                0x00 | 0x10..=0x13 | 0xC0..=0xDF | 0xF0..=0xF3 | 0xF8..=0xFB => Some(default),
                0x01 => Some(Charset::Ascii),
                0x03 => Some(Charset::Latin1),
                0x02 | 0x04 | 0x14..=0x17 | 0xF4..=0xF7 | 0xFC..=0xFF => Some(Charset::Octets),
                0x08 | 0x18..=0x1B | 0xE0..=0xEF => Some(Charset::Ucs2),
                _ => None,
            };
            let (part, odd) = read(&smpp(alphabet), &deliver(0, data_coding, b"ab", Vec::new()));
            assert_eq!(part.charset, wanted.unwrap_or(Charset::Octets), "{data_coding:#x}");
            assert_eq!(
                odd,
                if wanted.is_none() {
                    vec!["inbound_coding"]
                } else {
                    vec![]
                }
            );
            assert_eq!(
                (part.data_coding, &part.octets[..], part.place),
                (data_coding, &b"ab"[..], None)
            );
        }
    }
}

#[test]
fn addresses_are_digits_without_plus_and_prefix() {
    let (part, _) = read(&smpp(Alphabet::Gsm7), &deliver(0, 0, b"x", Vec::new()));
    assert_eq!((&*part.from, &*part.to), ("447700900001", "70001"));
}

#[test]
fn parts_are_tied_by_either_header_or_by_tlvs() {
    let cases: [(u8, &[u8], Vec<Tlv>, Reference); 4] = [
        (0x40, &[5, 0, 3, 7, 3, 2, b'x'], Vec::new(), Reference::Short(7)),
        (0x40, &[6, 8, 4, 1, 7, 3, 2, b'x'], Vec::new(), Reference::Long(0x107)),
        (0, b"x", sar(0x107, 3, 2), Reference::Long(0x107)),
        (
            0x40,
            &[9, 0x70, 2, 1, 2, 0, 3, 7, 3, 2, b'x'],
            Vec::new(),
            Reference::Short(7),
        ),
    ];
    for (esm_class, octets, tlvs, reference) in cases {
        let (part, odd) = read(&smpp(Alphabet::Gsm7), &deliver(esm_class, 0, octets, tlvs));
        let place = Concatenation {
            reference,
            total: 3,
            part: 2,
        };
        assert_eq!(
            (part.place, &part.octets[..], odd.len()),
            (Some(place), &b"x"[..], 0),
            "{octets:02x?}"
        );
        let header: &[u8] = if octets[0] == 9 { &[0x70, 2, 1, 2] } else { &[] };
        assert_eq!(
            &part.header[..],
            header,
            "what ties parts together is no word of the sender"
        );
    }
}

#[test]
fn a_place_or_header_that_makes_no_sense_stands_alone_and_is_counted() {
    type Case = (u8, &'static [u8], Vec<Tlv>, &'static str, &'static [u8]);
    let nonsense: [Case; 7] = [
        (0x40, &[5, 0, 3, 7, 0, 0, b'x'], Vec::new(), "inbound_place", b"x"),
        (0x40, &[5, 0, 3, 7, 3, 5, b'x'], Vec::new(), "inbound_place", b"x"),
        (0x40, &[5, 0, 9, 7, 3, 1, b'x'], Vec::new(), "inbound_place", b"x"),
        (0, b"x", sar(7, 0, 0), "inbound_place", b"x"),
        (0, b"x", sar(7, 3, 5), "inbound_place", b"x"),
        (0x40, &[5, 0, 3, 7], Vec::new(), "inbound_header", &[5, 0, 3, 7]),
        (0x40, b"", Vec::new(), "inbound_header", b""),
    ];
    for (esm_class, octets, tlvs, kind, payload) in nonsense {
        let (part, odd) = read(&smpp(Alphabet::Gsm7), &deliver(esm_class, 0, octets, tlvs));
        assert_eq!(
            (part.place, odd, &part.octets[..]),
            (None, vec![kind], payload),
            "{octets:02x?}"
        );
        let is_cut = kind == "inbound_header";
        assert_eq!(
            part.charset == Charset::Octets,
            is_cut,
            "nobody knows where the content begins"
        );
    }
    let (one, odd) = read(
        &smpp(Alphabet::Gsm7),
        &deliver(0x40, 0, &[5, 0, 3, 7, 1, 1, b'x'], Vec::new()),
    );
    assert_eq!((one.place, odd.len()), (None, 0), "one of one stands alone");
}

#[test]
fn packed_septets_are_unpacked_behind_any_header() {
    let text = b"hellohello";
    for header in [&[][..], &[5, 0, 3, 7, 3, 2], &[6, 8, 4, 1, 7, 3, 2]] {
        let mut octets = header.to_vec();
        gsm7::pack(text, header.len(), &mut octets);
        let esm_class = if header.is_empty() { 0 } else { 0x40 };
        let (part, _) = read(&smpp(Alphabet::Gsm7Packed), &deliver(esm_class, 0, &octets, Vec::new()));
        assert_eq!(&part.octets[..], text, "{header:02x?}");
    }
    let (ucs2, _) = read(&smpp(Alphabet::Gsm7Packed), &deliver(0, 8, &[0, 0x61], Vec::new()));
    assert_eq!(&ucs2.octets[..], [0, 0x61], "no septets");
}

#[test]
fn the_carriers_name_is_read_and_zeros_name_nothing() {
    for (value, name) in [
        (&b"abc9\0"[..], "abc9"),
        (b"00", ""),
        (b"", ""),
        (&[b'7'; 200][..], &"7".repeat(64)[..]),
    ] {
        let tlvs = vec![Tlv::new(tag::RECEIPTED_MESSAGE_ID, value.to_vec())];
        let (part, _) = read(&smpp(Alphabet::Gsm7), &deliver(0, 0, b"x", tlvs));
        assert_eq!(part.name, name);
    }
}

/// Whatever octets come, they are read without a panic and none of them is lost but those of a header that was understood.
#[test]
fn any_octets_are_read() {
    let mut seed = 1_u32;
    for _ in 0..20_000 {
        let mut die = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as u8
        };
        let octets: Vec<u8> = (0..die() % 24).map(|_| die() % 12).collect();
        let (esm_class, data_coding) = (die() & 0x40, die());
        let alphabet = [Alphabet::Gsm7, Alphabet::Gsm7Packed][usize::from(die() & 1)];
        let (part, _) = read(&smpp(alphabet), &deliver(esm_class, data_coding, &octets, Vec::new()));
        if alphabet == Alphabet::Gsm7 {
            assert!(octets.ends_with(&part.octets), "{octets:02x?}");
        }
        let _ = part.charset.read(&part.octets);
    }
    let long = vec![b'9'; 300];
    let mut address = deliver(0, 0, b"x", Vec::new());
    address.source.value = String::from_utf8(long).unwrap();
    assert_eq!(read(&smpp(Alphabet::Gsm7), &address).0.from.len(), 32);
}

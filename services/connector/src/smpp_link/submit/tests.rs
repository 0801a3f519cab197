//! Parts as carriers see them.

use std::{sync::Arc, time::Duration};

use journey::Order;
use sms::{Class, Content, Encoding, Msisdn, Sender};
use source::Secret;

use super::*;
use crate::{
    Alphabet, Concatenation,
    fixture::{long_order, order},
    link::Tag,
    parts::{Cutting, Ready},
};

/// The first part of `order` as it goes over a link with this configuration.
fn first_part(order: Order, concatenation: Concatenation, change: impl FnOnce(&mut SmppConfig)) -> Submit {
    part(0, order, concatenation, change)
}

/// One part of it.
fn part(part: u8, order: Order, concatenation: Concatenation, change: impl FnOnce(&mut SmppConfig)) -> Submit {
    let mut config = SmppConfig::new("", "", Secret::new(""));
    change(&mut config);
    let cutting = Cutting {
        concatenation,
        alphabet: config.alphabet,
    };
    let job = Job {
        tag: Tag { flight: 1, part },
        ready: Arc::new(Ready::cut(order, cutting)),
        valid_for: Duration::from_secs(90),
        answer_timeout: Duration::from_secs(30),
    };
    submit(&config, &job)
}

fn plain(order: Order) -> Submit {
    first_part(order, Concatenation::Udh8, |_| {})
}

fn from(sender: &str) -> Submit {
    let mut order = order(1);
    order.message.from = Sender::new(sender).unwrap();
    plain(order)
}

#[test]
fn senders_carry_the_numbering_of_their_kind() {
    let numbering = |submit: Submit| (submit.source.ton, submit.source.npi, submit.source.value);
    assert_eq!(numbering(from("ACME")), (5, 0, "ACME".into()));
    assert_eq!(numbering(from("38000")), (3, 0, "38000".into()));
    assert_eq!(numbering(from("+447700900001")), (1, 1, "447700900001".into()));
}

#[test]
fn the_carrier_sees_what_the_mask_says() {
    let mut masked = order(1);
    masked.mask.from = Some(Sender::new("OTHER").unwrap());
    masked.mask.to = Some(Msisdn::new("447700900001").unwrap());
    masked.mask.content = Some((Content::Text("é日".into()), Encoding::Ucs2, 1));
    let submit = first_part(masked, Concatenation::Udh8, |config| {
        config.destination_prefix = "00".into()
    });
    assert_eq!(
        (submit.source.value.as_str(), submit.destination.value.as_str()),
        ("OTHER", "00447700900001")
    );
    assert_eq!(
        (submit.data_coding, submit.body.octets().as_ref()),
        (8, &[0x00, 0xE9, 0x65, 0xE5][..])
    );
}

#[test]
fn parts_of_a_long_message_carry_a_header_and_say_so() {
    for (concatenation, header) in [
        (Concatenation::Udh8, &[5, 0, 3, 1, 3, 1][..]),
        (Concatenation::Udh16, &[6, 8, 4, 0, 1, 4, 1]),
    ] {
        let submit = first_part(long_order(1, 3), concatenation, |_| {});
        assert_eq!(submit.esm_class, 0x40);
        assert!(submit.body.octets().starts_with(header), "{:?}", submit.body);
    }
}

#[test]
fn the_time_left_is_told_in_the_relative_form_unless_the_link_says_not_to() {
    assert_eq!(plain(order(1)).validity, "000000000130000R");
    let silent = first_part(order(1), Concatenation::Udh8, |config| {
        config.validity = Validity::Untold
    });
    assert_eq!(silent.validity, "");
}

#[test]
fn our_reference_is_the_low_half_of_the_id() {
    assert_eq!(plain(order(0xABCD_1234)).user_reference(), Some(0x1234));
}

#[test]
fn a_binary_message_goes_as_it_is_with_its_own_header() {
    let mut binary = order(1);
    binary.message.content = Content::Binary {
        data: vec![1, 2, 3].into(),
        header: Some(vec![4, 1, 9].into()),
    };
    binary.message.encoding = Encoding::Binary;
    let submit = plain(binary);
    assert_eq!((submit.data_coding, submit.esm_class), (4, 0x40));
    assert_eq!(submit.body.octets().as_ref(), [3, 4, 1, 9, 1, 2, 3]);
}

/// A message with this text.
fn saying(text: &str) -> Order {
    let mut order = order(0xABCD_1234);
    order.message.content = Content::Text(text.to_owned());
    let size = sms::count(&order.message.content);
    (order.message.encoding, order.message.segments) = (size.encoding, size.segments);
    order
}

#[test]
fn parts_tied_by_tlvs_have_no_header() {
    for (number, text) in [(0, "x".repeat(153)), (2, "x".repeat(3))] {
        let order = saying(&"x".repeat(153 * 2 + 3));
        let submit = part(number, order, Concatenation::Sar, |_| {});
        let place = submit.concatenation().unwrap();
        assert_eq!((place.reference, place.total, place.part), (0x1234, 3, number + 1));
        assert_eq!((submit.esm_class, submit.body.octets().as_ref()), (0, text.as_bytes()));
    }
    let short = first_part(saying("x"), Concatenation::Sar, |_| {});
    assert_eq!(short.concatenation(), None);
    let wide = part(1, saying(&"日".repeat(71)), Concatenation::Sar, |_| {});
    assert_eq!((wide.esm_class, wide.body.octets().len()), (0, 8));
}

#[test]
fn a_long_message_may_go_as_one_payload_for_the_carrier_to_cut() {
    let long = first_part(saying(&"x".repeat(400)), Concatenation::Payload, |_| {});
    assert_eq!(
        (long.esm_class, &long.body),
        (0, &Body::Payload("x".repeat(400).into()))
    );
    let short = first_part(saying(&"x".repeat(160)), Concatenation::Payload, |_| {});
    assert!(matches!(short.body, Body::ShortMessage(_)));
    let wide = first_part(saying(&"日".repeat(71)), Concatenation::Payload, |_| {});
    assert!(matches!(wide.body, Body::Payload(_)));
}

#[test]
fn text_is_written_in_the_carrier_s_alphabet() {
    let written = |text: &str, alphabet| {
        let submit = first_part(saying(text), Concatenation::Udh8, |config| config.alphabet = alphabet);
        (submit.data_coding, submit.body.octets().to_vec())
    };
    assert_eq!(written("é@$", Alphabet::Gsm7), (0, vec![0x05, 0x00, 0x02]));
    assert_eq!(written("é@$", Alphabet::Latin1), (0, vec![0xE9, b'@', b'$']));
    assert_eq!(written("a@$", Alphabet::Ascii), (0, b"a@$".to_vec()));
    assert_eq!(
        written("hello", Alphabet::Gsm7Packed),
        (0, vec![0xE8, 0x32, 0x9B, 0xFD, 0x06])
    );
    let as_ucs2 = |text: &str| (8, text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>());
    assert_eq!(written("10 €", Alphabet::Latin1), as_ucs2("10 €"), "not in Latin-1");
    assert_eq!(written("é", Alphabet::Ascii), as_ucs2("é"));
}

#[test]
fn a_header_stays_octets_whatever_the_alphabet() {
    for (alphabet, payload) in [
        (Alphabet::Latin1, 153),
        (Alphabet::Ascii, 153),
        // One bit of filling, then 153 septets.
        (Alphabet::Gsm7Packed, 134),
    ] {
        let submit = first_part(saying(&"x".repeat(200)), Concatenation::Udh8, |config| {
            config.alphabet = alphabet
        });
        assert!(
            submit.body.octets().starts_with(&[5, 0, 3, 0x34, 2, 1]),
            "{:?}",
            submit.body
        );
        assert_eq!((submit.esm_class, submit.body.octets().len()), (0x40, 6 + payload));
    }
}

#[test]
fn priority_follows_the_lane() {
    let priority = |class| {
        let mut order = order(1);
        order.message.class = class;
        first_part(order, Concatenation::Udh8, |config| config.priority = [3, 1, 0]).priority
    };
    assert_eq!(
        [Class::Otp, Class::Transactional, Class::Promotional].map(priority),
        [3, 1, 0]
    );
    assert_eq!(plain(order(1)).priority, 0);
}

/// The order has 90 seconds left, and its deadline is ten minutes after the start of the test's clock.
#[test]
fn a_validity_is_never_beyond_the_deadline_and_may_be_capped() {
    let validity = |validity, seconds| {
        let change = |config: &mut SmppConfig| {
            (config.validity, config.validity_max) = (validity, Duration::from_secs(seconds));
        };
        first_part(order(1), Concatenation::Udh8, change).validity
    };
    assert_eq!(validity(Validity::Absolute, 3_600), "260101001000000+");
    assert_eq!(validity(Validity::Absolute, 60), "260101000930000+");
    assert_eq!(validity(Validity::Relative, 60), "000000000100000R");
    assert_eq!(validity(Validity::Relative, 3_600), "000000000130000R");
}

#[test]
fn the_carrier_s_own_tlvs_go_with_every_message() {
    let own = Tlv::new(0x1400, &b"1101"[..]);
    let submit = first_part(order(1), Concatenation::Udh8, |config| {
        config.extra_tlvs = vec![own.clone()]
    });
    assert!(submit.tlvs.contains(&own), "{:?}", submit.tlvs);
}

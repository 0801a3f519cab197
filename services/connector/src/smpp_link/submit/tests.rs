//! Parts as carriers see them.

use std::{sync::Arc, time::Duration};

use journey::Order;
use sms::{Content, Encoding, Msisdn, Sender};
use source::Secret;

use super::*;
use crate::{
    Concatenation,
    fixture::{long_order, order},
    link::Tag,
    parts::Ready,
};

/// The first part of `order` as it goes over a link with this configuration.
fn first_part(order: Order, concatenation: Concatenation, change: impl FnOnce(&mut SmppConfig)) -> Submit {
    let mut config = SmppConfig::new("", "", Secret::new(""));
    change(&mut config);
    let job = Job {
        tag: Tag { flight: 1, part: 0 },
        ready: Arc::new(Ready::cut(order, concatenation)),
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
    let silent = first_part(order(1), Concatenation::Udh8, |config| config.validity = false);
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

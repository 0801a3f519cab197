//! Texts cut in every way that a link cuts them, and put together again.

use smpp::{Concatenation, Status};
use sms::{Content, Reference, UnixUs};

use super::{super::received::UDHI, *};

const LONG: &str = "Price: 5€ [each] @ {shop}~ and \"more\" to come, as long as it takes to need a third part of it all. \
                    Price: 5€ [each] @ {shop}~ and \"more\" to come, as long as it takes to need a third part of it all. \
                    Price: 5€ [each] @ {shop}~ and \"more\" to come, as long as it takes to need a third part of it all. \
                    The end, at last.";

/// A part as its `submit_sm` brought it.
fn part(octets: Bytes, is_headed: bool, place: Option<(u16, u8, u8)>, data_coding: u8) -> Received {
    Received {
        at: UnixUs(0),
        id: "1".to_owned(),
        answer: Some(Status::ROK),
        source: "ACME".to_owned(),
        destination: "447700900001".to_owned(),
        esm_class: if is_headed { UDHI } else { 0 },
        registered_delivery: 1,
        data_coding,
        octets,
        user_reference: None,
        concatenation: place.map(|(reference, total, part)| Concatenation { reference, total, part }),
    }
}

/// The parts of `text`, tied by headers, or by TLVs if they are not `is_headed`.
fn parts(text: &str, reference: Reference, is_headed: bool) -> Vec<Received> {
    let encoding = sms::encoding_of(text);
    let data_coding = if encoding == sms::Encoding::Ucs2 { 8 } else { 0 };
    let cut = sms::segment(&Content::Text(text.to_owned()), encoding, reference).unwrap();
    let total = cut.len() as u8;
    let number = match reference {
        Reference::Short(number) => number.into(),
        Reference::Long(number) => number,
    };
    let part = |(at, cut): (usize, &sms::Segment)| {
        let header = if is_headed { 0 } else { cut.header().len() };
        let place = (total > 1).then_some((number, total, at as u8 + 1));
        part(cut.octets().slice(header..), is_headed && total > 1, place, data_coding)
    };
    cut.iter().enumerate().map(part).collect()
}

#[test]
fn texts_cut_in_every_way_come_out_as_they_went_in() {
    let wide = "Zażółć gęślą jaźń 😀 ".repeat(12);
    let ways = [
        (Reference::Short(7), true),
        (Reference::Long(0x1234), true),
        (Reference::Short(7), false),
    ];
    for text in ["STOP", LONG, &wide] {
        for (reference, is_headed) in ways {
            let mut parts = parts(text, reference, is_headed);
            parts.reverse();
            let whole = reassemble(&parts);
            assert_eq!(whole.len(), 1, "{text}");
            assert_eq!(whole[0].text().as_deref(), Some(text));
            assert_eq!((whole[0].copies(), whole[0].is_whole()), (1, true));
        }
    }
    let payload = sms::whole(&Content::Text(LONG.to_owned()), sms::Encoding::Gsm7).unwrap();
    let whole = reassemble(&[part(payload.octets().clone(), false, None, 0)]);
    assert_eq!(whole[0].text().as_deref(), Some(LONG));
}

#[test]
fn a_missing_part_is_no_text_and_its_others_are_pieces_of_it() {
    let mut parts = parts(LONG, Reference::Short(7), true);
    parts.remove(1);
    let torn = reassemble(&parts);
    assert_eq!((torn[0].text(), torn[0].is_whole()), (None, false));
    let pieces: Vec<_> = torn[0].pieces().collect();
    assert_eq!(pieces.len(), 2);
    assert!(
        pieces.iter().all(|(_, piece)| LONG.contains(piece.as_str())),
        "{pieces:?}"
    );
}

#[test]
fn what_is_taken_twice_is_a_copy_and_what_is_refused_is_nothing() {
    let mut all = parts(LONG, Reference::Short(7), true);
    let mut refused = all[0].clone();
    refused.answer = Some(Status::RTHROTTLED);
    all.push(refused);
    assert_eq!(reassemble(&all)[0].copies(), 1);
    let mut again = all[0].clone();
    again.answer = None;
    all.push(again.clone());
    let twice = reassemble(&all);
    assert_eq!((twice.len(), twice[0].copies()), (1, 2));
    assert_eq!(twice[0].text().as_deref(), Some(LONG));
    let told: Vec<_> = twice[0].parts[&1].iter().map(|taken| taken.is_answered).collect();
    assert_eq!(told, [true, false]);
    again.octets = Bytes::from_static(b"\x05\0\x03\x07\x03\x01other");
    all.push(again);
    assert_eq!(reassemble(&all)[0].text(), None, "copies that differ are no text");
}

#[test]
fn messages_of_other_references_and_texts_stand_apart() {
    let mut all = parts(LONG, Reference::Short(7), true);
    all.extend(parts(LONG, Reference::Short(8), true));
    all.extend(parts("STOP", Reference::Short(0), true));
    all.extend(parts("START", Reference::Short(0), true));
    assert_eq!(reassemble(&all).len(), 4);
}

//! What a carrier hands over from a handset, in our words. Nothing is refused here: what makes no sense is left out and counted.

use bytes::Bytes;
use futures::{FutureExt as _, future::BoxFuture};
use signalbox_proto::pb::signalbox::{
    carrier::v1 as pb,
    sms::v1::{Binary, content::Body},
};
use sms::{Charset, Concatenation, InboundPart, Reference, inbound_address};
use tonic::Status;

use super::{
    client::Client,
    feed::{Kind, Stream},
    short,
};
use crate::inbound::among_several;

/// Longest name of a message kept, in characters.
const NAME_CHARS_MAX: usize = 64;
/// `data_coding` of octets that are no text (SMPP 3.4 §5.2.19).
const CODING_OCTETS: u8 = 0x04;

/// The stream of inbound messages.
pub(super) struct Messages;

impl Kind for Messages {
    type Request = pb::InboundRequest;
    type Response = pb::InboundResponse;
    type Item = (String, pb::InboundMessage);

    const NAME: &'static str = "Inbound";
    const WINDOW: u32 = 1_000;

    fn request(window: u32, confirmed: Vec<String>, again: Vec<String>) -> pb::InboundRequest {
        pb::InboundRequest {
            window,
            confirmed,
            again,
        }
    }

    fn open(mut client: Client, first: pb::InboundRequest) -> BoxFuture<'static, Result<Stream<Self>, Status>> {
        async move {
            let (requests, request) = client.stream(first);
            let responses = client.calls.inbound(request).await?.into_inner();
            Ok(Stream { requests, responses })
        }
        .boxed()
    }

    fn items(response: pb::InboundResponse) -> Vec<(String, Self::Item)> {
        let named = |mut message: pb::InboundMessage| {
            let id = std::mem::take(&mut message.inbound_id);
            (id.clone(), (short(&id, NAME_CHARS_MAX), message))
        };
        response.messages.into_iter().map(named).collect()
    }
}

/// What came under `name`, and what is odd about it.
pub(super) fn read((name, message): (String, pb::InboundMessage)) -> (InboundPart, Vec<&'static str>) {
    let mut odd = Vec::new();
    let address = |address: Option<pb::Address>| inbound_address(&address.unwrap_or_default().value);
    let place = message.part.and_then(|part| {
        let place = place(&part);
        odd.extend(place.is_none().then_some("inbound_place"));
        place.and_then(among_several)
    });
    let body = message.content.and_then(|content| content.body);
    odd.extend(body.is_none().then_some("inbound_empty"));
    let (charset, data_coding, header, octets) = match body {
        Some(Body::Binary(Binary { data, header })) => (Charset::Octets, CODING_OCTETS, header, data),
        Some(Body::Text(text)) => (Charset::Utf8, 0, Bytes::new(), text.into()),
        None => (Charset::Utf8, 0, Bytes::new(), Bytes::new()),
    };
    let part = InboundPart {
        from: address(message.from),
        to: address(message.to),
        charset,
        data_coding,
        header,
        octets,
        place,
        name,
    };
    (part, odd)
}

/// The place; `None` = there is no such.
fn place(part: &pb::Part) -> Option<Concatenation> {
    let (total, number) = (u8::try_from(part.total).ok()?, u8::try_from(part.number).ok()?);
    let reference = Reference::Long(u16::try_from(part.reference).ok()?);
    (1..=total).contains(&number).then_some(Concatenation {
        reference,
        total,
        part: number,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(body: Option<Body>, part: Option<pb::Part>) -> pb::InboundMessage {
        let address = |value: &str| {
            Some(pb::Address {
                value: value.to_owned(),
                ..pb::Address::default()
            })
        };
        pb::InboundMessage {
            from: address("+447700900123"),
            to: address("70001"),
            content: Some(signalbox_proto::pb::signalbox::sms::v1::Content { body }),
            part,
            ..pb::InboundMessage::default()
        }
    }

    fn read_one(message: pb::InboundMessage) -> (InboundPart, Vec<&'static str>) {
        read(("m-1".to_owned(), message))
    }

    #[test]
    fn a_text_comes_as_it_was_written_under_the_carrier_s_name() {
        let (part, odd) = read_one(message(Some(Body::Text("Łódź 😀".to_owned())), None));
        assert_eq!((&*part.from, &*part.to, &*part.name), ("447700900123", "70001", "m-1"));
        assert_eq!(part.charset.read(&part.octets).unwrap().text, "Łódź 😀");
        assert!(odd.is_empty());
    }

    #[test]
    fn octets_keep_their_header() {
        let binary = Binary {
            data: Bytes::from_static(&[1, 2]),
            header: Bytes::from_static(&[5, 4, 0, 1, 0, 2]),
        };
        let (part, _) = read_one(message(Some(Body::Binary(binary)), None));
        assert_eq!(
            (part.charset, part.data_coding, part.header.len()),
            (Charset::Octets, 4, 6)
        );
    }

    #[test]
    fn a_place_that_makes_no_sense_is_none_and_counted() {
        let of = |reference, total, number| {
            let part = pb::Part {
                reference,
                total,
                number,
            };
            let (part, odd) = read_one(message(Some(Body::Text(String::new())), Some(part)));
            (part.place.map(|place| (place.total, place.part)), odd)
        };
        assert_eq!(of(7, 3, 2), (Some((3, 2)), vec![]));
        assert_eq!(of(7, 1, 1), (None, vec![]), "alone");
        for (reference, total, number) in [(7, 3, 0), (7, 3, 4), (7, 256, 1), (70_000, 3, 1), (7, 0, 0)] {
            assert_eq!(of(reference, total, number), (None, vec!["inbound_place"]));
        }
    }

    #[test]
    fn what_says_nothing_at_all_is_an_empty_text() {
        let (part, odd) = read_one(message(None, None));
        assert_eq!((part.charset, part.octets.len()), (Charset::Utf8, 0));
        assert_eq!(odd, ["inbound_empty"]);
        let (part, _) = read_one(pb::InboundMessage::default());
        assert_eq!((&*part.from, &*part.to), ("", ""));
    }
}

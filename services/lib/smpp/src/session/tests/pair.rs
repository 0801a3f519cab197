//! Two sessions talking to each other, and sessions fed with anything in any pieces.

use proptest::prelude::*;

use super::*;

/// Carries octets between the two until both are silent; a server answers everything at once.
fn settle(client: &mut Subject, server: &mut Subject) {
    loop {
        let to_server: Vec<_> = octets(client);
        for input in to_server {
            server.give(input);
        }
        let answers: Vec<Input> = server.tickets().into_iter().map(answer).collect();
        server
            .outputs
            .retain(|output| matches!(output, Output::Write(_) | Output::Answered { .. } | Output::Close(_)));
        answers.into_iter().for_each(|input| server.give(input));
        let to_client = octets(server);
        if to_client.is_empty() && !client.outputs.iter().any(|output| matches!(output, Output::Write(_))) {
            return;
        }
        for input in to_client {
            client.give(input);
        }
        let answers: Vec<Input> = client.tickets().into_iter().map(Input::accept).collect();
        client
            .outputs
            .retain(|output| !matches!(output, Output::Delivered { .. }));
        answers.into_iter().for_each(|input| client.give(input));
    }
}

fn answer(ticket: Ticket) -> Input {
    Input::Answer {
        ticket,
        status: Status::ROK,
        message_id: format!("id-{}", ticket.sequence()),
    }
}

fn octets(subject: &mut Subject) -> Vec<Input> {
    let (writes, rest) = subject
        .outputs
        .drain(..)
        .partition(|output| matches!(output, Output::Write(_)));
    subject.outputs = rest;
    let octets = |output: Output| match output {
        Output::Write(octets) => Some(Input::Octets(octets)),
        _ => None,
    };
    Vec::into_iter(writes).filter_map(octets).collect()
}

/// Binds, submits, delivers and unbinds, with nothing but the two sessions.
#[test]
fn two_sessions_understand_each_other() {
    let mut client = Subject::client(ClientConfig {
        window: 100,
        ..ClientConfig::new("me", "secret")
    });
    let mut server = Subject::new(Session::server(ServerConfig::new("carrier")).unwrap());
    server.give(Input::Opened);
    settle(&mut client, &mut server);
    assert_eq!(client.told(), ["bound carrier"]);
    for tag in 0..100 {
        client.submit(tag);
    }
    settle(&mut client, &mut server);
    let expected: Vec<String> = (0..100).map(|tag| format!("{tag} accepted id-{}", tag + 2)).collect();
    assert_eq!(client.told(), expected);
    server.give(Input::Deliver {
        tag: 9,
        deliver: Deliver::default(),
        timeout: seconds(5),
    });
    settle(&mut client, &mut server);
    client.give(Input::Unbind);
    settle(&mut client, &mut server);
    assert_eq!(client.told(), ["close: unbound"]);
    assert_eq!(server.told(), ["9 accepted ", "close: the peer unbound"]);
}

/// A dialogue's outputs, without wake-ups and with what was written joined, as cutting moves those.
fn outputs(pieces: &[&[u8]], is_server: bool) -> (Vec<u8>, Vec<Output>) {
    let mut subject = if is_server {
        Subject::bound_server()
    } else {
        Subject::bound_client(10)
    };
    (0..5).for_each(|tag| subject.submit(tag));
    subject.forget();
    pieces.iter().for_each(|piece| subject.hear(piece));
    let mut written = Vec::new();
    subject.outputs.retain(|output| match output {
        Output::Write(octets) => {
            written.extend_from_slice(octets);
            false
        }
        Output::WakeAt(_) => false,
        _ => true,
    });
    (written, subject.outputs)
}

prop_compose! {
    /// A PDU a peer might send: a known or unknown command, any status, sequence and body.
    fn pdus()(
        command in prop_oneof![
            Just(1u32), Just(2), Just(4), Just(5), Just(6), Just(9), Just(0x15), Just(0x103), Just(0x102), Just(0x8000_0000),
            Just(0x8000_0004), Just(0x8000_0005), Just(0x8000_0006), Just(0x8000_0009), Just(0x8000_0015), any::<u32>()
        ],
        status in prop_oneof![Just(0u32), Just(0x58), any::<u32>()],
        sequence in prop_oneof![1u32..8, any::<u32>()],
        body in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..60),
            Just(b"\0\x01\x01447700900001\0\x05\0ACME\0\x04\0\0\0\0\0\0\0\0\x01x".to_vec()),
            Just(b"id\0".to_vec()),
        ],
    ) -> Vec<u8> {
        pdu(command, status, sequence, &body)
    }
}

proptest! {
    /// Feeds octets that are no PDUs at all.
    #[test]
    fn arbitrary_octets_never_panic(octets: Vec<u8>, is_server: bool) {
        outputs(&[&octets], is_server);
    }

    /// Feeds one stream of PDUs whole, cut in two at any point, and octet by octet.
    #[test]
    fn cutting_the_octets_changes_nothing(
        stream in proptest::collection::vec(pdus(), 1..8), at: prop::sample::Index, is_server: bool,
    ) {
        let octets = stream.concat();
        let whole = outputs(&[&octets], is_server);
        let (head, tail) = octets.split_at(at.index(octets.len()));
        prop_assert_eq!(&whole, &outputs(&[head, tail], is_server));
        let single: Vec<&[u8]> = octets.chunks(1).collect();
        prop_assert_eq!(&whole, &outputs(&single, is_server));
    }

    /// Whatever the peer sends, each request is answered exactly once by the time the connection is gone.
    #[test]
    fn every_request_is_answered_exactly_once(stream in proptest::collection::vec(pdus(), 0..12)) {
        let mut subject = Subject::bound_client(10);
        (0..5).for_each(|tag| subject.submit(tag));
        stream.iter().for_each(|pdu| subject.hear(pdu));
        subject.tick_at(seconds(20));
        subject.give(Input::Closed);
        let mut tags: Vec<u64> = subject.outputs.iter().filter_map(|output| match output {
            Output::Answered { tag, .. } => Some(*tag),
            _ => None,
        }).collect();
        tags.sort_unstable();
        prop_assert_eq!(tags, vec![0, 1, 2, 3, 4]);
    }
}

//! The session of a client, against a peer written by hand.

use super::*;

/// Body of a deliver_sm with the text "x".
const DELIVER: &[u8] = b"\0\x01\x01447700900001\0\x05\0ACME\0\x04\0\0\0\0\0\0\0\0\x01x";

#[test]
fn a_client_binds_as_soon_as_the_connection_stands() {
    let mut client = Subject::client(ClientConfig::new("me", "secret"));
    assert_eq!(client.told(), ["> bind ROK 1"]);
    client.hear(&pdu(0x8000_0009, 0, 1, b"carrier\0"));
    assert_eq!(client.told(), ["bound carrier"]);
    assert_eq!(client.session.slots_free(), 10);
}

#[test]
fn a_refused_bind_ends_the_session_and_says_why() {
    for body in [&b""[..], b"\0", b"carrier\0"] {
        let mut client = Subject::client(ClientConfig::new("me", "wrong"));
        client.forget();
        client.hear(&pdu(0x8000_0009, 0x0E, 1, body));
        assert_eq!(client.told(), ["close: the bind was refused: RINVPASWD"]);
    }
    let mut client = Subject::client(ClientConfig::new("me", "wrong"));
    client.forget();
    client.hear(&pdu(0x8000_0000, 3, 1, b""));
    assert_eq!(client.told(), ["close: the bind was refused: RINVCMDID"]);
}

#[test]
fn a_bind_that_gets_no_answer_times_out() {
    let mut client = Subject::client(ClientConfig::new("me", "secret"));
    client.forget();
    client.tick_at(seconds(9));
    assert_eq!(client.told(), [""; 0]);
    client.tick_at(seconds(10));
    assert_eq!(client.told(), ["close: no answer to the bind in time"]);
}

#[test]
fn credentials_that_do_not_fit_are_refused_before_connecting() {
    let error = Session::client(ClientConfig::new("me", "ninechars")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "password does not fit: at most 8 ASCII characters without NUL"
    );
}

#[test]
fn responses_may_come_out_of_order() {
    let mut client = Subject::bound_client(10);
    client.submit(70);
    client.submit(71);
    assert_eq!(client.told(), ["> submit ROK 2", "> submit ROK 3"]);
    client.hear(&[pdu(0x8000_0004, 0, 3, b"id-b\0"), pdu(0x8000_0004, 0, 2, b"id-a\0")].concat());
    assert_eq!(client.told(), ["71 accepted id-b", "70 accepted id-a"]);
}

/// The four bodies an error response comes with in the field, and a nack.
#[test]
fn an_error_response_is_taken_with_any_body() {
    for body in [
        &b""[..],
        b"\0",
        b"id\0",
        b"\0\x04\x23\0\x03\x03\0\x01",
        b"id\0\x14\0\0\x01x",
    ] {
        let mut client = Subject::bound_client(10);
        client.submit(7);
        client.forget();
        client.hear(&pdu(0x8000_0004, 0x58, 2, body));
        assert_eq!(client.told(), ["7 refused RTHROTTLED"]);
    }
    let mut client = Subject::bound_client(10);
    client.submit(7);
    client.forget();
    client.hear(&pdu(0x8000_0000, 0x02, 2, b""));
    assert_eq!(client.told(), ["7 refused RINVCMDLEN"]);
}

#[test]
fn an_overlong_message_id_is_kept_whole() {
    let mut client = Subject::bound_client(10);
    client.submit(7);
    client.forget();
    let id = "a".repeat(120);
    client.hear(&pdu(0x8000_0004, 0, 2, format!("{id}\0").as_bytes()));
    assert_eq!(client.told(), [format!("7 accepted {id}")]);
}

#[test]
fn a_full_window_sends_nothing_more() {
    let mut client = Subject::bound_client(1);
    client.submit(1);
    client.submit(2);
    assert_eq!(client.told(), ["> submit ROK 2", "2 NotSent(WindowFull)"]);
    client.hear(&pdu(0x8000_0004, 0, 2, b"a\0"));
    assert_eq!(client.session.slots_free(), 1);
}

#[test]
fn each_request_has_its_own_time_out() {
    let mut client = Subject::bound_client(10);
    client.submit(30);
    client.give(Input::Submit {
        tag: 2,
        submit: hello(),
        timeout: seconds(2),
    });
    client.forget();
    assert_eq!(client.session.wake_at(), Some(seconds(2)));
    client.tick_at(seconds(2));
    assert_eq!(client.told(), ["2 TimedOut"]);
    assert_eq!(client.session.slots_free(), 9, "its place in the window is free");
    assert_eq!(client.session.wake_at(), Some(seconds(30)));
}

#[test]
fn a_late_response_is_told_once_and_a_second_one_is_stray() {
    let mut client = Subject::bound_client(10);
    client.submit(7);
    client.tick_at(seconds(30));
    client.forget();
    client.hear(&pdu(0x8000_0004, 0, 2, b"a\0"));
    client.hear(&pdu(0x8000_0004, 0, 2, b"a\0"));
    assert_eq!(client.told(), ["7 late accepted a", "StrayResponse(2147483652)"]);
}

#[test]
fn enquire_link_is_sent_only_when_idle_and_two_missed_end_the_session() {
    let mut client = Subject::bound_client(10);
    client.now = seconds(20);
    client.hear(&pdu(0x15, 0, 9, b""));
    assert_eq!(client.told(), ["> enquire_resp ROK 9"]);
    client.tick_at(seconds(49));
    assert_eq!(client.told(), [""; 0]);
    client.tick_at(seconds(50));
    assert_eq!(client.told(), ["> enquire ROK 2"]);
    client.tick_at(seconds(80));
    assert_eq!(client.told(), ["> enquire ROK 3"]);
    client.tick_at(seconds(110));
    assert_eq!(client.told(), ["close: the peer is silent"]);
}

#[test]
fn a_sign_of_life_that_was_asked_for_is_told_and_one_that_was_not_is_none() {
    let mut client = Subject::bound_client(10);
    client.give(Input::Enquire { tag: 7 });
    client.give(Input::Enquire { tag: 8 });
    assert_eq!(client.told(), ["> enquire ROK 2", "> enquire ROK 3"]);
    client.hear(&pdu(0x8000_0015, 0, 3, b""));
    client.hear(&pdu(0x8000_0015, 0, 9, b""));
    client.hear(&pdu(0x8000_0015, 0, 3, b""));
    assert_eq!(client.told(), ["8 alive"]);
    client.hear(&pdu(0x8000_0015, 0, 2, b""));
    assert_eq!(client.told(), ["7 alive"]);
}

#[test]
fn nothing_is_asked_before_the_bind_or_while_too_many_questions_are_open() {
    let mut client = Subject::client(ClientConfig::new("me", "secret"));
    client.forget();
    client.give(Input::Enquire { tag: 1 });
    assert_eq!(client.told(), [""; 0]);
    let mut client = Subject::bound_client(10);
    (0..100).for_each(|tag| client.give(Input::Enquire { tag }));
    assert_eq!(client.told().len(), 64);
}

#[test]
fn any_sign_of_life_starts_the_idle_time_anew() {
    let mut client = Subject::bound_client(10);
    client.tick_at(seconds(30));
    client.now = seconds(31);
    client.hear(&pdu(0x8000_0015, 0, 2, b""));
    client.forget();
    client.tick_at(seconds(60));
    assert_eq!(client.told(), [""; 0]);
    assert_eq!(client.session.wake_at(), Some(seconds(61)));
}

#[test]
fn enquire_link_is_answered_before_the_bind_and_never_asked() {
    let mut client = Subject::client(ClientConfig::new("me", "secret"));
    client.forget();
    client.hear(&pdu(0x15, 0, 4, b""));
    assert_eq!(client.told(), ["> enquire_resp ROK 4"]);
}

#[test]
fn an_unknown_command_costs_a_nack_and_nothing_else() {
    let mut client = Subject::bound_client(10);
    client.hear(&[pdu(0x777, 0, 5, b"what?"), pdu(0x15, 0, 6, b"")].concat());
    assert_eq!(
        client.told(),
        ["UnknownCommand(1911)", "> nack RINVCMDID 5", "> enquire_resp ROK 6"]
    );
}

#[test]
fn a_body_that_cannot_be_read_costs_a_nack_and_nothing_else() {
    let mut client = Subject::bound_client(10);
    client.hear(&[pdu(5, 0, 5, b"\0\x01"), pdu(5, 0, 6, DELIVER)].concat());
    assert_eq!(
        client.told(),
        ["UnreadableBody(5)", "delivered 6", "> nack RINVCMDLEN 5"]
    );
}

#[test]
fn a_length_that_cannot_be_ends_the_session() {
    for length in [0u32, 15, PDU_OCTETS_MAX as u32 + 1, u32::MAX] {
        let mut client = Subject::bound_client(10);
        client.submit(7);
        client.forget();
        client.hear(&length.to_be_bytes());
        assert_eq!(
            client.told(),
            [
                "7 Lost".to_owned(),
                "> nack RINVCMDLEN 0".into(),
                format!("close: the peer sent a PDU of {length} octets")
            ]
        );
        client.hear(&pdu(0x15, 0, 6, b""));
        client.submit(8);
        assert_eq!(client.told(), ["8 NotSent(NotBound)"]);
    }
}

#[test]
fn a_delivery_is_answered_when_the_caller_says_so() {
    let mut client = Subject::bound_client(10);
    client.hear(&pdu(5, 0, 5, DELIVER));
    client.hear(&pdu(
        0x103,
        0,
        6,
        b"\0\x01\x01447700900001\0\x05\0ACME\0\x04\0\0\x04\x24\0\x01x",
    ));
    let [sms, data] = client.tickets()[..] else {
        panic!("two deliveries")
    };
    assert_eq!(client.told(), ["delivered 5", "delivered 6"]);
    client.give(Input::accept(data));
    client.give(Input::refuse(sms, Status::RMSGQFUL));
    assert_eq!(client.told(), ["> data_resp ROK 6", "> deliver_resp RMSGQFUL 5"]);
}

#[test]
fn unbinding_waits_for_what_is_open() {
    let mut client = Subject::bound_client(10);
    client.submit(7);
    client.hear(&pdu(5, 0, 5, DELIVER));
    let ticket = client.tickets()[0];
    client.forget();
    client.give(Input::Unbind);
    client.submit(8);
    client.hear(&pdu(0x8000_0004, 0, 2, b"a\0"));
    assert_eq!(client.told(), ["8 NotSent(NotBound)", "7 accepted a"]);
    client.give(Input::accept(ticket));
    assert_eq!(client.told(), ["> deliver_resp ROK 5", "> unbind ROK 3"]);
    client.hear(&pdu(0x8000_0006, 0, 3, b""));
    assert_eq!(client.told(), ["close: unbound"]);
}

#[test]
fn unbinding_does_not_wait_for_ever() {
    let mut client = Subject::bound_client(10);
    client.give(Input::Submit {
        tag: 7,
        submit: hello(),
        timeout: seconds(600),
    });
    client.give(Input::Unbind);
    client.forget();
    client.tick_at(seconds(30));
    assert_eq!(client.told(), ["> enquire ROK 3", "> unbind ROK 4"]);
    client.tick_at(seconds(35));
    assert_eq!(client.told(), ["7 Lost", "close: no answer to the unbind in time"]);
}

#[test]
fn the_peers_unbind_is_answered_once_nothing_is_open() {
    let mut client = Subject::bound_client(10);
    client.submit(7);
    client.forget();
    client.hear(&pdu(6, 0, 9, b""));
    client.submit(8);
    assert_eq!(client.told(), ["unbinding", "8 NotSent(NotBound)"]);
    client.hear(&pdu(0x8000_0004, 0, 2, b"a\0"));
    assert_eq!(
        client.told(),
        ["7 accepted a", "> unbind_resp ROK 9", "close: the peer unbound"]
    );
}

#[test]
fn a_lost_connection_ends_every_open_request() {
    let mut client = Subject::bound_client(10);
    client.submit(7);
    client.submit(8);
    client.forget();
    client.give(Input::Closed);
    assert_eq!(client.told(), ["7 Lost", "8 Lost", "close: the connection was lost"]);
    assert_eq!(client.session.wake_at(), None);
}

#[test]
fn a_peer_that_tells_no_version_gets_no_tlvs() {
    let tlv = |policy| {
        let mut client = Subject::client(ClientConfig {
            tlvs: policy,
            ..ClientConfig::new("me", "secret")
        });
        client.hear(&pdu(0x8000_0009, 0, 1, b"carrier\0"));
        client.forget();
        let tlvs = vec![Tlv::number(tag::USER_MESSAGE_REFERENCE, 7)];
        client.give(Input::Submit {
            tag: 1,
            submit: Submit { tlvs, ..hello() },
            timeout: seconds(1),
        });
        let Some(Output::Write(octets)) = client.outputs.first() else {
            panic!("nothing written")
        };
        let count = crate::decode::submit(&octets[16..]).unwrap().tlvs.len();
        client.forget();
        let body = Body::Payload(Bytes::from_static(b"long"));
        client.give(Input::Submit {
            tag: 2,
            submit: Submit { body, ..hello() },
            timeout: seconds(1),
        });
        (count, client.told())
    };
    assert_eq!(tlv(TlvPolicy::Auto), (0, vec!["2 NotSent(NeedsTlvs)".to_owned()]));
    assert_eq!(tlv(TlvPolicy::Always), (1, vec!["> submit ROK 3".to_owned()]));
}

#[test]
fn sequence_numbers_wrap_to_one_and_skip_those_in_use() {
    let mut client = Subject::bound_client(10);
    client.submit(1);
    client.session.sequence_next = SEQUENCE_MAX;
    client.submit(2);
    client.submit(3);
    client.submit(4);
    assert_eq!(
        client.told(),
        [
            "> submit ROK 2",
            "> submit ROK 2147483647",
            "> submit ROK 1",
            "> submit ROK 3"
        ]
    );
}

#[test]
fn octets_of_one_call_leave_in_one_write() {
    let mut client = Subject::bound_client(500);
    let submits = (0..500).map(|tag| Input::Submit {
        tag,
        submit: hello(),
        timeout: seconds(30),
    });
    let mut outputs = Vec::new();
    client.session.handle_all(client.now, submits, &mut outputs);
    let writes = outputs
        .iter()
        .filter(|output| matches!(output, Output::Write(_)))
        .count();
    assert_eq!(writes, 1);
    assert_eq!(client.session.in_flight(), 500);
}

#[test]
fn a_submission_that_does_not_fit_takes_no_place_in_the_window() {
    let mut client = Subject::bound_client(1);
    let submit = Submit {
        source: Address::sender(&"x".repeat(21)),
        ..hello()
    };
    client.give(Input::Submit {
        tag: 1,
        submit,
        timeout: seconds(1),
    });
    assert!(client.told()[0].starts_with("1 NotSent(Invalid"));
    assert_eq!(client.session.slots_free(), 1);
}

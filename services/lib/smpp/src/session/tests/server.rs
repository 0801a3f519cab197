//! The session of a carrier, against a peer written by hand.

use super::*;

/// Body of a submit_sm with the text "hi".
const SUBMIT: &[u8] = b"\0\x05\0ACME\0\x01\x01447700900001\0\0\0\0\0\0\x01\0\0\0\x02hi";

fn open() -> Subject {
    let mut server = Subject::new(Session::server(ServerConfig::new("carrier")).unwrap());
    server.give(Input::Opened);
    server.forget();
    server
}

#[test]
fn a_server_asks_its_caller_about_a_bind() {
    let mut server = open();
    server.hear(&pdu(9, 0, 4, b"me\0secret\0\0\x34\0\0\0"));
    let ticket = server.tickets()[0];
    assert_eq!(server.told(), ["bind asked by me"]);
    server.give(Input::accept(ticket));
    assert_eq!(server.told(), ["bound", "> bind_resp ROK 4"]);
}

#[test]
fn a_refused_bind_is_answered_and_closed() {
    let mut server = open();
    server.hear(&pdu(9, 0, 4, b"me\0wrong\0\0\x34\0\0\0"));
    let ticket = server.tickets()[0];
    server.forget();
    server.give(Input::refuse(ticket, Status::RINVPASWD));
    assert_eq!(
        server.told(),
        ["> bind_resp RINVPASWD 4", "close: the bind was refused: RINVPASWD"]
    );
}

#[test]
fn a_second_bind_and_a_submission_before_the_bind_are_refused() {
    let mut server = open();
    server.hear(&pdu(4, 0, 3, SUBMIT));
    assert_eq!(server.told(), ["> submit_resp RINVBNDSTS 3"]);
    let mut server = Subject::bound_server();
    server.hear(&pdu(9, 0, 5, b"me\0secret\0\0\x34\0\0\0"));
    assert_eq!(server.told(), ["> bind_resp RALYBND 5"]);
}

#[test]
fn a_receiver_may_not_submit() {
    let mut server = open();
    server.hear(&pdu(1, 0, 1, b"me\0secret\0\0\x34\0\0\0"));
    let ticket = server.tickets()[0];
    server.give(Input::accept(ticket));
    server.forget();
    server.hear(&pdu(4, 0, 3, SUBMIT));
    assert_eq!(server.told(), ["> submit_resp RINVBNDSTS 3"]);
}

#[test]
fn no_bind_in_time_ends_the_session() {
    let mut server = open();
    server.tick_at(seconds(10));
    assert_eq!(server.told(), ["close: no answer to the bind in time"]);
}

#[test]
fn submissions_are_answered_one_by_one() {
    let mut server = Subject::bound_server();
    server.hear(&[pdu(4, 0, 2, SUBMIT), pdu(4, 0, 3, SUBMIT)].concat());
    let [first, second] = server.tickets()[..] else {
        panic!("two submissions")
    };
    assert_eq!(server.told(), ["submitted 2", "submitted 3"]);
    server.give(Input::Answer {
        ticket: second,
        status: Status::ROK,
        message_id: "id".into(),
    });
    server.give(Input::refuse(first, Status::RTHROTTLED));
    let refused = server.outputs.iter().find_map(|output| match output {
        Output::Write(octets) if octets.len() == 16 => Some(octets.len()),
        _ => None,
    });
    assert_eq!(refused, Some(16), "a refusal is a header alone");
    assert_eq!(server.told(), ["> submit_resp ROK 3", "> submit_resp RTHROTTLED 2"]);
}

#[test]
fn a_clients_unbind_waits_for_its_answers() {
    let mut server = Subject::bound_server();
    server.hear(&[pdu(4, 0, 2, SUBMIT), pdu(6, 0, 3, b"")].concat());
    let ticket = server.tickets()[0];
    assert_eq!(server.told(), ["submitted 2", "unbinding"]);
    server.give(Input::accept(ticket));
    assert_eq!(
        server.told(),
        ["> submit_resp ROK 2", "> unbind_resp ROK 3", "close: the peer unbound"]
    );
}

#[test]
fn deliveries_are_answered_like_submissions() {
    let mut server = Subject::bound_server();
    for tag in [1, 2] {
        server.give(Input::Deliver {
            tag,
            deliver: Deliver::default(),
            timeout: seconds(5),
        });
    }
    assert_eq!(server.told(), ["> deliver ROK 1", "> deliver ROK 2"]);
    server.hear(&[pdu(0x8000_0005, 0, 1, b"\0"), pdu(0x8000_0005, 0x14, 2, b"")].concat());
    assert_eq!(server.told(), ["1 accepted ", "2 refused RMSGQFUL"]);
}

#[test]
fn an_answer_that_does_not_fit_becomes_a_system_error() {
    let mut server = Subject::bound_server();
    server.hear(&pdu(4, 0, 2, SUBMIT));
    let ticket = server.tickets()[0];
    server.forget();
    server.give(Input::Answer {
        ticket,
        status: Status::ROK,
        message_id: "x".repeat(65),
    });
    assert!(server.told().contains(&"> submit_resp RSYSERR 2".to_owned()));
}

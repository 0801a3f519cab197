//! A client over a real socket talks to a carrier in this process. Nothing is decided by time: each wait is for an event.

mod client;
mod manners;
mod words;

use std::io::Write as _;
use std::time::Duration;

use smpp::{Answer, BindKind, Input, Output, Status, parse_receipt};
use sms::ReceiptState;

use super::*;
use client::Client;

async fn start(config: Config) -> Handle {
    Smsc::start(config).await.unwrap()
}

/// A carrier that behaves so, and a client of it.
async fn behaving(behaviour: Behaviour) -> (Handle, Client) {
    let carrier = start(Config {
        behaviour,
        ..Config::default()
    })
    .await;
    let client = Client::bind(carrier.addr()).await;
    (carrier, client)
}

/// The result of each submission, by its tag.
fn answers(outputs: &[Output]) -> Vec<(u64, Answer)> {
    let answer = |output: &Output| match output {
        Output::Answered { tag, answer } => Some((*tag, answer.clone())),
        _ => None,
    };
    outputs.iter().filter_map(answer).collect()
}

fn ids(outputs: &[Output]) -> Vec<String> {
    let id = |(_, answer)| match answer {
        Answer::Accepted(reply) => Some(reply.message_id),
        _ => None,
    };
    answers(outputs).into_iter().filter_map(id).collect()
}

fn states(mut receipts: Vec<smpp::Deliver>) -> Vec<(String, ReceiptState)> {
    let read = |deliver: smpp::Deliver| {
        let receipt = parse_receipt(&deliver).unwrap();
        (receipt.id.unwrap(), receipt.state.unwrap())
    };
    receipts.drain(..).map(read).collect()
}

#[tokio::test]
async fn messages_are_answered_logged_and_receipted() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("atlas.log");
    let carrier = start(Config {
        name: "atlas".into(),
        log: Some(log.clone()),
        ..Config::default()
    })
    .await;
    let mut client = Client::bind(carrier.addr()).await;
    client.submit(1, client::message(b"hello")).await;
    client.submit(2, client::part(0x1234, 3, 2)).await;
    let outputs = client.until_answered(2).await;
    let receipts = client.until_delivered(2).await;
    let of_receipts: Vec<String> = states(receipts).into_iter().map(|(id, _)| id).collect();
    assert_eq!(of_receipts, ids(&outputs));
    client.settled(&carrier, |counts| counts.receipts_taken == 2).await;

    let received = carrier.received();
    assert_eq!(&received[0].octets[..], b"hello");
    assert_eq!(received[0].user_reference, Some(7));
    assert_eq!(received[0].destination, "447700900001");
    assert_eq!(
        received[1].concatenation,
        Some(smpp::Concatenation {
            reference: 0x1234,
            total: 3,
            part: 2
        })
    );
    assert_eq!(read_log(&log).unwrap(), received);
    drop(client);
    carrier.stop().await;
    assert_eq!(read_log(&log).unwrap(), received);
}

#[tokio::test]
async fn only_who_is_known_may_bind() {
    let known = |id: &str, word: &str| (Some(id.to_owned()), Some(word.to_owned()));
    let (system_id, password) = known("me", "secret");
    let carrier = start(Config {
        system_id,
        password,
        ..Config::default()
    })
    .await;
    assert_eq!(
        Client::try_bind(carrier.addr(), "me", "wrong").await.err(),
        Some(Status::RINVPASWD)
    );
    assert_eq!(
        Client::try_bind(carrier.addr(), "you", "secret").await.err(),
        Some(Status::RINVSYSID)
    );
    assert!(Client::try_bind(carrier.addr(), "me", "secret").await.is_ok());
    assert_eq!((carrier.counts().binds, carrier.counts().binds_refused), (1, 2));
}

#[tokio::test]
async fn errors_come_as_often_as_asked_and_alike_for_one_seed() {
    async fn run(seed: u64) -> Vec<(u64, Answer)> {
        let behaviour = Behaviour {
            error_rate: 0.2,
            error_statuses: vec![Status::RINVDSTADR, Status(0x4A1)],
            throttle_rate: 0.2,
            receipts: ReceiptMix::none(),
            ..Behaviour::default()
        };
        let carrier = start(Config {
            seed,
            behaviour,
            ..Config::default()
        })
        .await;
        let mut client = Client::bind(carrier.addr()).await;
        for tag in 0..500 {
            client.submit(tag, client::message(b"hello")).await;
        }
        let outputs = client.until_answered(500).await;
        answers(&outputs)
            .into_iter()
            .filter(|(_, answer)| matches!(answer, Answer::Refused(..)))
            .collect()
    }
    let refused = run(7).await;
    let with = |status| {
        refused
            .iter()
            .filter(|(_, answer)| matches!(answer, Answer::Refused(s, _) if *s == status))
            .count()
    };
    let (throttled, barred, vendor) = (with(Status::RTHROTTLED), with(Status::RINVDSTADR), with(Status(0x4A1)));
    assert_eq!(throttled + barred + vendor, refused.len());
    assert!((60..140).contains(&throttled) && (25..80).contains(&barred) && (25..80).contains(&vendor));
    assert_eq!(run(7).await, refused);
    assert_ne!(run(8).await, refused);
}

#[tokio::test]
async fn a_message_taken_without_an_answer_is_logged_so() {
    let (carrier, mut client) = behaving(Behaviour {
        drop_rate: 1.0,
        ..Behaviour::default()
    })
    .await;
    client.submit(1, client::message(b"hello")).await;
    let receipts = client.until_delivered(1).await;
    let received = carrier.received();
    assert_eq!((received[0].answer, received[0].was_taken()), (None, true));
    assert_eq!(states(receipts), [(received[0].id.clone(), ReceiptState::Delivered)]);
}

#[tokio::test]
async fn receipts_wait_for_a_client_and_come_again_until_taken() {
    let carrier = start(Config {
        receipt_retry: Duration::ZERO,
        ..Config::default()
    })
    .await;
    let mut transmitter = Client::bind_as(carrier.addr(), BindKind::Transmitter).await;
    transmitter.submit(1, client::message(b"hello")).await;
    let id = ids(&transmitter.until_answered(1).await).remove(0);
    drop(transmitter);
    assert_eq!(carrier.counts().receipts_waiting, 1);

    let mut deaf = Client::bind(carrier.addr()).await;
    let (ticket, _) = deaf.next_delivered().await;
    deaf.give(Input::refuse(ticket, Status::RMSGQFUL)).await;
    let _unanswered = deaf.next_delivered().await;
    drop(deaf);

    let mut client = Client::bind(carrier.addr()).await;
    let receipts = client.until_delivered(1).await;
    assert_eq!(states(receipts), [(id, ReceiptState::Delivered)]);
    client.settled(&carrier, |counts| counts.receipts_taken == 1).await;
    assert_eq!(
        (carrier.counts().receipts_again, carrier.counts().receipts_waiting),
        (2, 0)
    );
}

#[tokio::test]
async fn a_receiver_gets_the_receipts_of_a_transmitter() {
    let carrier = start(Config::default()).await;
    let mut receiver = Client::bind_as(carrier.addr(), BindKind::Receiver).await;
    let mut transmitter = Client::bind_as(carrier.addr(), BindKind::Transmitter).await;
    transmitter.submit(1, client::message(b"hello")).await;
    assert_eq!(receiver.until_delivered(1).await.len(), 1);
}

#[tokio::test]
async fn receipts_tell_every_state_in_its_share() {
    let receipts: ReceiptMix = "DELIVRD=2,UNDELIV/027=1,NONE=1".parse().unwrap();
    let behaviour = Behaviour {
        receipts,
        ..Behaviour::default()
    };
    let carrier = start(Config {
        behaviour,
        receipt_tlvs: false,
        ..Config::default()
    })
    .await;
    let mut client = Client::bind(carrier.addr()).await;
    for tag in 0..400 {
        client.submit(tag, client::message(b"hello")).await;
    }
    client.until_answered(400).await;
    client
        .settled(&carrier, |counts| counts.receipts_taken == counts.receipts)
        .await;
    let delivers = client.take_delivered();
    let undelivered: Vec<_> = delivers
        .iter()
        .filter_map(parse_receipt)
        .filter(|r| r.state == Some(ReceiptState::Undeliverable))
        .collect();
    assert!((250..350).contains(&delivers.len()), "{}", delivers.len());
    assert!((60..140).contains(&undelivered.len()), "{}", undelivered.len());
    assert!(undelivered.iter().all(|receipt| receipt.error_code() == "027"));
}

#[tokio::test]
async fn the_wish_for_receipts_is_kept() {
    let carrier = start(Config::default()).await;
    let mut client = Client::bind(carrier.addr()).await;
    for registered_delivery in [0, 2, 1] {
        let submit = smpp::Submit {
            registered_delivery,
            ..client::message(b"hello")
        };
        client.submit(registered_delivery.into(), submit).await;
    }
    let outputs = client.until_answered(3).await;
    let receipts = client.until_delivered(1).await;
    assert_eq!(states(receipts), [(ids(&outputs).remove(2), ReceiptState::Delivered)]);
    assert_eq!(carrier.counts().receipts_waiting, 0);
}

#[tokio::test]
async fn ids_are_written_as_told_in_both_places() {
    let carrier = start(Config {
        ids: "padded-dec".parse().unwrap(),
        ..Config::default()
    })
    .await;
    let mut client = Client::bind(carrier.addr()).await;
    client.submit(1, client::message(b"hello")).await;
    let id = ids(&client.until_answered(1).await).remove(0);
    let receipt = states(client.until_delivered(1).await).remove(0).0;
    assert_ne!(id, receipt);
    let formats = smpp::IdFormats {
        response: smpp::IdFormat::Hex,
        receipt: smpp::IdFormat::Dec,
    };
    assert_eq!(formats.of_response(&id), formats.of_receipt(&receipt));
}

#[tokio::test]
async fn a_connection_is_cut_after_so_many_messages_and_the_client_may_come_back() {
    let (carrier, mut client) = behaving(Behaviour {
        disconnect_after: Some(3),
        ..Behaviour::default()
    })
    .await;
    for tag in 0..3 {
        client.submit(tag, client::message(b"hello")).await;
    }
    let outputs = client.until_closed().await;
    assert_eq!(answers(&outputs).len(), 3);
    assert_eq!(answers(&outputs).pop().unwrap().1, Answer::Lost);
    assert_eq!(carrier.received().len(), 3, "what was cut off was taken all the same");
    let mut client = Client::bind(carrier.addr()).await;
    client.until_delivered(3).await;
}

#[tokio::test]
async fn a_closed_carrier_takes_nobody_until_it_opens() {
    let carrier = start(Config::default()).await;
    let mut client = Client::bind(carrier.addr()).await;
    carrier.set_open(false);
    client.until_closed().await;
    assert_eq!(
        Client::try_bind(carrier.addr(), "me", "secret").await.err(),
        Some(client::LOST)
    );
    carrier.set_open(true);
    Client::bind(carrier.addr()).await;
}

#[tokio::test]
async fn stopping_unbinds_and_killing_does_not() {
    let carrier = start(Config::default()).await;
    let mut client = Client::bind(carrier.addr()).await;
    let (outputs, ()) = tokio::join!(client.until_closed(), carrier.stop());
    assert!(outputs.contains(&Output::Unbinding));

    let carrier = start(Config::default()).await;
    let mut client = Client::bind(carrier.addr()).await;
    carrier.kill();
    let outputs = client.until_closed().await;
    assert!(!outputs.contains(&Output::Unbinding));
}

#[tokio::test]
async fn a_carrier_started_again_sends_the_receipts_it_owes_and_repeats_no_id() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("atlas.log");
    for ids in ["hex", "padded", "dec", "uuid"] {
        let _ = std::fs::remove_file(&log);
        let config = Config {
            log: Some(log.clone()),
            ids: ids.parse().unwrap(),
            ..Config::default()
        };
        let carrier = start(config.clone()).await;
        let mut transmitter = Client::bind_as(carrier.addr(), BindKind::Transmitter).await;
        transmitter.submit(1, client::message(b"hello")).await;
        let owed = self::ids(&transmitter.until_answered(1).await);
        carrier.kill();
        std::fs::OpenOptions::new()
            .append(true)
            .open(&log)
            .unwrap()
            .write_all(b"1795262")
            .unwrap();

        let carrier = start(config.clone()).await;
        let mut client = Client::bind(carrier.addr()).await;
        client.submit(1, client::message(b"hello")).await;
        let new = self::ids(&client.until_answered(1).await);
        let receipts = states(client.until_delivered(2).await);
        assert_eq!(receipts[0].0, owed[0]);
        assert_eq!(receipts[1].0, new[0]);
        client.settled(&carrier, |counts| counts.receipts_taken == 2).await;
        carrier.kill();

        assert_eq!(read_log(&log).unwrap().len(), 2);
        let told: Vec<_> = read_receipts(&log)
            .unwrap()
            .into_iter()
            .map(|receipt| (receipt.id, receipt.state))
            .collect();
        assert_eq!(told, receipts);
        assert_eq!(start(config).await.counts().receipts, 0, "nothing is owed any more");
    }
}

#[tokio::test]
async fn beyond_its_throughput_a_carrier_throttles() {
    let (carrier, mut client) = behaving(Behaviour {
        throughput: Some(0),
        ..Behaviour::default()
    })
    .await;
    for tag in 0..50 {
        client.submit(tag, client::message(b"hello")).await;
    }
    client.until_answered(50).await;
    let counts = carrier.counts();
    assert_eq!(
        (counts.accepted, counts.throttled),
        (1, 49),
        "one is free, and nothing comes after it"
    );
}

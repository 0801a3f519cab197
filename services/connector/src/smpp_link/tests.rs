//! The connector over real TCP against a simulated carrier that speaks SMPP.

mod binds;
mod congestion;
mod dialects;
mod everything;
mod faulty;
mod peer;
mod peers;
mod tap;
mod tls;

use std::{sync::atomic::Ordering, time::Duration};

use bytes::BytesMut;
use service::{Stop, StopHandle, Tasks};
use signalbox_loadtest::smsc::{Behaviour, Config as CarrierConfig, Delay, Handle, IdStyle, IdStyles, Smsc};
use signalbox_proto::{record, topics};
use smpp::{Answer, Body, Deliver, IdFormat, IdFormats, Input, Output, ServerConfig, Session, Status};
use sms::{Carriers, ReceiptState};
use source::Secret;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::{SmppConfig, time};
use crate::{
    Deps, Error, LinkConfig, LinkKind,
    fixture::{World, carrier, connector_of, long_order, order},
};

/// A connector with one link to a carrier of its own.
struct Running {
    world: World,
    carrier: Handle,
    stop: StopHandle,
    service: Tasks<Result<(), Error>>,
}

impl Running {
    async fn start() -> Self {
        Self::start_with(CarrierConfig::default(), |_| {}).await
    }

    async fn start_with(config: CarrierConfig, change: impl FnOnce(&mut SmppConfig)) -> Self {
        let carrier = Smsc::start(config).await.unwrap();
        let world = World::new(&["atlas"]).await;
        let (stop, service) = connect(&world, carrier.addr().to_string(), change);
        Self {
            world,
            carrier,
            stop,
            service,
        }
    }

    /// Waits until there are so many outcomes, and says them.
    async fn said(&self, outcomes: usize) -> Vec<String> {
        until(async || self.world.said().await.len() >= outcomes).await;
        self.world.said().await
    }

    async fn stopped(mut self) -> Result<(), Error> {
        self.stop.request();
        self.service.join_next().await.unwrap().unwrap()
    }
}

fn connect(
    world: &World,
    address: String,
    change: impl FnOnce(&mut SmppConfig),
) -> (StopHandle, Tasks<Result<(), Error>>) {
    connect_with(world, address, |link| match &mut link.kind {
        LinkKind::Smpp(smpp) => change(smpp),
        _ => unreachable!("it was made as an SMPP link"),
    })
}

/// A connector with a link to `address`, after a `change` of the link.
fn connect_with(
    world: &World,
    address: String,
    change: impl FnOnce(&mut LinkConfig),
) -> (StopHandle, Tasks<Result<(), Error>>) {
    let mut smpp = SmppConfig::new(address, "signalbox", Secret::new("secret"));
    smpp.reconnect = Duration::from_millis(20)..=Duration::from_millis(100);
    let mut link = LinkConfig::new("atlas", vec![carrier("atlas")], LinkKind::Smpp(Box::new(smpp)));
    link.window = 100;
    change(&mut link);
    let (stop, stopped) = Stop::new();
    let mut service = Tasks::new();
    service.spawn(crate::run(connector_of(link), Deps::from(world.deps.clone()), stopped));
    (stop, service)
}

/// Waits for `happened`, at most half a minute.
async fn until(happened: impl AsyncFn() -> bool) {
    let wait = async {
        while !happened().await {
            time::sleep(Duration::from_millis(5)).await;
        }
    };
    time::timeout(Duration::from_secs(30), wait)
        .await
        .expect("it happens within half a minute");
}

#[tokio::test]
async fn a_message_reaches_the_carrier_as_ordered_and_its_receipt_comes_back() {
    let running = Running::start().await;
    running.world.publish(&[order(0x1234)]).await;
    assert!(running.said(1).await[0].starts_with("4660 accepted "));
    until(async || !running.world.values(&topics::receipts()).await.is_empty()).await;
    let seen = running.carrier.received().remove(0);
    assert_eq!(
        (seen.source.as_str(), seen.destination.as_str()),
        ("ACME", "33639980001")
    );
    assert_eq!((seen.esm_class, seen.registered_delivery, seen.data_coding), (0, 1, 0));
    assert_eq!(&*seen.octets, b"message 4660");
    let receipt = &running.world.values(&topics::receipts()).await[0];
    let receipt = record::receipt_from_bytes(receipt).unwrap();
    assert_eq!(
        (receipt.order, receipt.receipt.state),
        (order(0x1234).order_ref(), ReceiptState::Delivered)
    );
    running.stopped().await.unwrap();
}

#[tokio::test]
async fn a_message_that_wants_no_receipt_asks_for_none() {
    let running = Running::start().await;
    let mut silent = order(1);
    silent.receipt = false;
    running.world.publish(&[silent]).await;
    running.said(1).await;
    assert_eq!(running.carrier.received()[0].registered_delivery, 0);
}

#[tokio::test]
async fn a_long_message_arrives_in_parts_that_belong_together() {
    let running = Running::start().await;
    running.world.publish(&[long_order(1, 3)]).await;
    let said = running.said(1).await;
    assert_eq!(said[0].split(',').count(), 3, "{said:?}");
    let seen = running.carrier.received();
    let places: Vec<_> = seen.iter().filter_map(|part| part.concatenation).collect();
    assert_eq!(
        places.iter().map(|place| (place.part, place.total)).collect::<Vec<_>>(),
        [(1, 3), (2, 3), (3, 3)]
    );
    assert!(seen.iter().all(|part| part.esm_class == 0x40));
    until(async || running.world.values(&topics::receipts()).await.len() == 3).await;
}

#[tokio::test]
async fn ids_in_hexadecimal_and_receipts_in_decimal_meet() {
    let ids = IdStyles {
        response: IdStyle::PaddedHex,
        receipt: IdStyle::Dec,
    };
    let config = CarrierConfig {
        ids,
        receipt_tlvs: false,
        ..CarrierConfig::default()
    };
    let formats = IdFormats {
        response: IdFormat::Hex,
        receipt: IdFormat::Dec,
    };
    let running = Running::start_with(config, |smpp| smpp.ids = formats).await;
    running.world.publish(&(1..=20).map(order).collect::<Vec<_>>()).await;
    until(async || running.world.values(&topics::receipts()).await.len() == 20).await;
    assert!(running.world.values(&topics::unmatched()).await.is_empty());
}

#[tokio::test]
async fn a_refusal_becomes_what_the_map_says_of_its_status() {
    let behaviour = Behaviour {
        error_rate: 1.0,
        error_statuses: vec![Status::RINVDSTADR],
        ..Behaviour::default()
    };
    let running = Running::start_with(
        CarrierConfig {
            behaviour,
            ..CarrierConfig::default()
        },
        |_| {},
    )
    .await;
    running.world.publish(&[order(1)]).await;
    assert_eq!(running.said(1).await, ["1 next bad_number"]);
}

#[tokio::test]
async fn a_carrier_that_throttles_gets_everything_in_the_end() {
    let behaviour = Behaviour {
        throttle_rate: 0.3,
        ..Behaviour::default()
    };
    let running = Running::start_with(
        CarrierConfig {
            behaviour,
            ..CarrierConfig::default()
        },
        |_| {},
    )
    .await;
    running.world.publish(&(1..=100).map(order).collect::<Vec<_>>()).await;
    let said = running.said(100).await;
    let accepted = said.iter().filter(|word| word.contains("accepted")).count();
    assert!(accepted >= 90, "{said:?}");
    assert!(
        said.iter()
            .all(|word| word.contains("accepted") || word.contains("hold throttled")),
        "{said:?}"
    );
}

#[tokio::test]
async fn a_password_unanswered_for_two_seconds_is_unknown() {
    let behaviour = Behaviour {
        drop_rate: 1.0,
        ..Behaviour::default()
    };
    let running = Running::start_with(
        CarrierConfig {
            behaviour,
            ..CarrierConfig::default()
        },
        |_| {},
    )
    .await;
    let mut password = order(1);
    password.message.class = sms::Class::Otp;
    running.world.publish(&[password]).await;
    assert_eq!(running.said(1).await, ["1 unknown"]);
}

#[tokio::test]
async fn a_carrier_that_dies_leaves_unknown_what_it_had_and_is_found_again() {
    let behaviour = Behaviour {
        answer: Delay::fixed(Duration::from_secs(60)),
        ..Behaviour::default()
    };
    let running = Running::start_with(
        CarrierConfig {
            behaviour,
            ..CarrierConfig::default()
        },
        |_| {},
    )
    .await;
    running.world.publish(&[order(1)]).await;
    until(async || running.carrier.received().len() == 1).await;
    running.carrier.cut();
    assert_eq!(running.said(1).await, ["1 unknown"]);
    running.carrier.set_behaviour(Behaviour::default());
    running.world.publish(&[order(2)]).await;
    assert!(running.said(2).await[1].starts_with("2 accepted"));
    running.carrier.set_open(false);
    time::sleep(Duration::from_millis(1_500)).await;
    running.world.publish(&[order(3)]).await;
    assert_eq!(running.said(3).await[2], "3 link_down no_link");
    running.carrier.set_open(true);
    until(async || {
        let known = running.world.said().await.len();
        running.world.publish(&[order(100 + known as u128)]).await;
        running.said(known + 1).await[known].contains("accepted")
    })
    .await;
}

#[tokio::test]
async fn a_wrong_password_is_not_tried_again_soon() {
    let config = CarrierConfig {
        password: Some("other".into()),
        ..CarrierConfig::default()
    };
    let running = Running::start_with(config, |_| {}).await;
    running.world.publish(&[order(1)]).await;
    assert_eq!(running.said(1).await, ["1 link_down no_link"]);
    running.stopped().await.unwrap();
}

/// The carrier restarts, or has not noticed yet that our last connection is gone: that is no reason to stay away for minutes.
#[tokio::test]
async fn a_bind_refused_for_a_passing_reason_is_tried_again_soon() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let world = World::new(&["atlas"]).await;
    let (_stop, _service) = connect(&world, listener.local_addr().unwrap().to_string(), |_| {});
    for status in [Status::RALYBND, Status::RSYSERR, Status::RTHROTTLED] {
        let (stream, _) = time::timeout(Duration::from_secs(30), listener.accept())
            .await
            .expect("the link comes back soon")
            .unwrap();
        refuse_bind(stream, status).await;
    }
    time::timeout(Duration::from_secs(30), listener.accept())
        .await
        .expect("the link comes back soon")
        .unwrap();
}

/// A carrier's side of one connection that refuses the bind.
async fn refuse_bind(mut stream: TcpStream, status: Status) {
    let mut session = Session::server(ServerConfig::new("carrier")).unwrap();
    let mut inputs = vec![Input::Opened];
    loop {
        let mut outputs = Vec::new();
        session.handle_all(Duration::ZERO, inputs.drain(..), &mut outputs);
        for output in outputs {
            match output {
                Output::Write(octets) => stream.write_all(&octets).await.unwrap(),
                Output::BindAsked { ticket, .. } => inputs.push(Input::refuse(ticket, status)),
                Output::Close(_) => return,
                _ => {}
            }
        }
        if inputs.is_empty() {
            let mut read = BytesMut::new();
            assert!(stream.read_buf(&mut read).await.unwrap() > 0, "the client stays");
            inputs.push(Input::Octets(read.freeze()));
        }
    }
}

#[tokio::test]
async fn a_stop_waits_for_answers_and_unbinds() {
    let behaviour = Behaviour {
        answer: Delay::fixed(Duration::from_millis(300)),
        ..Behaviour::default()
    };
    let running = Running::start_with(
        CarrierConfig {
            behaviour,
            ..CarrierConfig::default()
        },
        |_| {},
    )
    .await;
    running.world.publish(&(1..=10).map(order).collect::<Vec<_>>()).await;
    until(async || running.carrier.received().len() == 10).await;
    let world = running.world.clone();
    running.stopped().await.unwrap();
    assert_eq!(
        world
            .said()
            .await
            .iter()
            .filter(|word| word.contains("accepted"))
            .count(),
        10
    );
}

#[tokio::test]
async fn a_receipt_that_cannot_be_made_safe_is_sent_again_by_the_carrier() {
    let behaviour = Behaviour {
        receipt_delay: Delay::fixed(Duration::from_millis(500)),
        ..Behaviour::default()
    };
    let config = CarrierConfig {
        behaviour,
        receipt_retry: Duration::from_millis(50),
        ..CarrierConfig::default()
    };
    let running = Running::start_with(config, |_| {}).await;
    running.world.publish(&[order(1)]).await;
    running.said(1).await;
    running.world.bus_away.store(true, Ordering::Relaxed);
    until(async || running.carrier.counts().receipts_again > 0).await;
    assert_eq!(running.carrier.counts().receipts_taken, 0);
    running.world.bus_away.store(false, Ordering::Relaxed);
    until(async || running.carrier.counts().receipts_taken == 1).await;
    // Its id was forgotten with the first try, and there is no router here that would have put it into the store.
    assert_eq!(running.world.values(&topics::unmatched()).await.len(), 1);
}

/// A carrier's side of one connection, driven by hand: binds the client, does `bound`, then sends `deliver` and
/// returns the answer.
async fn deliver_once(listener: TcpListener, deliver: Deliver, bound: impl Fn()) -> Answer {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut session = Session::server(ServerConfig::new("carrier")).unwrap();
    let mut inputs = vec![Input::Opened];
    loop {
        let mut outputs = Vec::new();
        session.handle_all(Duration::ZERO, inputs.drain(..), &mut outputs);
        for output in outputs {
            match output {
                Output::Write(octets) => stream.write_all(&octets).await.unwrap(),
                Output::BindAsked { ticket, .. } => inputs.push(Input::accept(ticket)),
                Output::Bound { .. } => {
                    bound();
                    inputs.push(Input::Deliver {
                        tag: 1,
                        deliver: deliver.clone(),
                        timeout: Duration::from_secs(60),
                    });
                }
                Output::Answered { answer, .. } => return answer,
                _ => {}
            }
        }
        if inputs.is_empty() {
            let mut read = BytesMut::new();
            assert!(stream.read_buf(&mut read).await.unwrap() > 0, "the client stays");
            inputs.push(Input::Octets(read.freeze()));
        }
    }
}

#[tokio::test]
async fn an_inbound_message_is_answered_as_taken_once_it_is_on_the_log_and_asked_for_again_before() {
    for is_away in [false, true] {
        let world = World::new(&["atlas", "cirrus"]).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (_stop, _service) = connect_with(&world, listener.local_addr().unwrap().to_string(), |link| {
            link.carriers.push(carrier("cirrus"));
        });
        let stop = Deliver {
            body: Body::ShortMessage("STOP".into()),
            ..Deliver::default()
        };
        let bound = || world.bus_away.store(is_away, Ordering::Relaxed);
        let answer = deliver_once(listener, stop, bound).await;
        let values = world.values(&topics::inbound()).await;
        if is_away {
            assert!(matches!(answer, Answer::Refused(Status::RSYSERR, _)), "{answer:?}");
            assert_eq!(values.len(), 0);
        } else {
            assert!(matches!(answer, Answer::Accepted(_)), "{answer:?}");
            let inbound = record::inbound_from_bytes(&values[0]).unwrap();
            assert_eq!(inbound.text.as_deref(), Some("STOP"));
            assert_eq!(
                inbound.carriers,
                Carriers::new([carrier("atlas"), carrier("cirrus")]).unwrap()
            );
        }
    }
}

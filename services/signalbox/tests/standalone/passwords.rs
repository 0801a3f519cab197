//! Passwords to carriers over SMPP: what they are sent with, and what is waited for.

use std::{collections::BTreeSet, time::Duration};

use service::time;
use signalbox_loadtest::smsc::{Config, Handle, Smsc};
use signalbox_proto::pb::signalbox::{
    ingest::v1::{
        MessageState, Submission, SubmitStreamRequest, WatchReceiptsRequest, answer::Result as Answered,
        message_service_client::MessageServiceClient,
    },
    sms::v1::{Content, MessageClass, content::Body},
};
use tonic::{Request, transport::Channel};

use crate::rig::{KEY, PATIENCE, Standalone};

/// A router whose passwords go to the first of `carriers`, and to the others when that cannot be.
pub(crate) fn router(carriers: &[&str]) -> Standalone {
    let router = Standalone::new("in_flight = 10000");
    route(&router, carriers);
    router
}

/// Passwords go to the first of `carriers` from now on, and to the others when that cannot be.
pub(crate) fn route(router: &Standalone, carriers: &[&str]) {
    let names: Vec<_> = carriers.iter().map(|name| format!("\"{name}\"")).collect();
    let route = format!("strategy = \"priority\", carriers = [{}]", names.join(", "));
    // What a killed carrier took and never said a word about goes to the next one.
    let more = "spill_after = \"10m\", receipt_within = \"3s\"";
    let policy = format!("[[policy]]\nname = \"all\"\nroute = {{ {route}, {more} }}\n");
    router.table(carriers, &policy);
}

/// Links by name of their carrier; each sends so many parts a second.
pub(crate) fn link(router: &Standalone, links: &[(&str, &Handle, u32)]) {
    let entry = |(name, carrier, rate): &(&str, &Handle, u32)| {
        format!(
            "[[link]]\nname = \"{name}\"\nkind = \"smpp\"\ncarriers = [\"{name}\"]\naddress = \"{}\"\n\
             system_id = \"test\"\npassword = \"test\"\nwindow = 50\nrate = {rate}\n",
            carrier.addr()
        )
    };
    router.write("links.toml", &links.iter().map(entry).collect::<String>());
}

/// Starts `router` and connects to it.
pub(crate) async fn start(router: &mut Standalone) -> MessageServiceClient<Channel> {
    router.start();
    MessageServiceClient::connect(router.server.clone()).await.unwrap()
}

fn with_key<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    let key = format!("Bearer {KEY}").parse().unwrap();
    request.metadata_mut().insert("authorization", key);
    request
}

fn number(index: usize) -> String {
    format!("33620{index:06}")
}

/// Submits `count` passwords to as many numbers; their ids.
pub(crate) async fn submit(client: &mut MessageServiceClient<Channel>, count: usize) -> BTreeSet<String> {
    let password = |index: usize| Submission {
        to: number(index),
        from: "ACME".to_owned(),
        content: Some(Content {
            body: Some(Body::Text(format!("Your code is {index}"))),
        }),
        class: MessageClass::Otp.into(),
        ..Submission::default()
    };
    let frame = SubmitStreamRequest {
        sequence: 1,
        messages: (0..count).map(password).collect(),
    };
    let request = with_key(tokio_stream::once(frame));
    let mut answers = client.submit_stream(request).await.unwrap().into_inner();
    let mut ids = BTreeSet::new();
    while let Some(response) = answers.message().await.unwrap() {
        for answer in response.answers {
            match answer.result {
                Some(Answered::Accepted(accepted)) => ids.insert(accepted.message_id),
                other => panic!("a password was not accepted: {other:?}"),
            };
        }
    }
    assert_eq!(ids.len(), count);
    ids
}

/// Waits until every one of `ids` was delivered, by whomever.
pub(crate) async fn delivered(client: &mut MessageServiceClient<Channel>, mut ids: BTreeSet<String>) {
    let since = Some(prost_types::Timestamp::default());
    let request = WatchReceiptsRequest {
        token: String::new(),
        since,
    };
    let mut receipts = client.watch_receipts(with_key(request)).await.unwrap().into_inner();
    let all = async {
        while !ids.is_empty() {
            let response = receipts.message().await.unwrap().expect("the watch goes on");
            for receipt in response.receipts {
                assert_eq!(receipt.state(), MessageState::Delivered, "{receipt:?}");
                ids.remove(&receipt.message_id);
            }
        }
    };
    let done = time::timeout(PATIENCE, all).await;
    assert!(done.is_some(), "some were never delivered");
}

pub(crate) async fn carrier(name: &str) -> Handle {
    let config = Config {
        name: name.to_owned(),
        ..Config::default()
    };
    Smsc::start(config).await.unwrap()
}

/// Waits until `carrier` received `count` messages.
pub(crate) async fn received(carrier: &Handle, count: usize) {
    let enough = async {
        while carrier.received().len() < count {
            time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(
        time::timeout(PATIENCE, enough).await.is_some(),
        "the carrier received too little"
    );
}

pub(crate) fn destinations(carrier: &Handle) -> BTreeSet<String> {
    let received = carrier.received().into_iter();
    received.map(|message| message.destination).collect()
}

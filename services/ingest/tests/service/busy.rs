//! Messages that would wait for too long are refused for now, with a hint when to come back.

use std::time::Duration;

use bus::Record;
use journey::{Congestion, Head, RouterReport};
use signalbox_proto::{
    pb::signalbox::{
        ingest::v1::{self as pb, answer},
        sms::v1::MessageClass,
    },
    record, topics,
};
use sms::Lane;
use tonic::Code;

use crate::rig::{ACME, Rig, details, problem, request, submission};

/// Says in place of a router, until ingest has heard it, that messages in bulk to numbers that begin with 447 would wait for
/// a quarter of an hour.
async fn say(rig: &Rig) {
    let mut report = RouterReport::default();
    report.ejections.router = "a".to_owned();
    report.pressure.congested = vec![Congestion {
        lane: Lane::Bulk,
        account: None,
        head: Head::new(447).unwrap(),
        wait: Duration::from_secs(900),
    }];
    let mut client = rig.client(ACME).await;
    loop {
        let word = Record::new(1, record::router_report_to_bytes(&report));
        let taken = rig.deps.bus.publish(&topics::carriers(), vec![word]).await;
        taken.unwrap().await.unwrap();
        if client.submit(request(campaign())).await.is_err() {
            return;
        }
    }
}

fn campaign() -> pb::Submission {
    pb::Submission {
        class: MessageClass::Promotional.into(),
        ..submission()
    }
}

#[tokio::test]
async fn a_message_that_would_wait_is_refused_with_a_hint() {
    let rig = Rig::start().await;
    say(&rig).await;
    let status = rig.client(ACME).await.submit(request(campaign())).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    let details = details(&status, "DESTINATION_BUSY");
    let hint = details.retry_info().unwrap().retry_delay.unwrap();
    assert!((300..=450).contains(&hint.as_secs()), "{hint:?}");
    let said = &details.error_info().unwrap().metadata;
    let said = ["lane", "wait_seconds", "limit_seconds"].map(|key| said[key].as_str());
    assert_eq!(said, ["bulk", "900", "600"]);
    assert!(details.quota_failure().is_none(), "it is not the account's limit");
    assert!(status.message().contains("begin with 447"), "{status:?}");
}

#[tokio::test]
async fn the_other_messages_of_a_frame_are_taken() {
    let rig = Rig::start().await;
    say(&rig).await;
    let frame = pb::SubmitStreamRequest {
        sequence: 1,
        messages: vec![submission(), campaign(), submission()],
    };
    let mut client = rig.client(ACME).await;
    let frames = futures::stream::iter([frame]);
    let mut stream = client.submit_stream(frames).await.unwrap().into_inner();
    let mut answers = Vec::new();
    while let Some(response) = stream.message().await.unwrap() {
        answers.extend(response.answers);
    }
    answers.sort_by_key(|answer| answer.index);
    let [first, refused, last] = &answers[..] else {
        panic!("{answers:?}")
    };
    let is_taken = |answer: &pb::Answer| matches!(answer.result, Some(answer::Result::Accepted(_)));
    assert!(is_taken(first) && is_taken(last), "{answers:?}");
    let Some(answer::Result::Error(error)) = &refused.result else {
        panic!("{refused:?}")
    };
    let details = details(&problem(error), "DESTINATION_BUSY");
    assert!(details.retry_info().unwrap().retry_delay.is_some());
}

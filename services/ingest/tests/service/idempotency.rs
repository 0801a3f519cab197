//! One key, one message.

use signalbox_proto::pb::signalbox::ingest::v1 as pb;
use tonic::Code;

use crate::rig::{ACME, Gate, Rig, ZENO, details, request, submission, text, violations};

fn keyed(key: &str) -> pb::SubmitRequest {
    request(pb::Submission {
        idempotency_key: key.to_owned(),
        ..submission()
    })
}

#[tokio::test]
async fn a_repeat_gets_the_same_answer_and_no_second_record() {
    let rig = Rig::start().await;
    let mut client = rig.client(ACME).await;
    let first = client.submit(keyed("k")).await.unwrap().into_inner();
    assert_eq!(client.submit(keyed("k")).await.unwrap().into_inner(), first);
    assert_ne!(client.submit(keyed("l")).await.unwrap().into_inner(), first);
    assert_ne!(
        rig.client(ZENO).await.submit(keyed("k")).await.unwrap().into_inner(),
        first,
        "keys belong to accounts"
    );
    assert_eq!(rig.accepted(3).await.len(), 3);
}

#[tokio::test]
async fn another_content_under_a_key_is_refused_and_names_the_message() {
    let rig = Rig::start().await;
    let mut client = rig.client(ACME).await;
    let first = client.submit(keyed("k")).await.unwrap().into_inner().accepted.unwrap();
    let other = pb::Submission {
        content: text("bye"),
        idempotency_key: "k".to_owned(),
        ..submission()
    };
    let status = client.submit(request(other)).await.unwrap_err();
    assert_eq!(status.code(), Code::AlreadyExists);
    assert_eq!(
        violations(&status, "IDEMPOTENCY_KEY_REUSED")[0].0,
        "message.idempotency_key"
    );
    let details = details(&status, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(details.error_info().unwrap().metadata["message_id"], first.message_id);
    assert_eq!(rig.accepted(1).await.len(), 1);
}

/// The commit fails after the records were handed over: nobody was told OK, the key is pending, the retry reuses the id.
#[tokio::test]
async fn a_retry_after_a_failed_publish_publishes_under_the_same_id() {
    let rig = Rig::start().await;
    let mut client = rig.client(ACME).await;
    rig.gate.send_replace(Gate::Failing);
    assert_eq!(client.submit(keyed("k")).await.unwrap_err().code(), Code::Unavailable);
    rig.gate.send_replace(Gate::Open);
    let answer = client.submit(keyed("k")).await.unwrap().into_inner().accepted.unwrap();
    let ids: Vec<_> = rig
        .accepted(2)
        .await
        .iter()
        .map(|message| message.id.to_string())
        .collect();
    assert_eq!(ids, [answer.message_id.clone(), answer.message_id.clone()]);
    assert_eq!(
        client.submit(keyed("k")).await.unwrap().into_inner().accepted.unwrap(),
        answer
    );
    assert_eq!(rig.accepted(2).await.len(), 2);
}

#[tokio::test]
async fn a_repeat_within_a_frame_shares_one_fate() {
    let rig = Rig::start().await;
    let message = pb::Submission {
        idempotency_key: "k".to_owned(),
        ..submission()
    };
    let other = pb::Submission {
        content: text("bye"),
        ..message.clone()
    };
    let frame = pb::SubmitStreamRequest {
        sequence: 1,
        messages: vec![message.clone(), other, message],
    };
    let frames = futures::stream::iter([frame]);
    let mut answers = rig.client(ACME).await.submit_stream(frames).await.unwrap().into_inner();
    let answers = answers.message().await.unwrap().unwrap().answers;
    assert_eq!(answers[0].result, answers[2].result);
    assert!(matches!(&answers[0].result, Some(pb::answer::Result::Accepted(_))));
    assert!(
        matches!(&answers[1].result, Some(pb::answer::Result::Error(error)) if error.code == 6),
        "{answers:?}"
    );
    assert_eq!(rig.accepted(1).await.len(), 1);
}

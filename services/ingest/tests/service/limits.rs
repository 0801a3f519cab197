//! OK means durable, and what is not answered is bounded.

use service::Tasks;
use signalbox_proto::pb::signalbox::ingest::v1 as pb;
use tonic::Code;

use crate::rig::{ACME, Gate, Rig, ZENO, details, request, submission};

#[tokio::test]
async fn ok_is_answered_only_once_the_commit_resolved() {
    let rig = Rig::start().await;
    rig.gate.send_replace(Gate::Closed);
    let mut client = rig.client(ACME).await;
    let mut tasks = Tasks::new();
    let mut submitting = client.clone();
    let call = tasks.spawn(async move { submitting.submit(request(submission())).await });
    let id = rig.accepted(1).await[0].id.to_string();
    // Whole calls pass on the same connection, so an early answer would have arrived.
    for _ in 0..3 {
        client
            .get_message(pb::GetMessageRequest { message_id: id.clone() })
            .await
            .unwrap();
    }
    assert!(!call.is_finished());
    rig.gate.send_replace(Gate::Open);
    let answer = tasks.join_next().await.unwrap().unwrap().unwrap().into_inner();
    assert_eq!(answer.accepted.unwrap().message_id, id);
}

#[tokio::test]
async fn a_failed_commit_is_unavailable_and_says_when_to_come_back() {
    let rig = Rig::start().await;
    rig.gate.send_replace(Gate::Failing);
    let status = rig.client(ACME).await.submit(request(submission())).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(
        details(&status, "LOG_UNAVAILABLE")
            .retry_info()
            .unwrap()
            .retry_delay
            .is_some()
    );
    assert!(status.message().contains("disk is full"), "{status:?}");
}

#[tokio::test]
async fn an_account_over_its_in_flight_limit_is_told_so() {
    let rig = Rig::start().await;
    rig.gate.send_replace(Gate::Closed);
    let mut client = rig.client(ZENO).await;
    let mut tasks = Tasks::new();
    for _ in 0..3 {
        let mut client = client.clone();
        tasks.spawn(async move { client.submit(request(submission())).await });
    }
    rig.accepted(3).await;
    let status = client.submit(request(submission())).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    let details = details(&status, "LIMIT_EXHAUSTED");
    let quota = &details.quota_failure().unwrap().violations[0];
    assert_eq!((quota.subject.as_str(), quota.quota_value), ("account:zeno", 3));
    assert!(quota.description.contains("3 messages in flight"), "{quota:?}");
    assert!(details.retry_info().unwrap().retry_delay.is_some());
    rig.client(ACME)
        .await
        .get_message(pb::GetMessageRequest::default())
        .await
        .unwrap_err();

    rig.gate.send_replace(Gate::Open);
    while let Some(done) = tasks.join_next().await {
        done.unwrap().unwrap();
    }
    client.submit(request(submission())).await.unwrap();
}

#[tokio::test]
async fn the_callers_deadline_is_honoured() {
    let rig = Rig::start().await;
    rig.gate.send_replace(Gate::Closed);
    let mut client = rig.client(ACME).await;
    // The gate stays closed, so only the deadline can end these calls.
    let limit = std::time::Duration::from_millis(50);
    let mut call = tonic::Request::new(request(submission()));
    call.set_timeout(limit);
    let code = client.submit(call).await.unwrap_err().code();
    assert!(matches!(code, Code::DeadlineExceeded | Code::Cancelled), "{code:?}");

    let mut call = tonic::Request::new(pb::WatchReceiptsRequest::default());
    call.set_timeout(limit);
    let mut receipts = client.watch_receipts(call).await.unwrap().into_inner();
    assert!(
        receipts.message().await.unwrap().is_some(),
        "the first response comes at once"
    );
    assert_eq!(receipts.message().await.unwrap_err().code(), Code::DeadlineExceeded);

    let mut call = tonic::Request::new(futures::stream::pending::<pb::SubmitStreamRequest>());
    call.set_timeout(limit);
    let mut answers = client.submit_stream(call).await.unwrap().into_inner();
    assert_eq!(answers.message().await.unwrap_err().code(), Code::DeadlineExceeded);
}

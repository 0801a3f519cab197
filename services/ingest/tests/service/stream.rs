//! `SubmitStream`: an answer for each message, whatever becomes of the others.

use std::collections::BTreeMap;

use signalbox_proto::pb::signalbox::ingest::v1 as pb;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Streaming};

use crate::rig::{ACME, Gate, Rig, ZENO, details, problem, request, submission, violations};

/// A stream kept open by its sender.
async fn open(
    rig: &Rig,
    key: &str,
) -> (
    mpsc::Sender<pb::SubmitStreamRequest>,
    Streaming<pb::SubmitStreamResponse>,
) {
    let (sender, frames) = mpsc::channel(64);
    let answers = rig
        .client(key)
        .await
        .submit_stream(ReceiverStream::new(frames))
        .await
        .unwrap();
    (sender, answers.into_inner())
}

fn frame(sequence: u64, messages: Vec<pb::Submission>) -> pb::SubmitStreamRequest {
    pb::SubmitStreamRequest { sequence, messages }
}

#[tokio::test]
async fn a_bad_message_gets_its_own_error_and_the_others_their_ids() {
    let rig = Rig::start().await;
    let (sender, mut answers) = open(&rig, ACME).await;
    let bad = pb::Submission {
        to: "+447700900001x".to_owned(),
        ..submission()
    };
    sender
        .send(frame(42, vec![submission(), bad, submission()]))
        .await
        .unwrap();
    let response = answers.message().await.unwrap().unwrap();
    assert_eq!((response.sequence, &response.error), (42, &None));
    assert_eq!(
        response.answers.iter().map(|answer| answer.index).collect::<Vec<_>>(),
        [0, 1, 2]
    );
    let Some(pb::answer::Result::Error(error)) = &response.answers[1].result else {
        panic!("{response:?}")
    };
    let status = problem(error);
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(violations(&status, "INVALID_FIELD")[0].0, "messages[1].to");
    assert!(!error.message.contains("900001"), "{}", error.message);

    sender.send(frame(43, vec![submission()])).await.unwrap();
    assert_eq!(
        answers.message().await.unwrap().unwrap().sequence,
        43,
        "the stream goes on"
    );
    assert_eq!(rig.accepted(3).await.len(), 3);
}

#[tokio::test]
async fn a_frame_over_its_size_or_without_messages_is_refused_as_a_whole() {
    let rig = Rig::start().await;
    let (sender, mut answers) = open(&rig, ACME).await;
    for (sequence, messages) in [(1, 501), (2, 0)] {
        sender
            .send(frame(sequence, vec![submission(); messages]))
            .await
            .unwrap();
        let response = answers.message().await.unwrap().unwrap();
        assert_eq!((response.sequence, response.answers.len()), (sequence, 0));
        let status = problem(&response.error.unwrap());
        let found = violations(&status, "FRAME_SIZE");
        assert_eq!(found[0].0, "messages");
        assert!(
            found[0]
                .1
                .contains(&format!("has {messages} entries, allowed are 1 to 500")),
            "{found:?}"
        );
    }
    sender.send(frame(3, vec![submission(); 500])).await.unwrap();
    assert_eq!(answers.message().await.unwrap().unwrap().answers.len(), 500);
    assert_eq!(rig.accepted(500).await.len(), 500);
}

#[tokio::test]
async fn messages_over_the_in_flight_limit_are_refused_one_by_one() {
    let rig = Rig::start().await;
    let (sender, mut answers) = open(&rig, ZENO).await;
    sender.send(frame(1, vec![submission(); 5])).await.unwrap();
    let answers = answers.message().await.unwrap().unwrap().answers;
    let refused: Vec<_> = answers
        .iter()
        .filter_map(|answer| match &answer.result {
            Some(pb::answer::Result::Error(error)) => Some(problem(error)),
            _ => None,
        })
        .collect();
    assert_eq!(refused.len(), 2);
    assert!(details(&refused[0], "LIMIT_EXHAUSTED").quota_failure().is_some());
}

#[tokio::test]
async fn answers_wait_for_the_commit_and_unanswered_frames_are_bounded() {
    let rig = Rig::start().await;
    rig.gate.send_replace(Gate::Closed);
    let (sender, mut answers) = open(&rig, ACME).await;
    for sequence in 0..40 {
        sender.send(frame(sequence, vec![submission()])).await.unwrap();
    }
    rig.accepted(ingest::FRAMES_IN_FLIGHT_MAX).await;
    // Whole calls pass on another stream of the server, so further frames would have been taken.
    let mut client = rig.client(ACME).await;
    for _ in 0..5 {
        client.get_message(pb::GetMessageRequest::default()).await.unwrap_err();
    }
    assert_eq!(rig.accepted(0).await.len(), ingest::FRAMES_IN_FLIGHT_MAX);
    rig.gate.send_replace(Gate::Open);
    let mut answered = BTreeMap::new();
    while answered.len() < 40 {
        let response = answers.message().await.unwrap().unwrap();
        assert_eq!(
            answered.insert(response.sequence, response.answers.len()),
            None,
            "one answer a frame"
        );
    }
    assert!(answered.values().all(|answers| *answers == 1));
}

#[tokio::test]
async fn a_half_closed_stream_ends_after_its_last_answer() {
    let rig = Rig::start().await;
    let (sender, mut answers) = open(&rig, ACME).await;
    for sequence in 0..20 {
        sender.send(frame(sequence, vec![submission(); 3])).await.unwrap();
    }
    drop(sender);
    let mut count = 0;
    while let Some(response) = answers.message().await.unwrap() {
        count += response.answers.len();
    }
    assert_eq!(count, 60);
}

#[tokio::test]
async fn a_recipients_messages_stay_in_order_over_frames() {
    let rig = Rig::start().await;
    let (sender, mut answers) = open(&rig, ACME).await;
    let numbered = |n: u64| pb::Submission {
        reference: n.to_string(),
        ..submission()
    };
    for sequence in 0..10 {
        sender
            .send(frame(sequence, (0..10).map(|n| numbered(sequence * 10 + n)).collect()))
            .await
            .unwrap();
    }
    drop(sender);
    while answers.message().await.unwrap().is_some() {}
    let order: Vec<u64> = rig
        .accepted(100)
        .await
        .iter()
        .map(|message| message.reference.parse().unwrap())
        .collect();
    assert_eq!(order, (0..100).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_request_too_large_to_read_ends_the_stream_after_the_answers_before_it() {
    let rig = Rig::start().await;
    let (sender, mut answers) = open(&rig, ACME).await;
    let large = pb::Submission {
        reference: "r".repeat(ingest::REQUEST_OCTETS_MAX),
        ..submission()
    };
    sender.send(frame(1, vec![submission()])).await.unwrap();
    sender.send(frame(2, vec![large])).await.unwrap();
    assert_eq!(answers.message().await.unwrap().unwrap().sequence, 1);
    assert_eq!(answers.message().await.unwrap_err().code(), Code::OutOfRange);
}

/// Two octets an entry on the wire, hundreds once decoded: the frame is refused before that.
#[tokio::test]
async fn a_frame_of_countless_empty_messages_ends_the_stream() {
    let rig = Rig::start().await;
    let (sender, mut answers) = open(&rig, ACME).await;
    sender
        .send(frame(1, vec![pb::Submission::default(); 2_001]))
        .await
        .unwrap();
    let status = answers.message().await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("over 2000 fields"), "{status:?}");
}

/// A client that goes away gives back what it had in flight.
#[tokio::test]
async fn a_client_that_leaves_gives_back_its_permits() {
    let rig = Rig::start().await;
    rig.gate.send_replace(Gate::Closed);
    let (sender, answers) = open(&rig, ZENO).await;
    sender.send(frame(1, vec![submission(); 3])).await.unwrap();
    rig.accepted(3).await;
    drop((sender, answers));
    // The gate stays closed, so only the end of the stream can free permits; a fourth record shows that it did.
    let mut client = rig.client(ZENO).await;
    loop {
        tokio::select! {
            biased;
            refused = client.submit(request(submission())) => {
                assert_eq!(refused.unwrap_err().code(), Code::ResourceExhausted);
            }
            _ = rig.accepted(4) => break,
        }
    }
}

#[tokio::test]
async fn a_failed_commit_fails_its_frame_and_not_the_stream() {
    let rig = Rig::start().await;
    let (sender, mut answers) = open(&rig, ACME).await;
    rig.gate.send_replace(Gate::Failing);
    sender.send(frame(1, vec![submission(); 2])).await.unwrap();
    let response = answers.message().await.unwrap().unwrap();
    for answer in response.answers {
        let Some(pb::answer::Result::Error(error)) = answer.result else {
            panic!("no OK without a commit")
        };
        assert_eq!(problem(&error).code(), Code::Unavailable);
    }
    rig.gate.send_replace(Gate::Open);
    sender.send(frame(2, vec![submission()])).await.unwrap();
    let response = answers.message().await.unwrap().unwrap();
    assert!(matches!(
        response.answers[0].result,
        Some(pb::answer::Result::Accepted(_))
    ));
}

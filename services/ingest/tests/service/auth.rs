//! Who may call.

use signalbox_proto::pb::signalbox::ingest::v1 as pb;
use tonic::{Code, Status};

use crate::rig::{ACME, Client, Rig, client_on, details, request, submission};

/// Makes every call with `authorization` and gives back how each was refused.
async fn every_call(mut client: Client) -> Vec<Status> {
    let no_frames = futures::stream::iter(Vec::<pb::SubmitStreamRequest>::new());
    vec![
        client.submit(request(submission())).await.unwrap_err(),
        client.submit_stream(no_frames).await.unwrap_err(),
        client.get_message(pb::GetMessageRequest::default()).await.unwrap_err(),
        client
            .watch_receipts(pb::WatchReceiptsRequest::default())
            .await
            .unwrap_err(),
    ]
}

#[tokio::test]
async fn no_call_goes_without_a_key() {
    let rig = Rig::start().await;
    for authorization in [
        None,
        Some("Bearer".to_owned()),
        Some("Bearer ".to_owned()),
        Some(ACME.to_owned()),
        Some(format!("Basic {ACME}")),
        Some(format!("Bearer {ACME}x")),
        Some(format!("Bearer {}", "k".repeat(5_000))),
    ] {
        for status in every_call(client_on(rig.channel().await, authorization.clone())).await {
            assert_eq!(status.code(), Code::Unauthenticated, "{authorization:?}: {status:?}");
            details(&status, "UNAUTHENTICATED");
        }
    }
    assert!(rig.accepted(0).await.is_empty());
}

#[tokio::test]
async fn a_disabled_account_is_refused_everywhere() {
    let rig = Rig::start().await;
    for status in every_call(rig.client("gone-key-0123456789").await).await {
        assert_eq!(status.code(), Code::PermissionDenied);
        details(&status, "ACCOUNT_DISABLED");
    }
}

#[tokio::test]
async fn any_key_of_an_account_serves_and_the_scheme_ignores_case() {
    let rig = Rig::start().await;
    for authorization in [format!("bearer {ACME}"), "Bearer acme-second-key-012".to_owned()] {
        client_on(rig.channel().await, Some(authorization))
            .submit(request(submission()))
            .await
            .unwrap();
    }
    assert!(
        rig.accepted(2)
            .await
            .iter()
            .all(|message| message.account.as_str() == "acme")
    );
}

/// Writes another accounts file and calls until the old key no longer serves; an open stream ends too.
#[tokio::test]
async fn a_withdrawn_key_stops_serving_without_a_restart() {
    let rig = Rig::start().await;
    let mut client = rig.client(ACME).await;
    let (frames, incoming) = tokio::sync::mpsc::channel(1);
    let incoming = tokio_stream::wrappers::ReceiverStream::new(incoming);
    let mut answers = client.submit_stream(incoming).await.unwrap().into_inner();

    let accounts = "[[account]]\nname = \"acme\"\nkeys = \"another-key-0123456789\"\n";
    std::fs::write(&rig.accounts, accounts).unwrap();
    while client.submit(request(submission())).await.is_ok() {}
    rig.client("another-key-0123456789")
        .await
        .submit(request(submission()))
        .await
        .unwrap();

    frames
        .send(pb::SubmitStreamRequest {
            sequence: 1,
            messages: vec![submission()],
        })
        .await
        .unwrap();
    assert_eq!(answers.message().await.unwrap_err().code(), Code::Unauthenticated);
}

//! `WatchReceipts`: the account's events, and no others, from where the reader left off.

use std::sync::Arc;

use bus::Record;
use journey::{Cause, EndState, Event, LateReceipt, OrderNumber, OrderRef, SegmentReceipt, TerminalEvent};
use service::time;
use signalbox_proto::{pb::signalbox::ingest::v1 as pb, record::event_to_bytes, topics};
use sms::{
    AccountId, CarrierName, Class, Content, Encoding, Message, Msisdn, Receipt, ReceiptFault, ReceiptState, RecordKey,
    Sender, UnixMs,
};
use tonic::{Code, Streaming};

use crate::rig::{ACME, Client, Rig, ZENO, details, violations};

pub(crate) fn message(rig: &Rig, account: &str, reference: &str) -> Message {
    let now = rig.deps.clock.now();
    Message {
        id: rig.deps.dice.message_id(now),
        account: AccountId::new(account).unwrap(),
        key: RecordKey(rig.deps.dice.next_u64()),
        from: Sender::new("ACME").unwrap(),
        to: Msisdn::new("447700900001").unwrap(),
        content: Content::Text(String::new()),
        encoding: Encoding::Gsm7,
        segments: 2,
        class: Class::Otp,
        accepted_at: now,
        ttl: None,
        receipt: true,
        reference: reference.to_owned(),
        copy_of: None,
        trace: None,
    }
}

pub(crate) fn ended(message: Message, state: EndState, code: &str) -> TerminalEvent {
    TerminalEvent {
        ended_at: message.accepted_at + std::time::Duration::from_millis(1_234),
        message,
        state,
        cause: Cause::new(code, ""),
        carrier: Some(CarrierName::new("atlas").unwrap()),
        table: "t1".to_owned(),
        policy: String::new(),
        attempts: Vec::new(),
    }
}

async fn publish(rig: &Rig, key: u64, event: &Event) {
    let record = Record::new(key, event_to_bytes(event));
    rig.deps
        .bus
        .publish(&topics::events(), vec![record])
        .await
        .unwrap()
        .await
        .unwrap();
}

async fn end(rig: &Rig, account: &str, reference: &str) {
    let message = message(rig, account, reference);
    publish(
        rig,
        message.key.0,
        &Event::Ended(Arc::new(ended(message, EndState::Delivered, ""))),
    )
    .await;
}

/// Watches from `request` on; the first response, which is empty, is read already.
async fn watch(
    client: &mut Client,
    request: pb::WatchReceiptsRequest,
) -> (Streaming<pb::WatchReceiptsResponse>, String) {
    let mut responses = client.watch_receipts(request).await.unwrap().into_inner();
    let first = responses.message().await.unwrap().unwrap();
    assert!(first.receipts.is_empty() && !first.token.is_empty());
    (responses, first.token)
}

/// References of the next `count` receipts, and the token after them.
async fn references(responses: &mut Streaming<pb::WatchReceiptsResponse>, count: usize) -> (Vec<String>, String) {
    let (mut references, mut token) = (Vec::new(), String::new());
    while references.len() < count {
        let response = responses.message().await.unwrap().unwrap();
        references.extend(response.receipts.into_iter().map(|receipt| receipt.reference));
        token = response.token;
    }
    references.sort();
    (references, token)
}

fn from_token(token: String) -> pb::WatchReceiptsRequest {
    pb::WatchReceiptsRequest { token, since: None }
}

#[tokio::test]
async fn an_account_sees_its_own_receipts_and_resumes_by_token() {
    let rig = Rig::start().await;
    let mut client = rig.client(ACME).await;
    end(&rig, "acme", "before").await;
    let (mut receipts, beginning) = watch(&mut client, pb::WatchReceiptsRequest::default()).await;
    end(&rig, "acme", "one").await;
    end(&rig, "zeno", "not ours").await;
    end(&rig, "acme", "two").await;
    let (seen, token) = references(&mut receipts, 2).await;
    assert_eq!(seen, ["one", "two"]);
    drop(receipts);

    end(&rig, "acme", "three").await;
    let (mut receipts, _) = watch(&mut client, from_token(token)).await;
    assert_eq!(references(&mut receipts, 1).await.0, ["three"]);
    let (mut receipts, _) = watch(&mut client, from_token(beginning)).await;
    assert_eq!(references(&mut receipts, 3).await.0, ["one", "three", "two"]);
}

#[tokio::test]
async fn copies_that_policies_made_are_not_told() {
    let rig = Rig::start().await;
    let (mut receipts, _) = watch(&mut rig.client(ACME).await, pb::WatchReceiptsRequest::default()).await;
    let original = message(&rig, "acme", "original");
    let copy = Message {
        id: rig.deps.dice.message_id(original.accepted_at),
        reference: "copy".to_owned(),
        copy_of: Some(original.id),
        ..original.clone()
    };
    for message in [copy, original] {
        let event = Event::Ended(Arc::new(ended(message, EndState::Delivered, "")));
        publish(&rig, 7, &event).await;
    }
    assert_eq!(references(&mut receipts, 1).await.0, ["original"]);
}

#[tokio::test]
async fn since_begins_in_the_past() {
    let rig = Rig::start().await;
    end(&rig, "acme", "one").await;
    let since = Some(prost_types::Timestamp { seconds: 0, nanos: 0 });
    let request = pb::WatchReceiptsRequest {
        since,
        ..pb::WatchReceiptsRequest::default()
    };
    let (mut receipts, _) = watch(&mut rig.client(ACME).await, request).await;
    assert_eq!(references(&mut receipts, 1).await.0, ["one"]);
}

#[tokio::test]
async fn a_receipt_tells_how_the_message_ended() {
    let rig = Rig::start().await;
    let mut receipts = watch(&mut rig.client(ACME).await, pb::WatchReceiptsRequest::default())
        .await
        .0;
    let message = message(&rig, "acme", "order 7");
    let (id, key) = (message.id, message.key);
    publish(
        &rig,
        key.0,
        &Event::Ended(Arc::new(ended(message.clone(), EndState::Failed, "bad_number"))),
    )
    .await;
    let response = receipts.message().await.unwrap().unwrap();
    let receipt = &response.receipts[0];
    assert_eq!(
        (receipt.message_id.as_str(), receipt.event_id.as_str()),
        (&*id.to_string(), &*format!("{id}/end"))
    );
    assert_eq!(
        (receipt.state(), receipt.segments, receipt.late),
        (pb::MessageState::Failed, 2, false)
    );
    assert_eq!(receipt.error.as_ref().unwrap().code, "bad_number");
    let (accepted, ended) = (receipt.accepted_at.unwrap(), receipt.ended_at.unwrap());
    let millis = |at: prost_types::Timestamp| at.seconds * 1_000 + i64::from(at.nanos / 1_000_000);
    assert_eq!(millis(ended) - millis(accepted), 1_234);

    let order = OrderRef {
        message: id,
        key,
        number: OrderNumber(1),
        carrier: CarrierName::new("atlas").unwrap(),
    };
    let said = Receipt {
        state: ReceiptState::Delivered,
        fault: ReceiptFault::Handset,
        raw: "DELIVRD".to_owned(),
        error: "000".to_owned(),
        done_at: None,
        vendor: Vec::new(),
    };
    let late = LateReceipt {
        order,
        receipt: SegmentReceipt {
            segment: 0,
            receipt: said,
            at: UnixMs(5_000),
        },
        account: message.account,
        reference: message.reference,
        ended: EndState::Failed,
        copy_of: None,
    };
    publish(&rig, key.0, &Event::Late(Box::new(late))).await;
    let receipt = receipts.message().await.unwrap().unwrap().receipts.remove(0);
    assert_eq!(
        (receipt.state(), receipt.late, receipt.reference.as_str()),
        (pb::MessageState::Delivered, true, "order 7")
    );
}

#[tokio::test]
async fn wrong_tokens_are_refused() {
    let rig = Rig::start().await;
    let mut client = rig.client(ACME).await;
    let since = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    // Its seconds fit into 64 bits of milliseconds, and with its nanoseconds it does not.
    let last_moment = Some(prost_types::Timestamp {
        seconds: i64::MAX / 1_000,
        nanos: i32::MAX,
    });
    for (token, since, field) in [
        ("nonsense".to_owned(), None, "token"),
        ("t".repeat(4_097), None, "token"),
        ("t".to_owned(), since(1), "since"),
        (String::new(), since(-1), "since"),
        (String::new(), since(i64::MAX), "since"),
        (String::new(), last_moment, "since"),
    ] {
        let status = client
            .watch_receipts(pb::WatchReceiptsRequest { token, since })
            .await
            .unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(violations(&status, "INVALID_FIELD")[0].0, field, "{status:?}");
    }
}

#[tokio::test]
async fn open_streams_are_bounded_per_account() {
    let rig = Rig::start().await;
    let mut client = rig.client(ACME).await;
    let mut open = Vec::new();
    for _ in 0..ingest::WATCHES_MAX {
        open.push(watch(&mut client, pb::WatchReceiptsRequest::default()).await);
    }
    let status = client
        .watch_receipts(pb::WatchReceiptsRequest::default())
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(details(&status, "LIMIT_EXHAUSTED").quota_failure().is_some());
    watch(&mut rig.client(ZENO).await, pb::WatchReceiptsRequest::default()).await;
    // One that is left makes room; the loop waits until the server has seen it go.
    open.pop();
    while client
        .watch_receipts(pb::WatchReceiptsRequest::default())
        .await
        .is_err()
    {}
}

/// Many events of another account: the reader gets a token now and then, so that resuming skips them.
#[tokio::test]
async fn a_reader_without_receipts_still_moves_on() {
    let rig = Rig::start().await;
    let mut receipts = watch(&mut rig.client(ACME).await, pb::WatchReceiptsRequest::default())
        .await
        .0;
    let event = event_to_bytes(&Event::Ended(Arc::new(ended(
        message(&rig, "zeno", ""),
        EndState::Sent,
        "",
    ))));
    let records = (0..10_000)
        .map(|key: u64| Record::new(key << 50, event.clone()))
        .collect();
    rig.deps
        .bus
        .publish(&topics::events(), records)
        .await
        .unwrap()
        .await
        .unwrap();
    let response = receipts.message().await.unwrap().unwrap();
    assert!(response.receipts.is_empty());
    end(&rig, "acme", "one").await;
    let (mut receipts, _) = watch(&mut rig.client(ACME).await, from_token(response.token)).await;
    assert_eq!(references(&mut receipts, 1).await.0, ["one"]);
}

/// Each response waits for a sync of the log, and what is on its way to a carrier would wait for that.
#[tokio::test]
async fn a_reader_who_keeps_up_gets_what_ends_within_20_ms_together() {
    let rig = Rig::start().await;
    let (mut receipts, _) = watch(&mut rig.client(ACME).await, pb::WatchReceiptsRequest::default()).await;
    let (first, mut responses, mut received) = (time::now(), 0, 0);
    let ends = async {
        for number in 0..100 {
            end(&rig, "acme", &number.to_string()).await;
        }
    };
    let reading = async {
        while received < 100 {
            received += receipts.message().await.unwrap().unwrap().receipts.len();
            responses += 1;
        }
    };
    tokio::join!(ends, reading);
    let most = first.elapsed().as_millis() / 20 + 2;
    assert!(responses <= most, "{responses} responses, {most} at the most");
}

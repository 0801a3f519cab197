//! The submit client against a scripted router: what it counts is what the router did.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeSet,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use signalbox_loadtest::{
    stage::land::parts,
    submit::{self, Plan},
};
use signalbox_proto::pb::signalbox::{
    ingest::v1::{
        Accepted, Answer, GetMessageRequest, GetMessageResponse, MessageState, Problem, Receipt, SubmitRequest,
        SubmitResponse, SubmitStreamRequest, SubmitStreamResponse, WatchInboundRequest, WatchInboundResponse,
        WatchReceiptsRequest, WatchReceiptsResponse, answer,
        message_service_server::{MessageService, MessageServiceServer},
    },
    sms::v1::content,
};
use tokio::{
    net::TcpListener,
    sync::{broadcast, mpsc},
    task::JoinSet,
};
use tokio_stream::{
    Stream, StreamExt,
    wrappers::{BroadcastStream, ReceiverStream, TcpListenerStream},
};
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_types::{ErrorDetails, StatusExt};

/// Refuses every tenth message, answers each frame in two responses and backwards, and sends every receipt twice.
#[derive(Clone)]
struct Router {
    receipts: broadcast::Sender<Receipt>,
    seen: Arc<Mutex<Seen>>,
    /// Ends the stream after so many frames.
    frames_max: usize,
    /// Whether it says when to come back.
    has_hints: bool,
}

#[derive(Default)]
struct Seen {
    references: BTreeSet<String>,
    messages: usize,
    frame_max: usize,
    /// Segments of the longest message.
    longest: u32,
    keys: BTreeSet<String>,
}

type Responses<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

impl Router {
    fn new(frames_max: usize) -> Self {
        Self {
            receipts: broadcast::channel(100_000).0,
            seen: Arc::default(),
            frames_max,
            has_hints: false,
        }
    }

    fn answers(&self, frame: SubmitStreamRequest) -> [SubmitStreamResponse; 2] {
        let mut seen = self.seen.lock().unwrap();
        seen.frame_max = seen.frame_max.max(frame.messages.len());
        let mut answers = Vec::new();
        for (index, message) in (0..).zip(frame.messages) {
            seen.messages += 1;
            if let Some(content::Body::Text(text)) = message.content.and_then(|content| content.body) {
                seen.longest = seen.longest.max(parts(&text));
            }
            let id = format!("id-{}", seen.messages);
            let result = if seen.messages.is_multiple_of(10) {
                answer::Result::Error(self.full())
            } else {
                self.end(&id, &message.reference);
                answer::Result::Accepted(Accepted {
                    message_id: id,
                    encoding: 1,
                    segments: 1,
                })
            };
            seen.references.insert(message.reference);
            answers.push(Answer {
                index,
                result: Some(result),
            });
        }
        answers.reverse();
        let rest = answers.split_off(answers.len() / 2);
        [answers, rest].map(|answers| SubmitStreamResponse {
            sequence: frame.sequence,
            answers,
            error: None,
        })
    }

    fn full(&self) -> Problem {
        let details = match self.has_hints {
            true => ErrorDetails::with_retry_info(Some(Duration::from_millis(5))),
            false => ErrorDetails::new(),
        };
        let status = Status::with_error_details(Code::ResourceExhausted, "full", details);
        signalbox_proto::ingest::problem(status.details()).unwrap()
    }

    fn end(&self, id: &str, reference: &str) {
        let receipt = Receipt {
            event_id: id.into(),
            message_id: id.into(),
            state: MessageState::Delivered.into(),
            reference: reference.into(),
            ..Receipt::default()
        };
        // Nobody follows in some of these tests.
        let _ = (self.receipts.send(receipt.clone()), self.receipts.send(receipt));
    }
}

#[tonic::async_trait]
impl MessageService for Router {
    type SubmitStreamStream = Responses<SubmitStreamResponse>;
    type WatchReceiptsStream = Responses<WatchReceiptsResponse>;

    async fn submit(&self, _: Request<SubmitRequest>) -> Result<Response<SubmitResponse>, Status> {
        Err(Status::unimplemented("not scripted"))
    }

    async fn get_message(&self, _: Request<GetMessageRequest>) -> Result<Response<GetMessageResponse>, Status> {
        Err(Status::unimplemented("not scripted"))
    }

    #[expect(clippy::disallowed_methods, reason = "a scripted peer")]
    async fn submit_stream(
        &self,
        request: Request<Streaming<SubmitStreamRequest>>,
    ) -> Result<Response<Self::SubmitStreamStream>, Status> {
        let key = request
            .metadata()
            .get("authorization")
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        self.seen.lock().unwrap().keys.insert(key);
        let router = self.clone();
        let mut frames = request.into_inner();
        let (sender, responses) = mpsc::channel(16);
        tokio::spawn(async move {
            for _ in 0..router.frames_max {
                let Ok(Some(frame)) = frames.message().await else {
                    return;
                };
                for response in router.answers(frame) {
                    if sender.send(Ok(response)).await.is_err() {
                        return;
                    }
                }
            }
            let _ = sender.send(Err(Status::unavailable("going down"))).await;
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(responses))))
    }

    type WatchInboundStream = Responses<WatchInboundResponse>;

    async fn watch_inbound(
        &self,
        _: Request<WatchInboundRequest>,
    ) -> Result<Response<Self::WatchInboundStream>, Status> {
        Err(Status::unimplemented("no client here asks for it"))
    }

    async fn watch_receipts(
        &self,
        _: Request<WatchReceiptsRequest>,
    ) -> Result<Response<Self::WatchReceiptsStream>, Status> {
        let first = tokio_stream::once(Ok(WatchReceiptsResponse {
            receipts: vec![],
            token: "0".into(),
        }));
        let receipts = BroadcastStream::new(self.receipts.subscribe()).map(|receipt| {
            Ok(WatchReceiptsResponse {
                receipts: vec![receipt.expect("the test is quick enough")],
                token: "1".into(),
            })
        });
        Ok(Response::new(Box::pin(first.chain(receipts))))
    }
}

/// Serves `router` while the returned set lives, and gives a plan that submits to it.
async fn serve(router: &Router) -> (JoinSet<()>, Plan) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = listener.local_addr().unwrap().try_into().unwrap();
    let service = MessageServiceServer::new(router.clone());
    let mut server = JoinSet::new();
    server.spawn(async move {
        let incoming = TcpListenerStream::new(listener);
        tonic::transport::Server::builder()
            .add_service(service)
            .serve_with_incoming(incoming)
            .await
            .unwrap();
    });
    let plan = Plan {
        target,
        api_key: "key".into(),
        rate: 100_000,
        messages: 5_000,
        connections: 3,
        frame_wait: Duration::from_millis(1),
        frame_messages: 50,
        patience: Duration::from_secs(30),
        answer_timeout: Duration::from_secs(30),
        receipt_timeout: None,
        ttl: Some(Duration::from_secs(20)),
        one_segment: false,
        seed: 7,
        keeps_ids: true,
    };
    (server, plan)
}

#[tokio::test]
async fn every_message_is_submitted_once_and_its_answer_counted() {
    let router = Router::new(usize::MAX);
    let (_server, plan) = serve(&router).await;
    let report = submit::run(plan).await.unwrap();
    let seen = router.seen.lock().unwrap();
    assert_eq!((seen.messages, seen.references.len()), (5_000, 5_000));
    assert!(seen.frame_max <= 50);
    assert_eq!(seen.keys.iter().collect::<Vec<_>>(), ["Bearer key"]);
    assert_eq!(
        (report.sent, report.accepted, report.unanswered, report.unsent),
        (5_000, 4_500, 0, 0)
    );
    assert_eq!(report.refused["ResourceExhausted"].messages, 500);
    assert_eq!(report.accepted_ids.iter().collect::<BTreeSet<_>>().len(), 4_500);
    assert_eq!(report.accepted_each_second.iter().sum::<u64>(), 4_500);
    assert!(report.is_complete(), "{report}");
    assert!(report.latency.p50_ms > 0.0 && report.latency.p50_ms <= report.latency.max_ms);
}

/// Every tenth message is refused with a hint, those that come back too.
#[tokio::test]
async fn whoever_is_told_to_come_back_comes_back_until_it_is_taken() {
    let mut router = Router::new(usize::MAX);
    router.has_hints = true;
    let (_server, plan) = serve(&router).await;
    let report = submit::run(plan).await.unwrap();
    let seen = router.seen.lock().unwrap();
    assert_eq!((report.sent, report.accepted, report.refused.len()), (5_000, 5_000, 0));
    assert_eq!(seen.references.len(), 5_000);
    assert_eq!(report.held_back, seen.messages as u64 - 5_000);
    assert!(report.held_back >= 500, "{report}");
    assert!(report.is_complete(), "{report}");
}

#[tokio::test]
async fn messages_of_several_segments_are_left_out_where_one_is_wanted() {
    let router = Router::new(usize::MAX);
    let (_server, mut plan) = serve(&router).await;
    submit::run(plan.clone()).await.unwrap();
    assert!(router.seen.lock().unwrap().longest > 1);
    router.seen.lock().unwrap().longest = 0;
    plan.one_segment = true;
    submit::run(plan).await.unwrap();
    assert_eq!(router.seen.lock().unwrap().longest, 1);
}

#[tokio::test]
async fn whoever_has_no_patience_does_not_come_back() {
    let mut router = Router::new(usize::MAX);
    router.has_hints = true;
    let (_server, mut plan) = serve(&router).await;
    plan.patience = Duration::ZERO;
    let report = submit::run(plan).await.unwrap();
    assert_eq!((report.accepted, report.held_back), (4_500, 0));
    assert_eq!(report.refused["ResourceExhausted"].messages, 500);
}

#[tokio::test]
async fn receipts_are_followed_to_the_end_and_repeats_counted_apart() {
    let router = Router::new(usize::MAX);
    let (_server, mut plan) = serve(&router).await;
    plan.receipt_timeout = Some(Duration::from_secs(30));
    let report = submit::run(plan).await.unwrap();
    let receipts = report.receipts.as_ref().unwrap();
    assert_eq!(
        (receipts.ended, receipts.missing, receipts.states["delivered"]),
        (4_500, 0, 4_500)
    );
    assert!(receipts.repeated > 4_000, "{receipts}");
    assert_eq!(receipts.ended_each_second.iter().sum::<u64>(), 4_500);
    assert!(receipts.seconds > 0.0 && receipts.ended_each_second.len() == receipts.seconds as usize + 1);
    assert!(report.is_complete(), "{report}");
    assert!(
        serde_json::to_string(&report)
            .unwrap()
            .contains("\"latency_delivered\"")
    );
}

#[tokio::test]
async fn a_broken_stream_is_a_finding_and_not_a_hang() {
    let router = Router::new(5);
    let (_server, plan) = serve(&router).await;
    let report = submit::run(plan).await.unwrap();
    assert!(!report.is_complete());
    assert_eq!(report.faults.len(), 3);
    assert!(
        report.faults.iter().all(|fault| fault.contains("going down")),
        "{:?}",
        report.faults
    );
    let refused: u64 = report.refused.values().map(|refused| refused.messages).sum();
    assert_eq!(report.accepted + refused + report.unanswered, report.sent);
    assert_eq!(report.sent + report.unsent, 5_000);
}

#[tokio::test]
async fn limits_are_told_before_anything_is_sent() {
    let router = Router::new(usize::MAX);
    let (_server, plan) = serve(&router).await;
    let error = submit::run(Plan {
        rate: 0,
        ..plan.clone()
    })
    .await
    .unwrap_err()
    .to_string();
    assert_eq!(error, "0 messages a second asked, allowed are 1 to 1000000");
    let error = submit::run(Plan {
        frame_messages: 501,
        ..plan
    })
    .await
    .unwrap_err()
    .to_string();
    assert_eq!(error, "501 messages a frame asked, allowed are 1 to 500");
    assert_eq!(router.seen.lock().unwrap().messages, 0);
}

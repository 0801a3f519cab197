//! `MessageService` over gRPC: the edge where generated types become drafts, and refusals become statuses with details.

use std::sync::Arc;

use futures::{Stream, StreamExt, stream::BoxStream};
use service::{Deps, Stop, time};
use signalbox_proto::pb::signalbox::ingest::v1::{self as pb, message_service_server::MessageService};
use tonic::{Request, Response, Status, Streaming};

use crate::{Directory, Intake, Refusal, Violation, metrics};

mod caller;
mod deadline;
mod error;
mod frames;
mod inbound;
mod receipts;
mod status;
mod submission;
mod unread;
mod watch;

use caller::Caller;
pub use frames::{FRAME_MESSAGES_MAX, FRAMES_IN_FLIGHT_MAX, REQUEST_OCTETS_MAX};
pub use watch::WATCHES_MAX;

/// Full names of the methods that take messages, for traces.
const SUBMIT: &str = "signalbox.ingest.v1.MessageService/Submit";
const SUBMIT_STREAM: &str = "signalbox.ingest.v1.MessageService/SubmitStream";

/// What the calls share.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) intake: Arc<Intake>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) deps: Deps,
    pub(crate) searches: Arc<tokio::sync::Semaphore>,
    pub(crate) unread: unread::Unread,
    pub(crate) stop: Stop,
}

/// A stream of answers.
type Answers<T> = BoxStream<'static, Result<T, Status>>;

impl Service {
    pub(crate) fn new(intake: Intake, directory: Arc<Directory>, deps: Deps, stop: Stop) -> Self {
        let searches = Arc::new(tokio::sync::Semaphore::new(status::SEARCHES_MAX));
        Self {
            intake: Arc::new(intake),
            directory,
            deps,
            searches,
            unread: unread::Unread::default(),
            stop,
        }
    }

    fn caller<T>(&self, request: &Request<T>) -> Result<Caller, Refusal> {
        if self.stop.is_requested() {
            return Err(Refusal::Draining);
        }
        Caller::of(&self.directory, request.metadata())
    }

    async fn submit_one(&self, request: Request<pb::SubmitRequest>) -> Result<pb::SubmitResponse, Refusal> {
        let account = self.caller(&request)?.account;
        let call = caller::call(SUBMIT, request.metadata());
        let message = request.into_inner().message;
        let message = message.ok_or_else(|| Violation::new("", "missing: wanted is a message"))?;
        let draft = submission::draft(message, account.segments_max);
        let mut answers = self.intake.submit(&account, vec![draft], call).await.finish().await;
        let accepted = answers.pop().expect("one draft has one answer")?;
        Ok(pb::SubmitResponse {
            accepted: Some(frames::accepted(&accepted)),
        })
    }
}

#[tonic::async_trait]
impl MessageService for Service {
    async fn submit(&self, request: Request<pb::SubmitRequest>) -> Result<Response<pb::SubmitResponse>, Status> {
        self.submit_one(request)
            .await
            .map(Response::new)
            .map_err(|refusal| refused(&refusal, "message"))
    }

    type SubmitStreamStream = Answers<pb::SubmitStreamResponse>;

    async fn submit_stream(
        &self,
        request: Request<Streaming<pb::SubmitStreamRequest>>,
    ) -> Result<Response<Self::SubmitStreamStream>, Status> {
        let caller = self.caller(&request).map_err(|refusal| refused(&refusal, ""))?;
        let deadline = deadline::of(request.metadata());
        let call = caller::call(SUBMIT_STREAM, request.metadata());
        let answers = frames::answers(self, (caller, call), request.into_inner(), deadline);
        Ok(Response::new(answers))
    }

    async fn get_message(
        &self,
        request: Request<pb::GetMessageRequest>,
    ) -> Result<Response<pb::GetMessageResponse>, Status> {
        let found = async {
            let caller = self.caller(&request)?;
            status::get(self, &caller.account, &request.get_ref().message_id).await
        };
        found.await.map(Response::new).map_err(|refusal| refused(&refusal, ""))
    }

    type WatchReceiptsStream = Answers<pb::WatchReceiptsResponse>;

    async fn watch_receipts(
        &self,
        request: Request<pb::WatchReceiptsRequest>,
    ) -> Result<Response<Self::WatchReceiptsStream>, Status> {
        let deadline = deadline::of(request.metadata());
        let opened = async {
            let caller = self.caller(&request)?;
            let pb::WatchReceiptsRequest { token, since } = request.into_inner();
            let since = since.map(|since| (since.seconds, since.nanos));
            watch::watch::<receipts::Receipts>(self, caller, watch::From { token, since }).await
        };
        let receipts = opened.await.map_err(|refusal| refused(&refusal, ""))?;
        Ok(Response::new(until(deadline, receipts)))
    }

    type WatchInboundStream = Answers<pb::WatchInboundResponse>;

    async fn watch_inbound(
        &self,
        request: Request<pb::WatchInboundRequest>,
    ) -> Result<Response<Self::WatchInboundStream>, Status> {
        let deadline = deadline::of(request.metadata());
        let opened = async {
            let caller = self.caller(&request)?;
            let pb::WatchInboundRequest { token, since } = request.into_inner();
            let since = since.map(|since| (since.seconds, since.nanos));
            watch::watch::<inbound::InboundMessages>(self, caller, watch::From { token, since }).await
        };
        let messages = opened.await.map_err(|refusal| refused(&refusal, ""))?;
        Ok(Response::new(until(deadline, messages)))
    }
}

/// Counts a call refused as a whole, and says so with details. `at` goes before the names of fields.
fn refused(refusal: &Refusal, at: &str) -> Status {
    metrics::call_refused(refusal);
    error::status(refusal, at)
}

/// `answers` up to the caller's deadline, and then the word that it passed.
fn until<T: Send + 'static>(
    deadline: Option<time::Instant>,
    answers: impl Stream<Item = Result<T, Status>> + Send + 'static,
) -> Answers<T> {
    let Some(deadline) = deadline else {
        return answers.boxed();
    };
    let passed = futures::stream::once(async { Err(Status::deadline_exceeded("the deadline of the call passed")) });
    // What ended by itself before its deadline must not be told that the deadline passed.
    let is_over = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let mark = Arc::clone(&is_over);
    let limit = async move {
        time::sleep_until(deadline).await;
        mark.store(true, std::sync::atomic::Ordering::Relaxed);
    };
    let passed = passed.filter(move |_| {
        let is_over = is_over.load(std::sync::atomic::Ordering::Relaxed);
        async move { is_over }
    });
    answers.take_until(Box::pin(limit)).chain(passed).boxed()
}

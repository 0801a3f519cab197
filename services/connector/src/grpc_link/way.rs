//! How submissions go to the carrier: over one stream, or one call each where it has no stream.

use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use service::time;
use signalbox_proto::pb::signalbox::carrier::v1 as pb;
use tokio::sync::mpsc::{self, OwnedPermit};
use tonic::{Code, Response, Status, Streaming};

use super::{
    client::{CONNECT_LIMIT, Client, Failure, is_refusal},
    words::Words,
};

/// What came of a call that submits one message.
type Called = (String, Result<Response<pb::SubmitOneResponse>, Status>);

/// What happened on the way.
pub(super) enum Step {
    /// There is room for a request.
    Room(OwnedPermit<pb::SubmitRequest>),
    /// The carrier says something over the stream.
    Said(pb::SubmitResponse),
    /// A call is over, by its attempt id.
    Called(String, Result<pb::SubmitOneResponse, Status>),
    /// The stream ended: the carrier wanted to, or why not.
    Ended(Option<Status>),
}

/// The way to a carrier.
pub(super) enum Way {
    /// `Submit`.
    Stream {
        /// Our side; absent = it is closed.
        requests: Option<mpsc::Sender<pb::SubmitRequest>>,
        responses: Box<Streaming<pb::SubmitResponse>>,
    },
    /// `SubmitOne`.
    Calls {
        client: Box<Client>,
        under_way: FuturesUnordered<BoxFuture<'static, Called>>,
    },
}

/// A way that is open, and what the carrier said first.
pub(super) struct Opened {
    pub way: Way,
    pub first: pb::SubmitResponse,
}

impl Way {
    /// Opens the stream and waits for the first response over it.
    pub(super) async fn open(client: &Client, words: &Words) -> Result<Opened, Failure> {
        let failed = |status: &Status| Failure {
            reason: words.status(status),
            is_refused: is_refusal(status),
        };
        let (requests, request) = client.stream(pb::SubmitRequest::default());
        let mut calls = client.calls.clone();
        let opening = async {
            let mut responses = calls.submit(request).await?.into_inner();
            let first = responses.message().await?;
            Ok::<_, Status>((first, responses))
        };
        let opened = time::timeout(CONNECT_LIMIT, opening).await.ok_or_else(|| Failure {
            reason: format!("no first response to Submit within {} s", CONNECT_LIMIT.as_secs()),
            is_refused: false,
        })?;
        match opened {
            Ok((Some(first), responses)) => Ok(Opened {
                first,
                way: Self::Stream {
                    requests: Some(requests),
                    responses: Box::new(responses),
                },
            }),
            Ok((None, _)) => Err(Failure {
                reason: "the carrier ended Submit without a response".to_owned(),
                is_refused: false,
            }),
            Err(status) if status.code() == Code::Unimplemented => Ok(Opened {
                first: pb::SubmitResponse::default(),
                way: Self::Calls {
                    client: Box::new(client.clone()),
                    under_way: FuturesUnordered::new(),
                },
            }),
            Err(status) => Err(failed(&status)),
        }
    }

    /// Whether every message takes a call of its own.
    pub(super) fn is_calls(&self) -> bool {
        matches!(self, Self::Calls { .. })
    }

    /// The next thing that happens; never where nothing can. Room is looked for if `has_queue`. Cancel-safe.
    pub(super) async fn next(&mut self, has_queue: bool) -> Step {
        match self {
            Self::Calls { under_way, .. } => match under_way.next().await {
                Some((attempt, result)) => Step::Called(attempt, result.map(Response::into_inner)),
                None => std::future::pending().await,
            },
            Self::Stream { requests, responses } => {
                let room = requests.as_ref().filter(|_| has_queue).cloned();
                // Each arm is cancel-safe: a permit that is not taken is given back, and a message is read whole.
                tokio::select! {
                    biased;
                    message = responses.message() => match message {
                        Ok(Some(said)) => Step::Said(said),
                        Ok(None) => Step::Ended(None),
                        Err(status) => Step::Ended(Some(status)),
                    },
                    Some(permit) = room_of(room) => Step::Room(permit),
                }
            }
        }
    }

    /// Submits one message with a call of its own. Nothing happens on a stream.
    pub(super) fn call(&mut self, submission: pb::Submission, timeout: Duration) {
        let Self::Calls { client, under_way } = self else {
            return;
        };
        let attempt = submission.attempt_id.clone();
        let mut request = client.request(pb::SubmitOneRequest {
            submission: Some(submission),
        });
        // The carrier need not work for longer than that.
        request.set_timeout(timeout);
        let mut calls = client.calls.clone();
        under_way.push(async move { (attempt, calls.submit_one(request).await) }.boxed());
    }

    /// Ends our side: the carrier answers what is open, and ends its own.
    pub(super) fn close(&mut self) {
        if let Self::Stream { requests, .. } = self {
            *requests = None;
        }
    }

    /// Ends our side and waits until the carrier ends its own.
    pub(super) async fn finish(mut self) {
        self.close();
        if let Self::Stream { responses, .. } = &mut self {
            while let Ok(Some(_)) = responses.message().await {}
        }
    }
}

/// Room for one request; never where there is no stream for it.
async fn room_of(requests: Option<mpsc::Sender<pb::SubmitRequest>>) -> Option<OwnedPermit<pb::SubmitRequest>> {
    match requests {
        Some(requests) => requests.reserve_owned().await.ok(),
        None => std::future::pending().await,
    }
}

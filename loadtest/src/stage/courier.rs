//! One connection to the router: frames out, answers and receipts in.

use std::time::Duration;

use anyhow::Context as _;
use signalbox_proto::pb::signalbox::ingest::v1::{
    Submission, SubmitStreamRequest, SubmitStreamResponse, WatchReceiptsRequest, WatchReceiptsResponse,
    message_service_client::MessageServiceClient,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Request, Status, Streaming,
    metadata::{Ascii, MetadataValue},
    transport::Endpoint,
};

use crate::{
    submit::{Target, submission},
    world::Letter,
};

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Most messages of one frame.
pub const FRAME_MESSAGES_MAX: usize = 500;
/// Frames handed over and not yet on the wire.
const FRAMES_WAITING_MAX: usize = 64;

/// A stream of submissions and a watch of receipts.
#[derive(Debug)]
pub struct Courier {
    frames: mpsc::Sender<SubmitStreamRequest>,
    answers: Streaming<SubmitStreamResponse>,
    receipts: Streaming<WatchReceiptsResponse>,
    token: String,
}

/// What comes back.
#[derive(Debug)]
pub enum News {
    /// To submissions.
    Answers(SubmitStreamResponse),
    /// Of messages, whoever submitted them.
    Receipts(WatchReceiptsResponse),
}

impl Courier {
    /// Connects to `target` as the account of `api_key`; receipts go on after `token`, or begin now.
    ///
    /// # Errors
    /// Nobody answers there, or the key is not known; nothing was submitted.
    pub async fn connect(target: Target, api_key: &str, token: Option<String>) -> anyhow::Result<Self> {
        let endpoint = Endpoint::from_shared(target.url())?
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true);
        let channel = endpoint.connect().await;
        let channel = channel.with_context(|| format!("{}: nobody answers", target.url()))?;
        let mut client = MessageServiceClient::new(channel);
        let bearer: MetadataValue<Ascii> = format!("Bearer {api_key}")
            .parse()
            .context("the API key has characters no header can carry")?;
        let watch = WatchReceiptsRequest {
            token: token.clone().unwrap_or_default(),
            since: None,
        };
        let receipts = client.watch_receipts(with_key(watch, &bearer)).await?.into_inner();
        let (frames, outgoing) = mpsc::channel(FRAMES_WAITING_MAX);
        let outgoing = ReceiverStream::new(outgoing);
        let answers = client.submit_stream(with_key(outgoing, &bearer)).await?.into_inner();
        Ok(Self {
            frames,
            answers,
            receipts,
            token: token.unwrap_or_default(),
        })
    }

    /// Where the next watch goes on.
    pub fn token(&self) -> Option<String> {
        (!self.token.is_empty()).then(|| self.token.clone())
    }

    /// Hands over a frame of messages that live for `ttl`, known as `sequence`; false if the router takes no more just now.
    pub fn send(&self, sequence: u64, letters: &[Letter], ttl: Duration) -> bool {
        self.send_with(sequence, || {
            let letters = letters.iter().cloned();
            letters
                .map(|letter| submission(letter, String::new(), Some(ttl)))
                .collect()
        })
    }

    /// Hands over a frame of what `messages` gives, known as `sequence`; false if the router takes no more just now.
    pub fn send_with(&self, sequence: u64, messages: impl FnOnce() -> Vec<Submission>) -> bool {
        let Ok(place) = self.frames.try_reserve() else {
            return false;
        };
        let messages = messages();
        place.send(SubmitStreamRequest { sequence, messages });
        true
    }

    /// The next thing that comes. Cancel-safe.
    ///
    /// # Errors
    /// The connection is no more: the [`Status`] says why. What was not answered may be there or not.
    pub async fn next(&mut self) -> anyhow::Result<News> {
        tokio::select! { biased;
            answer = self.answers.message() => Ok(News::Answers(given(answer)?)),
            receipt = self.receipts.message() => {
                let receipt = given(receipt)?;
                self.token.clone_from(&receipt.token);
                Ok(News::Receipts(receipt))
            }
        }
    }
}

fn with_key<T>(message: T, bearer: &MetadataValue<Ascii>) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", bearer.clone());
    request
}

/// What a stream gave. One that the router ended in good order is over as well.
fn given<T>(next: Result<Option<T>, Status>) -> Result<T, Status> {
    next?.ok_or_else(|| Status::unavailable("the router closed the stream"))
}

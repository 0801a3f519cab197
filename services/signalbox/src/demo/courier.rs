//! One connection to the router: frames out, answers and receipts in.

use std::time::Duration;

use anyhow::Context as _;
use signalbox_loadtest::{submit::submission, world::Letter};
use signalbox_proto::pb::signalbox::ingest::v1::{
    SubmitStreamRequest, SubmitStreamResponse, WatchReceiptsRequest, WatchReceiptsResponse,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use crate::{
    cli::Server,
    client::{self, explain},
};

/// Most messages of one frame.
pub(super) const FRAME_MESSAGES_MAX: usize = 500;
/// Frames handed over and not yet on the wire.
const FRAMES_WAITING_MAX: usize = 64;

/// A stream of submissions and a watch of receipts.
pub(super) struct Courier {
    frames: mpsc::Sender<SubmitStreamRequest>,
    answers: Streaming<SubmitStreamResponse>,
    receipts: Streaming<WatchReceiptsResponse>,
    token: String,
}

/// What comes back.
pub(super) enum News {
    Answers(SubmitStreamResponse),
    Receipts(WatchReceiptsResponse),
}

impl Courier {
    /// Connects to `server`; receipts go on after `token`, or begin now.
    pub(super) async fn connect(server: &Server, token: Option<String>) -> anyhow::Result<Self> {
        let mut client = client::connect(server).await?;
        let watch = WatchReceiptsRequest {
            token: token.unwrap_or_default(),
            since: None,
        };
        let receipts = client
            .watch_receipts(watch)
            .await
            .map_err(|status| explain(&status))?
            .into_inner();
        let (frames, outgoing) = mpsc::channel(FRAMES_WAITING_MAX);
        let answers = client
            .submit_stream(ReceiverStream::new(outgoing))
            .await
            .map_err(|status| explain(&status))?;
        Ok(Self {
            frames,
            answers: answers.into_inner(),
            receipts,
            token: String::new(),
        })
    }

    /// Where the next watch goes on.
    pub(super) fn token(&self) -> Option<String> {
        (!self.token.is_empty()).then(|| self.token.clone())
    }

    /// Hands over a frame of messages that live for `ttl`, known as `sequence`; false if the router takes no more just now.
    pub(super) fn send(&self, sequence: u64, letters: &[Letter], ttl: Duration) -> bool {
        let Ok(place) = self.frames.try_reserve() else {
            return false;
        };
        let messages = letters
            .iter()
            .map(|letter| submission(letter.clone(), String::new(), Some(ttl)))
            .collect();
        place.send(SubmitStreamRequest { sequence, messages });
        true
    }

    /// The next thing that comes. Cancel-safe.
    pub(super) async fn next(&mut self) -> anyhow::Result<News> {
        tokio::select! { biased;
            answer = self.answers.message() => {
                let answer = answer.map_err(|status| explain(&status))?;
                Ok(News::Answers(answer.context("the router closed the stream of answers")?))
            }
            receipt = self.receipts.message() => {
                let receipt = receipt.map_err(|status| explain(&status))?;
                let receipt = receipt.context("the router closed the stream of receipts")?;
                self.token.clone_from(&receipt.token);
                Ok(News::Receipts(receipt))
            }
        }
    }
}

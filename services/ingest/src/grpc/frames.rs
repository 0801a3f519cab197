//! `SubmitStream`: frames are taken in order and answered as they become durable.

use std::sync::{Arc, Mutex, PoisonError};

use futures::{FutureExt, StreamExt, future::BoxFuture, stream};
use service::{Stop, time, trace::Call};
use signalbox_proto::pb::signalbox::{ingest::v1 as pb, sms::v1 as pb_sms};
use sms::TEXT_OCTETS_MAX;
use tonic::{Status, Streaming};

use super::{Answers, Caller, Service, error, refused, submission};
use crate::{
    Accepted, Account, Answer, IDEMPOTENCY_KEY_OCTETS_MAX, Intake, REFERENCE_OCTETS_MAX, Refusal,
    account::IN_FLIGHT_DEFAULT, metrics,
};

/// Messages of one frame.
pub const FRAME_MESSAGES_MAX: usize = 500;
/// Frames of one stream that are not answered yet; further ones are not read.
pub const FRAMES_IN_FLIGHT_MAX: usize = 16;
/// Octets of one request. Larger ones end the call, since they cannot be read at all.
pub const REQUEST_OCTETS_MAX: usize = 4 * 1_024 * 1_024;

/// Octets of a message beside its text and its words: addresses, duration, tags and lengths.
const OVERHEAD_OCTETS: usize = 128;
const MESSAGE_OCTETS_MAX: usize = TEXT_OCTETS_MAX + REFERENCE_OCTETS_MAX + IDEMPOTENCY_KEY_OCTETS_MAX + OVERHEAD_OCTETS;
const _: () = assert!(
    FRAME_MESSAGES_MAX * MESSAGE_OCTETS_MAX <= REQUEST_OCTETS_MAX,
    "a full frame must fit"
);
const _: () = assert!(
    FRAME_MESSAGES_MAX * FRAMES_IN_FLIGHT_MAX <= IN_FLIGHT_DEFAULT as usize,
    "one stream alone must be held back by flow control, not by refusals"
);

/// Frames as they come, up to the end of the stream, of the caller's time, of the caller's right, or of the service.
struct Frames {
    incoming: Streaming<pb::SubmitStreamRequest>,
    caller: Caller,
    deadline: Option<time::Instant>,
    stop: Stop,
    ended: Ended,
}

/// Why no further frame is read; told to the caller after the answers to those that were.
#[derive(Clone, Default)]
struct Ended(Arc<Mutex<Option<Status>>>);

/// Answers to the frames of one stream.
pub(super) fn answers(
    service: &Service,
    (caller, call): (Caller, Call),
    incoming: Streaming<pb::SubmitStreamRequest>,
    deadline: Option<time::Instant>,
) -> Answers<pb::SubmitStreamResponse> {
    let ended = Ended::default();
    let frames = Frames {
        incoming,
        caller,
        deadline,
        stop: service.stop.clone(),
        ended: ended.clone(),
    };
    let intake = Arc::clone(&service.intake);
    stream::unfold(frames, |mut frames| async move {
        frames.next().await.map(|next| (next, frames))
    })
    // One after the other up to the hand-over to the bus, so that a recipient's messages keep their order …
    .then(move |(account, frame)| begin(Arc::clone(&intake), account, frame, call))
    // … and side by side while they become durable.
    .buffer_unordered(FRAMES_IN_FLIGHT_MAX)
    .map(Ok)
    .chain(stream::once(async move { ended.take() }).filter_map(async |status| status.map(Err)))
    .boxed()
}

impl Frames {
    async fn next(&mut self) -> Option<(Arc<Account>, pb::SubmitStreamRequest)> {
        let deadline = self.deadline;
        let passed = async move {
            match deadline {
                Some(deadline) => time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        let read = tokio::select! {
            biased;
            () = self.stop.requested() => Err(refused(&Refusal::Draining, "")),
            () = passed => Err(Status::deadline_exceeded("the deadline of the call passed")),
            frame = self.incoming.message() => frame,
        };
        let frame = match read {
            Ok(frame) => frame?,
            Err(status) => {
                self.ended.set(status);
                return None;
            }
        };
        match self.caller.now() {
            Ok(account) => Some((account, frame)),
            Err(refusal) => {
                self.ended.set(refused(&refusal, ""));
                None
            }
        }
    }
}

impl Ended {
    fn set(&self, status: Status) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(status);
    }

    fn take(&self) -> Option<Status> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Hands a frame to the bus; what is returned resolves to its answers.
async fn begin(
    intake: Arc<Intake>,
    account: Arc<Account>,
    frame: pb::SubmitStreamRequest,
    call: Call,
) -> BoxFuture<'static, pb::SubmitStreamResponse> {
    let pb::SubmitStreamRequest { sequence, messages } = frame;
    if !(1..=FRAME_MESSAGES_MAX).contains(&messages.len()) {
        let refusal = Refusal::Frame {
            messages: messages.len(),
            limit: FRAME_MESSAGES_MAX,
        };
        metrics::call_refused(&refusal);
        let error = Some(error::problem(&refusal, ""));
        return futures::future::ready(pb::SubmitStreamResponse {
            sequence,
            answers: Vec::new(),
            error,
        })
        .boxed();
    }
    let drafts = messages
        .into_iter()
        .map(|message| submission::draft(message, account.segments_max))
        .collect();
    let submitted = intake.submit(&account, drafts, call).await;
    async move {
        let answers = submitted.finish().await;
        let answers = answers
            .iter()
            .zip(0..)
            .map(|(answer, index)| answered(answer, index))
            .collect();
        pb::SubmitStreamResponse {
            sequence,
            answers,
            error: None,
        }
    }
    .boxed()
}

fn answered(answer: &Answer, index: u32) -> pb::Answer {
    let result = match answer {
        Ok(answer) => pb::answer::Result::Accepted(accepted(answer)),
        Err(refusal) => pb::answer::Result::Error(error::problem(refusal, &format!("messages[{index}]"))),
    };
    pb::Answer {
        index,
        result: Some(result),
    }
}

/// An accepted message as the wire has it.
pub(super) fn accepted(accepted: &Accepted) -> pb::Accepted {
    pb::Accepted {
        message_id: accepted.id.to_string(),
        encoding: pb_sms::Encoding::from(accepted.encoding).into(),
        segments: accepted.segments.into(),
    }
}

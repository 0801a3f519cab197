//! One connection and its stream: hands over frames as messages fall due and takes the answers.

use std::{collections::BTreeMap, time::Duration};

use signalbox_proto::pb::signalbox::{
    ingest::v1::{
        Answer, Problem, Submission, SubmitStreamRequest, SubmitStreamResponse, answer,
        message_service_client::MessageServiceClient,
    },
    sms::v1::{Content, MessageClass, content},
};
use sms::Class;
use tokio::{sync::mpsc, time::Instant};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Streaming, transport::Channel};
use tonic_types::pb::ErrorInfo;

use super::{Plan, schedule::Schedule, tally::Tally};
use crate::world::{Letter, Traffic};

/// Frames handed to the transport and not yet taken by it. Beyond them the schedule waits, and the wait is measured.
const FRAMES_QUEUED_MAX: usize = 4;

/// One connection's part of a run.
pub(crate) struct Connection {
    pub(crate) number: u32,
    pub(crate) plan: Plan,
    pub(crate) run: String,
    pub(crate) schedule: Schedule,
    pub(crate) traffic: Traffic,
}

/// A stream at work.
struct Stream {
    connection: Connection,
    tally: Tally,
    /// Messages made into frames so far.
    taken: u64,
    /// Messages without an answer in each frame. A frame is known by the place of its first message in this stream.
    open: BTreeMap<u64, Open>,
}

struct Open {
    messages: u64,
    answered: Vec<bool>,
}

impl Connection {
    /// Submits this connection's messages and waits for their answers.
    pub(crate) async fn run(self, client: MessageServiceClient<Channel>) -> Tally {
        let mut stream = Stream {
            connection: self,
            tally: Tally::default(),
            taken: 0,
            open: BTreeMap::new(),
        };
        if let Err(fault) = stream.work(client).await {
            stream.tally.faults.push(fault);
        }
        let open: u64 = stream.open.values().map(|frame| frame.messages).sum();
        stream.tally.unanswered = open;
        stream.tally
    }
}

impl Stream {
    async fn work(&mut self, mut client: MessageServiceClient<Channel>) -> Result<(), String> {
        let (frames, queue) = mpsc::channel(FRAMES_QUEUED_MAX);
        let request = self
            .connection
            .plan
            .request(ReceiverStream::new(queue))
            .map_err(|error| format!("{error:#}"))?;
        // A server may hold its headers back until it has something to answer, so the first frame cannot wait for them.
        let opening = client.submit_stream(request);
        tokio::pin!(opening);
        let mut answers: Option<Streaming<SubmitStreamResponse>> = None;
        let mut frames = Some(frames);
        let total = self.connection.schedule.messages_of(self.connection.number);
        let mut is_closed = false;
        let mut give_up: Option<Instant> = None;
        loop {
            if (self.taken == total || is_closed) && frames.take().is_some() {
                give_up = Some(now() + self.connection.plan.answer_timeout);
            }
            if self.taken == total && self.open.is_empty() {
                return Ok(());
            }
            // Frames first: an open loop keeps its times. Answers get their turn as soon as nothing is due or the
            // queue is full.
            tokio::select! { biased;
                permit = slot(frames.as_ref(), self.next_frame()), if frames.is_some() => match permit {
                    Some(permit) => {
                        if let Some(frame) = self.frame() {
                            permit.send(frame);
                        }
                    }
                    // By the router; why stands in the answers.
                    None => is_closed = true,
                },
                opened = &mut opening, if answers.is_none() => {
                    answers = Some(opened.map_err(|status| fault(&status))?.into_inner());
                }
                response = next(&mut answers), if answers.is_some() => {
                    match response.map_err(|status| fault(&status))? {
                        Some(response) => self.answered(response),
                        None => return Err("the router ended the stream".into()),
                    }
                }
                () = until(give_up), if give_up.is_some() => {
                    let waited = self.connection.plan.answer_timeout.as_secs();
                    return Err(format!("no answer within {waited} s after the last frame"));
                }
            }
        }
    }

    /// When the next frame is to be made: some time after its first message is due, so that others can join it.
    fn next_frame(&self) -> Instant {
        let schedule = &self.connection.schedule;
        schedule.due(schedule.place(self.connection.number, self.taken)) + self.connection.plan.frame_wait
    }

    /// All messages that are due by now, as one frame.
    fn frame(&mut self) -> Option<SubmitStreamRequest> {
        let now = now();
        let (number, schedule) = (self.connection.number, self.connection.schedule);
        let first = self.taken;
        let due = schedule.due_until(number, now).saturating_sub(first);
        let messages = due.min(self.connection.plan.frame_messages as u64);
        if messages == 0 {
            return None;
        }
        let lag = now.saturating_duration_since(schedule.due(schedule.place(number, first)));
        self.tally.lag_max = self.tally.lag_max.max(lag);
        self.tally.sent += messages;
        self.taken += messages;
        self.open.insert(
            first,
            Open {
                messages,
                answered: vec![false; messages as usize],
            },
        );
        let messages = (first..self.taken).filter_map(|own| self.submission(own)).collect();
        Some(SubmitStreamRequest {
            sequence: first,
            messages,
        })
    }

    fn submission(&mut self, own: u64) -> Option<Submission> {
        let letter = self.connection.traffic.next()?;
        let place = self.connection.schedule.place(self.connection.number, own);
        let reference = format!("{}/{place}", self.connection.run);
        Some(submission(letter, reference, self.connection.plan.ttl))
    }

    fn answered(&mut self, response: SubmitStreamResponse) {
        let now = now();
        self.tally.last_answer = Some(now);
        let Some(frame) = self.open.get_mut(&response.sequence) else {
            let said = format!("answer to frame {}, which is not open", response.sequence);
            self.tally.faults.push(said);
            return;
        };
        if let Some(problem) = response.error {
            self.tally.refuse(frame.messages, reason(&problem), &problem.message);
            frame.messages = 0;
        }
        for answer in response.answers {
            match frame.answered.get_mut(answer.index as usize) {
                Some(answered) if !*answered => {
                    *answered = true;
                    frame.messages = frame.messages.saturating_sub(1);
                    let (schedule, number) = (self.connection.schedule, self.connection.number);
                    let due = schedule.due(schedule.place(number, response.sequence + u64::from(answer.index)));
                    count(&mut self.tally, answer, due, now, self.connection.plan.keeps_ids);
                }
                _ => self
                    .tally
                    .faults
                    .push(format!("second or stray answer {} in a frame", answer.index)),
            }
        }
        if frame.messages == 0 {
            self.open.remove(&response.sequence);
        }
    }
}

fn count(tally: &mut Tally, answer: Answer, due: Instant, now: Instant, keeps_ids: bool) {
    match answer.result {
        Some(answer::Result::Accepted(accepted)) => {
            tally.accept(accepted.segments, due, now);
            if keeps_ids {
                tally.ids.push(accepted.message_id);
            }
        }
        Some(answer::Result::Error(problem)) => tally.refuse(1, reason(&problem), &problem.message),
        None => tally.refuse(1, "EMPTY ANSWER".into(), "neither accepted nor error"),
    }
}

/// `letter` as a client submits it; `ttl` absent = the route's or the class's.
pub fn submission(letter: Letter, reference: String, ttl: Option<Duration>) -> Submission {
    let class = match letter.class {
        Class::Otp => MessageClass::Otp,
        Class::Transactional => MessageClass::Transactional,
        Class::Promotional => MessageClass::Promotional,
    };
    Submission {
        to: letter.to.digits().to_owned(),
        from: letter.from.as_str().to_owned(),
        content: Some(Content {
            body: Some(content::Body::Text(letter.text)),
        }),
        class: class.into(),
        ttl: ttl.and_then(|ttl| ttl.try_into().ok()),
        reference,
        ..Submission::default()
    }
}

/// The code and, where the router gives one, its stable reason: `FailedPrecondition NO_ROUTE`.
fn reason(problem: &Problem) -> String {
    let code = Code::from_i32(problem.code);
    let info = problem
        .details
        .iter()
        .find(|detail| detail.type_url.ends_with("google.rpc.ErrorInfo"));
    match info.and_then(|info| <ErrorInfo as prost::Message>::decode(&*info.value).ok()) {
        Some(info) => format!("{code:?} {}", info.reason),
        None => format!("{code:?}"),
    }
}

/// A place in the queue once it is `at`. Cancel-safe: nothing is taken before both hold. `None` = the stream is closed.
#[expect(clippy::disallowed_methods, reason = "the open loop keeps real time")]
async fn slot(
    frames: Option<&mpsc::Sender<SubmitStreamRequest>>,
    at: Instant,
) -> Option<mpsc::Permit<'_, SubmitStreamRequest>> {
    tokio::time::sleep_until(at).await;
    frames?.reserve().await.ok()
}

async fn next(
    answers: &mut Option<Streaming<SubmitStreamResponse>>,
) -> Result<Option<SubmitStreamResponse>, tonic::Status> {
    match answers {
        Some(answers) => answers.message().await,
        None => std::future::pending().await,
    }
}

#[expect(clippy::disallowed_methods, reason = "the wait for answers keeps real time")]
async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[expect(clippy::disallowed_methods, reason = "latency is measured here")]
fn now() -> Instant {
    Instant::now()
}

fn fault(status: &tonic::Status) -> String {
    format!("stream broke: {:?}: {}", status.code(), status.message())
}

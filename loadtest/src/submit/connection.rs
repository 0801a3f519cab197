//! One connection and its stream: hands over frames as messages fall due and takes the answers.

use std::{collections::BTreeMap, time::Duration};

use signalbox_proto::{
    ingest::come_back,
    pb::signalbox::{
        ingest::v1::{
            Answer, Problem, Submission, SubmitStreamRequest, SubmitStreamResponse, answer,
            message_service_client::MessageServiceClient,
        },
        sms::v1::{Content, MessageClass, content},
    },
};
use sms::Class;
use tokio::{sync::mpsc, time::Instant};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Streaming, transport::Channel};
use tonic_types::pb::ErrorInfo;

use super::{Plan, schedule::Schedule, tally::Tally};
use crate::{
    stage::land,
    world::{Letter, Traffic},
};

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
    /// Messages made into frames so far, those that came back aside.
    taken: u64,
    /// Frames so far; each is known by its number.
    frames: u64,
    /// Frames with messages that have no answer.
    open: BTreeMap<u64, Open>,
    /// Messages that were told to come back, by when.
    later: BTreeMap<Instant, Vec<Sent>>,
}

struct Open {
    /// Those that have no answer.
    messages: u64,
    answered: Vec<bool>,
    /// All of the frame, in order.
    sent: Vec<Sent>,
}

/// A message that was sent.
struct Sent {
    /// Its place among those of this connection.
    own: u64,
    /// What it says; `None` = it is not sent again.
    submission: Option<Submission>,
}

impl Connection {
    /// Submits this connection's messages and waits for their answers.
    pub(crate) async fn run(self, client: MessageServiceClient<Channel>) -> Tally {
        let mut stream = Stream {
            connection: self,
            tally: Tally::default(),
            taken: 0,
            frames: 0,
            open: BTreeMap::new(),
            later: BTreeMap::new(),
        };
        if let Err(fault) = stream.work(client).await {
            stream.tally.faults.push(fault);
        }
        let open: u64 = stream.open.values().map(|frame| frame.messages).sum();
        let later: usize = stream.later.values().map(Vec::len).sum();
        stream.tally.unanswered = open + later as u64;
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
        let total = self.connection.schedule.messages_of(self.connection.number);
        let mut is_closed = false;
        let mut give_up: Option<Instant> = None;
        loop {
            let is_all_sent = self.taken == total && self.later.is_empty();
            if is_all_sent && self.open.is_empty() {
                return Ok(());
            }
            // Whoever is told to come back comes back on the same stream, so that it stays open until the last answer.
            give_up = match is_all_sent || is_closed {
                true => give_up.or_else(|| Some(now() + self.connection.plan.answer_timeout)),
                false => None,
            };
            // Frames first: an open loop keeps its times. Answers get their turn as soon as nothing is due or the
            // queue is full.
            tokio::select! { biased;
                permit = slot(&frames, self.next_frame()), if !is_closed => match permit {
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

    /// When the next frame is to be made: some time after its first message is due, so that others can join it. `None` = all is
    /// sent.
    fn next_frame(&self) -> Option<Instant> {
        let (number, schedule) = (self.connection.number, &self.connection.schedule);
        let new = || schedule.due(schedule.place(number, self.taken)) + self.connection.plan.frame_wait;
        let new = (self.taken < schedule.messages_of(number)).then(new);
        let again = self.later.first_key_value().map(|(at, _)| *at);
        new.into_iter().chain(again).min()
    }

    /// All messages that are due by now, as one frame; those that come back go first.
    fn frame(&mut self) -> Option<SubmitStreamRequest> {
        let now = now();
        let most = self.connection.plan.frame_messages;
        let mut sent = self.again(now, most);
        let (number, schedule) = (self.connection.number, self.connection.schedule);
        let first = self.taken;
        let due = schedule.due_until(number, now).saturating_sub(first);
        let new = due.min((most - sent.len()) as u64);
        if new > 0 {
            let lag = now.saturating_duration_since(schedule.due(schedule.place(number, first)));
            self.tally.lag_max = self.tally.lag_max.max(lag);
            self.tally.sent += new;
            self.taken += new;
        }
        for own in first..self.taken {
            let submission = self.submission(own)?;
            sent.push(Sent {
                own,
                submission: Some(submission),
            });
        }
        if sent.is_empty() {
            return None;
        }
        let keeps = !self.connection.plan.patience.is_zero();
        let take = |sent: &mut Sent| match keeps {
            true => sent.submission.clone(),
            false => sent.submission.take(),
        };
        let messages = sent.iter_mut().filter_map(take).collect();
        self.frames += 1;
        let open = Open {
            messages: sent.len() as u64,
            answered: vec![false; sent.len()],
            sent,
        };
        self.open.insert(self.frames, open);
        Some(SubmitStreamRequest {
            sequence: self.frames,
            messages,
        })
    }

    /// Up to `most` messages that come back at `now`.
    fn again(&mut self, now: Instant, most: usize) -> Vec<Sent> {
        let mut again = Vec::new();
        while let Some(entry) = self.later.first_entry()
            && *entry.key() <= now
            && again.len() < most
        {
            let (at, mut sent) = entry.remove_entry();
            let rest = sent.split_off(sent.len().min(most - again.len()));
            again.extend(sent);
            if !rest.is_empty() {
                self.later.insert(at, rest);
            }
        }
        again
    }

    fn submission(&mut self, own: u64) -> Option<Submission> {
        let is_fit = |letter: &Letter| !self.connection.plan.one_segment || land::parts(&letter.text) == 1;
        let letter = self.connection.traffic.find(is_fit)?;
        let place = self.connection.schedule.place(self.connection.number, own);
        let reference = format!("{}/{place}", self.connection.run);
        Some(submission(letter, reference, self.connection.plan.ttl))
    }

    fn answered(&mut self, response: SubmitStreamResponse) {
        let now = now();
        self.tally.last_answer = Some(now);
        let before = self.tally.accepted;
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
                    let sent = &mut frame.sent[answer.index as usize];
                    let (schedule, number) = (self.connection.schedule, self.connection.number);
                    let due = schedule.due(schedule.place(number, sent.own));
                    let give_up_at = due + self.connection.plan.patience;
                    match comes_back(&answer, sent, now, give_up_at) {
                        Some((at, sent)) => {
                            self.tally.held_back += 1;
                            self.later.entry(at).or_default().push(sent);
                        }
                        None => count(&mut self.tally, answer, due, now, self.connection.plan.keeps_ids),
                    }
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
        let second = self.connection.schedule.seconds_until(now);
        self.tally.each_second.note(second, self.tally.accepted - before);
    }
}

/// The message and when it is to come back, if `answer` says so and that is before it gives up.
fn comes_back(answer: &Answer, sent: &mut Sent, now: Instant, give_up_at: Instant) -> Option<(Instant, Sent)> {
    let Some(answer::Result::Error(problem)) = &answer.result else {
        return None;
    };
    let at = now + come_back(problem)?;
    let submission = sent.submission.take_if(|_| at <= give_up_at)?;
    let (own, submission) = (sent.own, Some(submission));
    Some((at, Sent { own, submission }))
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
async fn slot(
    frames: &mpsc::Sender<SubmitStreamRequest>,
    at: Option<Instant>,
) -> Option<mpsc::Permit<'_, SubmitStreamRequest>> {
    until(at).await;
    frames.reserve().await.ok()
}

async fn next(
    answers: &mut Option<Streaming<SubmitStreamResponse>>,
) -> Result<Option<SubmitStreamResponse>, tonic::Status> {
    match answers {
        Some(answers) => answers.message().await,
        None => std::future::pending().await,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the open loop and the wait for answers keep real time"
)]
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

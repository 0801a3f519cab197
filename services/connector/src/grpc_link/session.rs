//! One connection: what the pump asks goes to the carrier in batches, and what the carrier says comes back in the order in which
//! it came.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use service::{
    Dice,
    time::{self, Instant},
};
use signalbox_proto::{carrier, pb::signalbox::carrier::v1 as pb};
use tonic::Status;
use tracing::warn;

use super::{
    Dialect,
    answer::Reader,
    client::{CONNECT_LIMIT, Client, Failure, is_refusal},
    feed::Feed,
    inbound::{self, Messages},
    receipt::{self, Receipts},
    unanswered::Unanswered,
    way::{Opened, Step, Way},
    words::Words,
};
use crate::{
    Action, Rule,
    backoff::Backoff,
    inbound::Came,
    link::{Answer, Arrived, Command, Event, Job, Plug, Verdict},
    maps::Maps,
    metrics,
};

/// Submissions of one request, and the octets after which no further one is added.
const BATCH_MAX: usize = 100;
const BATCH_OCTETS: usize = 256 * 1024;
/// Commands of the pump taken at once.
const COMMANDS_MAX: usize = 64;
/// A carrier that was asked for a sign of life has so long to give one, or as long as it was silent before.
const SIGN_LIMIT: Duration = Duration::from_secs(10);
/// Longest wait for what is open when the link is closed, or does not fit any more.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// How a connection ended.
#[derive(Clone, Debug)]
pub(super) struct End {
    /// Why, for people.
    pub reason: String,
    /// Whether we wanted to.
    pub is_closing: bool,
    /// How long it took submissions; absent = never.
    pub held: Option<Duration>,
    /// Whether our key or account was refused, so that trying again soon helps nobody.
    pub is_refused: bool,
}

/// A part that was handed down and not written.
struct Queued {
    job: Job,
    /// It waits no longer than that for the carrier to read.
    until: Instant,
}

/// A connection under way.
pub(super) struct Session<'a> {
    dialect: &'a Dialect,
    /// Those in force when the message came that is being read.
    maps: Arc<Maps>,
    plug: &'a mut Plug,
    token_next: &'a mut u64,
    since: Instant,
    /// When the carrier said something last on `Submit`, and when it was asked for a sign of life since then.
    heard: Instant,
    asked: Option<Instant>,
    /// Whether an empty request is to be sent for that.
    is_to_ask: bool,
    way: Way,
    queue: VecDeque<Queued>,
    unanswered: Unanswered,
    reader: Reader,
    words: Words,
    receipts: Feed<Receipts>,
    inbound: Feed<Messages>,
    answers: Vec<Answer>,
    /// Why nothing more is submitted, and until when what is open is waited for.
    leaving: Option<(String, Instant)>,
    is_closing: bool,
    is_refused: bool,
    /// The carrier wants to rest until then; what is handed down meanwhile is answered as it answered.
    rest: Option<(Instant, Verdict)>,
    /// Odd things that were logged once.
    seen: BTreeSet<&'static str>,
}

impl<'a> Session<'a> {
    /// Tokens go on from `token_next`, so that those of an earlier connection never name receipts of this one.
    pub(super) fn new(
        dialect: &'a Dialect,
        client: &Client,
        way: Way,
        dice: &Dice,
        plug: &'a mut Plug,
        token_next: &'a mut u64,
    ) -> Self {
        let words = Words::new(dialect.grpc.key.clone());
        let link = || Arc::clone(&dialect.link);
        let backoff = || {
            let grpc = &dialect.grpc;
            Backoff::new(grpc.reconnect.clone(), grpc.credentials_pause, dice.fork())
        };
        Self {
            maps: dialect.maps.get(),
            since: time::now(),
            heard: time::now(),
            asked: None,
            is_to_ask: false,
            way,
            queue: VecDeque::new(),
            unanswered: Unanswered::default(),
            reader: Reader::new(link(), words.clone()),
            receipts: Feed::new(link(), words.clone(), client.clone(), backoff()),
            inbound: Feed::new(link(), words.clone(), client.clone(), backoff()),
            words,
            answers: Vec::new(),
            leaving: None,
            is_closing: false,
            is_refused: false,
            rest: None,
            seen: BTreeSet::new(),
            dialect,
            plug,
            token_next,
        }
    }

    /// Serves until the connection is over. `first` is what the carrier said already.
    pub(super) async fn serve(mut self, first: pb::SubmitResponse) -> End {
        self.tell(Event::Up);
        // What an earlier connection was told of its window is over.
        self.room(first.window.unwrap_or(self.dialect.window));
        self.on_answers(first.answers);
        let (mut commands, mut is_pump_gone) = (Vec::new(), false);
        let ended = loop {
            self.flush();
            if let Some(ended) = self.is_over(is_pump_gone) {
                break ended;
            }
            // Also where the carrier never stops talking.
            if self.wake_at() <= time::now()
                && let Some(ended) = self.on_tick()
            {
                break ended;
            }
            self.flush();
            let wake = self.wake_at();
            // Each arm is cancel-safe. Answers come before receipts: those of one message were sent in that order.
            tokio::select! {
                biased;
                count = self.plug.commands.recv_many(&mut commands, COMMANDS_MAX), if !is_pump_gone => {
                    if count == 0 {
                        is_pump_gone = true;
                        commands.push(Command::Close);
                    }
                    commands.drain(..).for_each(|command| self.on_command(command));
                }
                step = self.way.next(self.is_to_ask || !self.queue.is_empty()) => {
                    self.maps = self.dialect.maps.get();
                    if let Some(ended) = self.on_step(step) {
                        break ended;
                    }
                }
                items = self.receipts.next() => self.on_receipts(items),
                items = self.inbound.next() => self.on_inbound(items),
                () = time::sleep_until(wake) => {}
            }
        };
        self.leave(ended).await
    }

    fn tell(&self, event: Event) {
        let _ = self.plug.events.send(event);
    }

    /// Answers so far go before whatever comes next.
    fn flush(&mut self) {
        if !self.answers.is_empty() {
            let answers = std::mem::take(&mut self.answers);
            self.tell(Event::Answers(answers));
        }
    }

    fn room(&mut self, window: u32) {
        let slots = window.clamp(1, self.dialect.window);
        self.tell(Event::Room { binds: 1, slots });
    }

    /// Why it is over, once it is to end and nothing is open.
    fn is_over(&self, is_pump_gone: bool) -> Option<String> {
        let (reason, until) = self.leaving.as_ref()?;
        let is_confirmed = self.receipts.is_quiet(is_pump_gone) && self.inbound.is_quiet(is_pump_gone);
        let is_quiet = self.unanswered.is_empty() && is_confirmed;
        (is_quiet || time::now() >= *until).then(|| reason.clone())
    }

    fn wake_at(&self) -> Instant {
        let queue = self.queue.front().map(|queued| queued.until);
        let leaving = self.leaving.as_ref().map(|(_, until)| *until);
        let wakes = [queue, leaving, self.unanswered.wake_at(), self.sign_at()];
        let idle = time::now() + Duration::from_secs(3_600);
        wakes.into_iter().flatten().min().unwrap_or(idle)
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Submit(jobs) if self.leaving.is_some() => {
                jobs.iter().for_each(|job| self.unsent(job));
            }
            Command::Submit(jobs) if self.is_resting() => {
                let verdict = self.resting(time::now()).expect("it rests");
                self.answers.extend(jobs.iter().map(|job| Answer {
                    tag: job.tag,
                    verdict: verdict.clone(),
                }));
            }
            Command::Submit(jobs) if self.way.is_calls() => jobs.into_iter().for_each(|job| self.call(&job)),
            Command::Submit(jobs) => {
                let now = time::now();
                self.queue.extend(jobs.into_iter().map(|job| Queued {
                    until: now + job.answer_timeout,
                    job,
                }));
            }
            Command::Reply(replies) => {
                for reply in replies {
                    // A reply to what an earlier connection brought is to nobody: the carrier sends it again.
                    let _ = self.receipts.reply(reply.token, reply.is_safe)
                        || self.inbound.reply(reply.token, reply.is_safe);
                }
            }
            Command::Probe(probe) => probe.has_no_test(),
            Command::Close => {
                self.is_closing = true;
                self.stop("closed");
            }
        }
    }

    /// Whether the carrier still rests.
    fn is_resting(&mut self) -> bool {
        let now = time::now();
        self.rest.take_if(|(until, _)| *until <= now);
        self.rest.is_some()
    }

    /// The carrier's answer while it rests, with what is left of that.
    fn resting(&self, now: Instant) -> Option<Verdict> {
        let (until, verdict) = self.rest.as_ref()?;
        let mut verdict = verdict.clone();
        if let Verdict::Refused { retry_after, .. } = &mut verdict {
            *retry_after = Some(until.duration_since(now));
        }
        Some(verdict)
    }

    /// Takes nothing new; what is open is waited for.
    fn stop(&mut self, reason: &str) {
        let until = time::now() + CLOSE_LIMIT;
        self.leaving.get_or_insert_with(|| (reason.to_owned(), until));
        for queued in std::mem::take(&mut self.queue) {
            self.unsent(&queued.job);
        }
        self.way.close();
        self.receipts.close();
        self.inbound.close();
    }

    fn unsent(&mut self, job: &Job) {
        self.answers.push(Answer {
            tag: job.tag,
            verdict: Verdict::Unsent { code: "no_link" },
        });
    }

    fn call(&mut self, job: &Job) {
        let submission = carrier::submission(&job.ready.order, job.valid_for);
        let due = time::now() + job.answer_timeout;
        self.unanswered.wrote(submission.attempt_id.clone(), job.tag, due);
        self.way.call(submission, job.answer_timeout);
    }

    /// What waits, as far as it fits into one request. It counts as written from here on.
    fn batch(&mut self) -> pb::SubmitRequest {
        let now = time::now();
        let (mut submissions, mut octets) = (Vec::new(), 0);
        while submissions.len() < BATCH_MAX && octets < BATCH_OCTETS {
            let Some(Queued { job, .. }) = self.queue.pop_front() else {
                break;
            };
            let submission = carrier::submission(&job.ready.order, job.valid_for);
            octets += carrier::octets(&submission);
            self.unanswered
                .wrote(submission.attempt_id.clone(), job.tag, now + job.answer_timeout);
            submissions.push(submission);
        }
        pb::SubmitRequest { submissions }
    }

    /// What happened on the way to the carrier; why the connection is over, where it is.
    fn on_step(&mut self, step: Step) -> Option<String> {
        match step {
            Step::Room(permit) => {
                self.is_to_ask = false;
                let batch = self.batch();
                permit.send(batch);
            }
            Step::Said(said) => {
                (self.heard, self.asked) = (time::now(), None);
                said.window.into_iter().for_each(|window| self.room(window));
                self.on_answers(said.answers);
            }
            Step::Called(attempt, result) => self.on_called(&attempt, result),
            Step::Ended(status) => {
                self.is_refused |= status.as_ref().is_some_and(is_refusal);
                return Some(match status {
                    Some(status) => self.words.status(&status),
                    None => "the carrier ended the stream".to_owned(),
                });
            }
        }
        None
    }

    fn on_answers(&mut self, answers: Vec<pb::Answer>) {
        for answer in answers {
            let Some(verdict) = self.reader.verdict(&self.maps, &answer.attempt_id, answer.result) else {
                // It stays open: the carrier may say more, or its time runs out.
                self.odd("empty_answer");
                continue;
            };
            self.answered(&answer.attempt_id, verdict);
        }
    }

    fn on_called(&mut self, attempt: &str, result: Result<pb::SubmitOneResponse, Status>) {
        let verdict = match result {
            Ok(response) => {
                let result = response.answer.and_then(|answer| answer.result);
                let verdict = self.reader.verdict(&self.maps, attempt, result);
                if verdict.is_none() {
                    self.odd("empty_answer");
                }
                // The call is over, so nothing else will be said.
                verdict.unwrap_or(Verdict::Unanswered)
            }
            Err(status) => {
                self.is_refused |= is_refusal(&status);
                self.reader.status(&self.maps, &status)
            }
        };
        // A call that outlasted its time was answered for already.
        if self.unanswered.is_open(attempt) || verdict != Verdict::Unanswered {
            self.answered(attempt, verdict);
        }
    }

    /// An answer to `attempt`, after which the carrier may want to rest.
    fn answered(&mut self, attempt: &str, verdict: Verdict) {
        let Some(tag) = self.unanswered.answered(attempt) else {
            return self.odd("stray_answer");
        };
        let is_unfit = match &verdict {
            Verdict::Refused {
                rule: Rule {
                    action: Action::LinkDown,
                    ..
                },
                detail,
                ..
            } => Some(format!("the carrier answers {detail}")),
            _ => None,
        };
        if let Some(rest) = wanted_rest(&verdict) {
            self.rest = Some((time::now() + rest, verdict.clone()));
        }
        self.answers.push(Answer { tag, verdict });
        if let Some(reason) = is_unfit.filter(|_| self.leaving.is_none()) {
            self.flush();
            self.tell(Event::Down { reason: reason.clone() });
            self.stop(&reason);
        }
    }

    /// When the carrier is to be asked for a sign of life, or has given none. Calls need none.
    fn sign_at(&self) -> Option<Instant> {
        if self.way.is_calls() || self.leaving.is_some() {
            return None;
        }
        let silence = self.dialect.grpc.keep_alive;
        Some(match self.asked {
            Some(asked) => asked + silence.min(SIGN_LIMIT),
            None => self.heard + silence,
        })
    }

    /// What time brings; why the connection is over, where it is.
    fn on_tick(&mut self) -> Option<String> {
        let now = time::now();
        while self.queue.front().is_some_and(|queued| queued.until <= now) {
            let queued = self.queue.pop_front().expect("there is a first one");
            self.unsent(&queued.job);
        }
        let overdue = self.unanswered.overdue(now).into_iter();
        self.answers.extend(overdue.map(|tag| Answer {
            tag,
            verdict: Verdict::Unanswered,
        }));
        if self.sign_at().is_some_and(|at| at <= now) {
            if self.asked.is_some() {
                return Some("the carrier gives no sign of life".to_owned());
            }
            (self.asked, self.is_to_ask) = (Some(now), true);
        }
        None
    }

    fn token(&mut self) -> u64 {
        let token = *self.token_next;
        *self.token_next += 1;
        token
    }

    fn on_receipts(&mut self, items: Vec<(String, pb::Receipt)>) {
        self.maps = self.dialect.maps.get();
        let mut arrived = Vec::with_capacity(items.len());
        for (id, item) in items {
            let token = self.token();
            if !self.receipts.enter(token, id) {
                self.odd("receipt_without_id");
            }
            let (remote_id, receipt) = receipt::read(&self.dialect.link, &self.maps, &item);
            arrived.push(Arrived {
                token,
                remote_id,
                receipt,
                party: None,
            });
        }
        if !arrived.is_empty() {
            self.flush();
            self.tell(Event::Receipts(arrived));
        }
    }

    fn on_inbound(&mut self, items: Vec<(String, (String, pb::InboundMessage))>) {
        let rules = self.dialect.grpc.inbound;
        let mut came = Vec::with_capacity(items.len());
        for (id, item) in items {
            let token = self.token();
            if !self.inbound.enter(token, id) {
                self.odd("inbound_without_id");
            }
            let (part, odd) = inbound::read(item);
            odd.into_iter().for_each(|kind| self.odd(kind));
            came.push(Came { token, part, rules });
        }
        if !came.is_empty() {
            self.tell(Event::Inbound(came));
        }
    }

    fn odd(&mut self, kind: &'static str) {
        metrics::oddity(&self.dialect.link, kind);
        if self.seen.insert(kind) {
            warn!(link = %self.dialect.link, kind, "the carrier sent something odd, counted from now on");
        }
    }

    /// Answers what is left: what waited for room was not sent, and of what was written nobody knows.
    async fn leave(mut self, reason: String) -> End {
        for queued in std::mem::take(&mut self.queue) {
            self.unsent(&queued.job);
        }
        let lost = self.unanswered.lost().into_iter();
        self.answers.extend(lost.map(|tag| Answer {
            tag,
            verdict: Verdict::Unanswered,
        }));
        self.flush();
        let end = End {
            reason,
            is_closing: self.is_closing,
            held: Some(time::now().duration_since(self.since)),
            is_refused: self.is_refused,
        };
        if self.leaving.is_some() {
            let farewell = async { futures::join!(self.receipts.finish(), self.inbound.finish(), self.way.finish()) };
            let _ = time::timeout(CLOSE_LIMIT, farewell).await;
        }
        end
    }
}

/// How long the carrier wants to rest, where the link is too fast: `None` = it does not, or one message is in the way.
fn wanted_rest(verdict: &Verdict) -> Option<Duration> {
    match verdict {
        Verdict::Refused { rule, retry_after, .. } => {
            let is_throttle = matches!(rule.action, Action::Hold { .. }) && rule.code == "throttled";
            retry_after.filter(|_| is_throttle)
        }
        _ => None,
    }
}

/// Opens the way to the carrier: the connection, and what the carrier said first.
pub(super) async fn open(dialect: &Dialect) -> Result<(Client, Opened), Failure> {
    let words = Words::new(dialect.grpc.key.clone());
    let connecting = Client::connect(&dialect.grpc, &words);
    let client = time::timeout(CONNECT_LIMIT, connecting).await;
    let client = client.unwrap_or_else(|| {
        Err(Failure {
            reason: format!("no connection within {} s", CONNECT_LIMIT.as_secs()),
            is_refused: false,
        })
    })?;
    let opened = Way::open(&client, &words).await?;
    Ok((client, opened))
}

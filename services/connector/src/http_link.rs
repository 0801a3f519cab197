//! A link over HTTP: a request for each message, as its configuration describes, and a webhook for what comes back later.
//!
//! There is no connection that could be up: the link is until the carrier cannot be reached (`health.rs`). What was asked and
//! not answered in time is unanswered, and its answer is waited for a while longer.

mod answer;
mod config;
mod desk;
mod fields;
mod finished;
mod health;
mod hook;
mod hooks;
mod inbound;
mod proof;
mod receipt;
mod request;
mod standing;
mod when;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures::{
    FutureExt as _, StreamExt as _,
    future::{AbortHandle, Aborted, BoxFuture, abortable},
    stream::FuturesUnordered,
};
use service::{Dice, time, time::Instant};
use smpp::IdFormats;
use tracing::{error, info};
use web::{Client, Failure, RootCertStore, roots};

use crate::{
    Action, Rule,
    link::{Answer, Command, Event, Job, Plug, Tag, Verdict},
    maps::LiveMaps,
    metrics,
};
use health::Health;

pub use config::HttpConfig;
pub(crate) use config::{AnswerShape, Body, Node, PLACES};
pub(crate) use hook::{Field, Format, HookConfig, InboundShape, Only, ReceiptShape};
pub(crate) use hooks::{Calls, Hooks};
pub(crate) use proof::{Hash, HashEncoding, KeyedHash, Over, Proof};
pub(crate) use receipt::ANSWER_WITHIN_DEFAULT;
pub(crate) use when::TimeFormat;

/// How long an answer is waited for after its part was given up.
const LATE_FOR: Duration = Duration::from_secs(60);
/// Parts that may be waited for so; the oldest are forgotten first.
const LATE_MAX: usize = 1_000;
/// Where nothing else is said of it.
const PROFILE: Rule = Rule {
    action: Action::Next { then_fail: false },
    code: "profile",
};

/// What a link does beside its configuration.
#[derive(Clone, Debug)]
pub(crate) struct Dialect {
    /// Its name, for logs and metrics.
    pub link: Arc<str>,
    /// How to ask and what answers mean.
    pub http: HttpConfig,
    /// Requests that may be on their way at once.
    pub window: u32,
    /// What its words mean.
    pub maps: LiveMaps,
}

/// Serves the link until it is told to close.
pub(crate) async fn run(dialect: Dialect, dice: Dice, calls: &mut Option<Calls>, plug: Plug) {
    Link::new(dialect, dice, plug).run(calls).await;
}

type Asked = Result<(u64, Result<web::Answer, Failure>), Aborted>;

/// A request on its way.
struct Open {
    tag: Tag,
    /// When it is given up, and then forgotten.
    due: Instant,
    /// Whether it was given up, so that only an answer counts.
    is_late: bool,
    handle: AbortHandle,
}

struct Link {
    dialect: Dialect,
    client: Client,
    plug: Plug,
    health: Health,
    desk: desk::Desk,
    asked: FuturesUnordered<BoxFuture<'static, Asked>>,
    open: BTreeMap<u64, Open>,
    /// When something becomes due of which of them.
    due: BTreeSet<(Instant, u64)>,
    knocking: Option<BoxFuture<'static, Result<(), String>>>,
    numbers: u64,
    /// Why the link is down, to be told behind the answers that came before.
    news: Option<String>,
    /// What was logged already.
    told: BTreeSet<String>,
}

impl Link {
    fn new(dialect: Dialect, dice: Dice, plug: Plug) -> Self {
        let http = &dialect.http;
        let trusted = match http.host().starts_with("http:") {
            true => RootCertStore::empty(),
            // Nobody is trusted then, so that no connection is made, which is told and tried again.
            false => roots(http.ca.as_deref()).unwrap_or_else(|why| {
                error!(link = %dialect.link, why, "the link trusts nobody");
                RootCertStore::empty()
            }),
        };
        let idle_max = usize::try_from(dialect.window).expect("a window is small");
        Self {
            client: Client::new(trusted, idle_max),
            health: Health::new(http.reconnect.clone(), http.credentials_pause, dice),
            dialect,
            plug,
            desk: desk::Desk::default(),
            asked: FuturesUnordered::new(),
            open: BTreeMap::new(),
            due: BTreeSet::new(),
            knocking: None,
            numbers: 0,
            news: None,
            told: BTreeSet::new(),
        }
    }

    async fn run(mut self, calls: &mut Option<Calls>) {
        self.say(Event::Up);
        loop {
            self.give_up(time::now());
            self.see_to_health(time::now());
            let health = self.health.wake().filter(|_| self.knocking.is_none());
            let wake = [self.due.first().map(|(at, _)| *at), health];
            let wake = wake
                .into_iter()
                .flatten()
                .min()
                .unwrap_or_else(|| time::now() + LATE_FOR);
            tokio::select! {
                biased;
                command = self.plug.commands.recv() => match command {
                    Some(Command::Submit(jobs)) => self.submit(&jobs),
                    Some(Command::Reply(replies)) => replies.into_iter().for_each(|reply| self.desk.reply(reply)),
                    Some(Command::Probe(probe)) => probe.has_no_test(),
                    Some(Command::Close) | None => return self.close(),
                },
                Some(first) = self.asked.next(), if !self.asked.is_empty() => self.on_answers(first),
                Some(delivered) = next_call(calls) => self.on_call(delivered),
                knocked = knocked(&mut self.knocking) => self.on_knocked(knocked),
                () = time::sleep_until(wake) => {}
            }
        }
    }

    fn say(&self, event: Event) {
        // A pump that is gone hears nothing, and closes the commands.
        let _ = self.plug.events.send(event);
    }

    fn submit(&mut self, jobs: &[Job]) {
        let now = time::now();
        let mut answers = Vec::new();
        for job in jobs {
            if let Some(verdict) = self.ask(job, now) {
                answers.push(Answer { tag: job.tag, verdict });
            }
        }
        if !answers.is_empty() {
            self.say(Event::Answers(answers));
        }
    }

    /// Sends the request for `job`; a verdict = it was not sent.
    fn ask(&mut self, job: &Job, now: Instant) -> Option<Verdict> {
        if !self.health.is_up() {
            return Some(Verdict::Unsent { code: "no_link" });
        }
        if let Some(rest) = self.health.resting(now) {
            return Some(Verdict::Refused {
                rule: rest.rule,
                detail: rest.detail.clone(),
                retry_after: Some(rest.until.duration_since(now)),
            });
        }
        let request = match request::request(&self.dialect.http, job) {
            Ok(request) => request,
            Err(detail) => return Some(unfit(detail)),
        };
        self.numbers += 1;
        let (number, client) = (self.numbers, self.client.clone());
        let (asking, handle) = abortable(async move { (number, client.send(request).await) });
        self.asked.push(asking.boxed());
        let due = now + job.answer_timeout;
        let open = Open {
            tag: job.tag,
            due,
            is_late: false,
            handle,
        };
        self.open.insert(number, open);
        self.due.insert((due, number));
        None
    }

    /// Answers what was not answered in time, and forgets what is not answered at all.
    fn give_up(&mut self, now: Instant) {
        let mut answers = Vec::new();
        while let Some((at, number)) = self.due.first().copied().filter(|(at, _)| *at <= now) {
            self.due.remove(&(at, number));
            let Some(open) = self.open.get_mut(&number) else {
                continue;
            };
            if std::mem::replace(&mut open.is_late, true) {
                self.forget(number);
                continue;
            }
            answers.push(Answer {
                tag: open.tag,
                verdict: Verdict::Unanswered,
            });
            open.due = now + LATE_FOR;
            self.due.insert((open.due, number));
        }
        // Only here a request becomes late.
        if !answers.is_empty() {
            self.say(Event::Answers(answers));
            self.bound_late();
        }
    }

    fn bound_late(&mut self) {
        let mut late: Vec<u64> = Vec::new();
        if self.open.len() > LATE_MAX {
            let is_late = self.open.iter().filter(|(_, open)| open.is_late);
            late.extend(is_late.map(|(number, _)| *number));
        }
        let beyond = late.len().saturating_sub(LATE_MAX);
        late.into_iter().take(beyond).for_each(|number| self.forget(number));
    }

    fn forget(&mut self, number: u64) {
        if let Some(open) = self.take(number) {
            open.handle.abort();
        }
    }

    fn take(&mut self, number: u64) -> Option<Open> {
        let open = self.open.remove(&number)?;
        self.due.remove(&(open.due, number));
        Some(open)
    }

    fn on_call(&mut self, delivered: desk::Delivered) {
        let receipts = delivered.receipts.len();
        match self.desk.enter(delivered) {
            None => metrics::receipts(&self.dialect.link, "overload", receipts),
            Some((arrived, came)) => {
                if !arrived.is_empty() {
                    self.say(Event::Receipts(arrived));
                }
                if !came.is_empty() {
                    self.say(Event::Inbound(came));
                }
            }
        }
    }

    /// Answers what is open and says goodbye.
    fn close(self) {
        let open = self.open.values().filter(|open| !open.is_late);
        let unanswered = |open: &Open| Answer {
            tag: open.tag,
            verdict: Verdict::Unanswered,
        };
        let answers: Vec<Answer> = open.map(unanswered).collect();
        if !answers.is_empty() {
            self.say(Event::Answers(answers));
        }
        let reason = "closed".to_owned();
        self.say(Event::Down { reason });
        info!(link = %self.dialect.link, "link closed");
    }
}

/// Ids of HTTP carriers are texts of which every character counts.
pub(crate) fn exact_ids() -> IdFormats {
    IdFormats {
        response: smpp::IdFormat::Exact,
        receipt: smpp::IdFormat::Exact,
    }
}

/// A message that cannot be asked of this carrier.
fn unfit(detail: String) -> Verdict {
    Verdict::Refused {
        rule: PROFILE,
        detail,
        retry_after: None,
    }
}

/// The next call of the carrier; never where there is no webhook.
async fn next_call(calls: &mut Option<Calls>) -> Option<desk::Delivered> {
    match calls {
        Some(calls) => calls.recv().await,
        None => std::future::pending().await,
    }
}

/// What came of knocking; never where nobody knocks.
async fn knocked(knocking: &mut Option<BoxFuture<'static, Result<(), String>>>) -> Result<(), String> {
    match knocking {
        Some(knocking) => knocking.await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;

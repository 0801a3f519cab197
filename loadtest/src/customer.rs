//! A customer: messages in open loop, each under a key of its own, submitted again until it is answered, and their receipts.

mod ledger;
mod timetable;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use service::{Clock, time, time::Instant};
use signalbox_proto::{
    ingest::come_back,
    pb::signalbox::ingest::v1::{
        Problem, Submission, SubmitStreamResponse, WatchReceiptsResponse, answer::Result as Answer,
    },
};
use tokio::sync::watch;
use tonic::{Code, Status};

pub(crate) use ledger::{Entry, Ledger};
pub(crate) use timetable::Timetable;

use crate::{
    stage::{API_KEY, Courier, FRAME_MESSAGES_MAX, News},
    submit::{Target, submission},
    world::Letter,
};

/// Frames leave this often, with whatever is due by then.
const FRAME_PERIOD: Duration = Duration::from_millis(2);
/// Frames that were not answered in full, as many as ingest works on at a time: what is due meanwhile goes together in the next.
const FRAMES_OPEN_MAX: usize = 16;
/// Longest wait for an answer before another ingest is asked.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);
/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Pause before a message goes again of which the router says that something is away, and not for how long. Where nothing else
/// is taken meanwhile, another ingest is asked then.
const AWAY_PAUSE: Duration = Duration::from_secs(1);
/// Pause before the next try where nobody answers.
const PAUSE: Duration = Duration::from_millis(100);

/// How far the customer shall go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Messages are sent.
    Sending,
    /// No new ones are; those that were are answered and followed to their ends, until then.
    Settling { until: Instant },
}

/// What the customer was told beside answers and receipts, and how often. Shared with who reports while it goes on.
pub(crate) type Troubles = BTreeMap<String, u64>;

/// What is sent, in order.
pub(crate) type Letters = Box<dyn Iterator<Item = anyhow::Result<Letter>> + Send>;

/// A customer at work.
pub(crate) struct Customer {
    targets: Vec<Target>,
    /// Which of them is asked.
    target: usize,
    token: Option<String>,
    letters: Letters,
    timetable: Arc<dyn Timetable>,
    /// What its keys begin with.
    run: String,
    ledger: Arc<Mutex<Ledger>>,
    /// By frame, with when it left: what was sent and not answered; answered places are taken out.
    open: BTreeMap<u64, (Instant, BTreeMap<u32, Sent>)>,
    frames: u64,
    /// Since when all that was answered is that something is away: nothing is sent meanwhile.
    away: Option<Instant>,
    again: VecDeque<Sent>,
    later: BTreeMap<Instant, Vec<Sent>>,
    pub(crate) troubles: Troubles,
    pub(crate) refused: Option<String>,
}

struct Sent {
    place: usize,
    letter: Letter,
}

impl Customer {
    /// A customer of `targets` who sends `letters` by `timetable`, from now on, under keys that begin with `run`.
    pub(crate) fn new(targets: Vec<Target>, letters: Letters, timetable: Arc<dyn Timetable>, run: String) -> Self {
        let ledger = Ledger::new(time::now(), Clock::wall().precisely(), Arc::clone(&timetable));
        Self {
            targets,
            target: 0,
            token: None,
            letters,
            timetable,
            run,
            ledger: Arc::new(Mutex::new(ledger)),
            open: BTreeMap::new(),
            frames: 0,
            away: None,
            again: VecDeque::new(),
            later: BTreeMap::new(),
            troubles: Troubles::new(),
            refused: None,
        }
    }

    /// What it knows of its messages, also while it works.
    pub(crate) fn ledger(&self) -> Arc<Mutex<Ledger>> {
        Arc::clone(&self.ledger)
    }

    /// Sends, asks again and follows, until every message has ended or the time for that is over.
    ///
    /// # Errors
    /// There are no more numbers, or an answer makes no sense.
    pub(crate) async fn run(mut self, phases: watch::Receiver<Phase>) -> anyhow::Result<Self> {
        while !self.is_done(*phases.borrow()) {
            let target = self.targets[self.target];
            let connecting = Courier::connect(target, API_KEY, self.token.clone());
            match time::timeout(CONNECT_TIMEOUT, connecting).await {
                Some(Ok(courier)) => self.talk(courier, &phases).await?,
                Some(Err(error)) => self.note_trouble(&error),
                None => self.note("no connection in time"),
            }
            if !self.is_done(*phases.borrow()) {
                self.target = (self.target + 1) % self.targets.len();
                time::sleep(PAUSE).await;
            }
        }
        Ok(self)
    }

    fn is_done(&self, phase: Phase) -> bool {
        let Phase::Settling { until } = phase else { return false };
        let is_answered = self.open.is_empty() && self.again.is_empty() && self.later.is_empty();
        time::now() >= until || (is_answered && self.ledger().lock().is_ok_and(|ledger| ledger.open == 0))
    }

    /// Works over one connection until it breaks or nothing is left to do.
    async fn talk(&mut self, mut courier: Courier, phases: &watch::Receiver<Phase>) -> anyhow::Result<()> {
        self.away = None;
        // What the last connection left open may be there or not: it goes again under its key.
        for (_, (_, sent)) in std::mem::take(&mut self.open) {
            self.again.extend(sent.into_values());
        }
        let mut ticks = time::every(FRAME_PERIOD);
        loop {
            // Both arms are cancel-safe: a stream keeps a message that was not taken.
            tokio::select! { biased;
                _ = ticks.tick() => {
                    if self.is_done(*phases.borrow()) {
                        return Ok(());
                    }
                    match self.away {
                        Some(since) if since.elapsed() >= AWAY_PAUSE => return Ok(()),
                        Some(_) => {}
                        None => self.send_due(&courier, *phases.borrow())?,
                    }
                    let oldest = self.open.first_key_value();
                    if oldest.is_some_and(|(_, (at, _))| at.elapsed() >= ANSWER_TIMEOUT) {
                        self.note("no answer in time");
                        return Ok(());
                    }
                }
                news = courier.next() => match news {
                    Ok(News::Answers(answers)) => self.take_answers(answers)?,
                    Ok(News::Receipts(receipts)) => {
                        self.token = Some(receipts.token.clone());
                        self.take_receipts(receipts);
                    }
                    Err(error) => {
                        self.note_trouble(&error);
                        return Ok(());
                    }
                }
            }
        }
    }

    fn send_due(&mut self, courier: &Courier, phase: Phase) -> anyhow::Result<()> {
        let now = time::now();
        while let Some(entry) = self.later.first_entry()
            && *entry.key() <= now
        {
            self.again.extend(entry.remove());
        }
        let ledger = Arc::clone(&self.ledger);
        let mut ledger = lock(&ledger);
        let due = match phase {
            Phase::Sending => ledger.due_by(now),
            Phase::Settling { .. } => 0,
        };
        while self.open.len() < FRAMES_OPEN_MAX && (!self.again.is_empty() || ledger.entries.len() < due) {
            let mut sent = Vec::new();
            while sent.len() < FRAME_MESSAGES_MAX
                && let Some(next) = self.next(&mut ledger, due)?
            {
                sent.push(next);
            }
            self.frames += 1;
            let submissions = || sent.iter().map(|sent| self.submission(sent)).collect();
            if !courier.send_with(self.frames, submissions) {
                self.again.extend(sent);
                return Ok(());
            }
            for sent in &sent {
                let entry = &mut ledger.entries[sent.place];
                entry.submitted = entry.submitted.saturating_add(1);
            }
            self.open.insert(self.frames, (now, (0..).zip(sent).collect()));
        }
        Ok(())
    }

    /// The next message to send: one that goes again, or one of those that are due and new.
    fn next(&mut self, ledger: &mut Ledger, due: usize) -> anyhow::Result<Option<Sent>> {
        if let Some(sent) = self.again.pop_front() {
            return Ok(Some(sent));
        }
        let place = ledger.entries.len();
        if place >= due {
            return Ok(None);
        }
        let letter = self.letters.next().context("there are no more numbers")??;
        ledger.entries.push(Entry::default());
        Ok(Some(Sent { place, letter }))
    }

    fn submission(&self, sent: &Sent) -> Submission {
        let reference = sent.place.to_string();
        Submission {
            idempotency_key: format!("{}-{reference}", self.run),
            ..submission(sent.letter.clone(), reference, Some(self.timetable.ttl(sent.place)))
        }
    }

    fn take_answers(&mut self, response: SubmitStreamResponse) -> anyhow::Result<()> {
        if let Some(problem) = &response.error {
            anyhow::bail!("a frame was refused: {}", problem.message);
        }
        let ledger = Arc::clone(&self.ledger);
        let mut ledger = lock(&ledger);
        for answer in response.answers {
            let result = answer.result.context("an answer without a result")?;
            let Some((_, open)) = self.open.get_mut(&response.sequence) else {
                continue;
            };
            let Some(sent) = open.remove(&answer.index) else {
                continue;
            };
            if open.is_empty() {
                self.open.remove(&response.sequence);
            }
            match result {
                Answer::Accepted(accepted) => {
                    self.away = None;
                    ledger.accept(sent.place, accepted.message_id.parse().context("an id that is none")?);
                }
                Answer::Error(problem) => self.take_problem(sent, problem, &mut ledger),
            }
        }
        Ok(())
    }

    /// Comes back where that may help; else the message is refused for good.
    fn take_problem(&mut self, sent: Sent, problem: Problem, ledger: &mut Ledger) {
        let code = Code::from_i32(problem.code);
        let stay_away = come_back(&problem);
        *self.troubles.entry(format!("{code:?}, a message")).or_default() += 1;
        let now = time::now();
        if code == Code::Unavailable {
            self.away.get_or_insert(now);
        }
        if stay_away.is_some() || code == Code::Unavailable {
            let at = now + stay_away.unwrap_or(AWAY_PAUSE);
            self.later.entry(at).or_default().push(sent);
            return;
        }
        ledger.entries[sent.place].refused = true;
        self.refused.get_or_insert(problem.message);
    }

    fn take_receipts(&mut self, response: WatchReceiptsResponse) {
        let mut ledger = lock(&self.ledger);
        for receipt in response.receipts.into_iter().filter(|receipt| !receipt.late) {
            if let Ok(place) = receipt.reference.parse() {
                ledger.end(place, receipt.state());
            }
        }
    }

    /// A connection that broke, by what the customer's library calls it.
    fn note_trouble(&mut self, error: &anyhow::Error) {
        match error.downcast_ref::<Status>() {
            Some(status) => {
                let source = std::error::Error::source(status).is_some();
                let what = if source {
                    "the connection broke"
                } else {
                    status.message()
                };
                self.note(&format!("{:?}: {what}", status.code()));
            }
            None => self.note("no connection"),
        }
    }

    fn note(&mut self, what: &str) {
        *self.troubles.entry(what.to_owned()).or_default() += 1;
    }
}

fn lock(ledger: &Mutex<Ledger>) -> MutexGuard<'_, Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}

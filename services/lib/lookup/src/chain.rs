//! The chain of those who may know who serves a number: memory, the list of ported numbers, the shared store, the
//! providers in order, and in the end nobody, which leaves it to the numbering plan.
//!
//! - A number is asked about once at a time: who wants to know it meanwhile waits for the same answer.
//! - Nobody waits beyond the budget; the call under way goes on, and its answer is there for the next.
//! - Providers are asked within their rate and their number of calls, and left alone while they fail.
//! - Answers are kept in memory and in the shared store, each for its time; also that nobody knows, and that asking failed. A network
//!   that is too old is given for as long again, and asked anew behind.
//! - All that is kept has a bound. Of a number no process and no store keeps more than a keyed hash.

mod asker;
mod breaker;
mod config;
mod entry;
mod flights;
mod inner;
mod memory;
mod numbering;
mod quest;
mod shelf;
mod trace;
mod worker;

use std::{
    pin::pin,
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use service::{
    Tasks,
    time::{self, Instant},
};
use sms::{Msisdn, UnixMs};
use table::Micros;
use tokio::sync::mpsc;

pub use asker::Skip;
pub use config::{ChainConfig, ChainDeps, Limits, Ttls, Upstream};
pub use numbering::Numbering;
pub use trace::{Found, Step, Trace};

use self::{
    asker::Asker,
    entry::{Age, PROVIDERS_MAX, Seconds},
    flights::{Boarded, Flights, Landed, Waits},
    inner::{Inner, plan},
    memory::Memory,
    quest::{Quest, Seeker},
    shelf::Shelf,
    trace::Recorder,
};
use crate::{
    Answer, Confidence, Source,
    metrics::{self, Counted},
};

/// Who may know who serves a number, in order. Cheap to clone; clones are one chain, which ends with the last of them.
#[derive(Clone)]
pub struct Chain {
    inner: Arc<Inner>,
    /// Asks on behalf of all.
    _worker: Arc<Tasks>,
}

/// A number of a batch that memory does not know.
struct Missing {
    /// Its place in the batch.
    at: usize,
    number: Msisdn,
}

/// A number of a batch that is being asked about.
struct Waiting {
    at: usize,
    waits: Waits,
}

impl Chain {
    /// A chain that knows nothing yet, with `upstreams` in the order in which they are asked. To be called within a runtime.
    ///
    /// # Panics
    /// There are more than 31 providers.
    pub fn new(config: ChainConfig, upstreams: Vec<Upstream>, deps: ChainDeps) -> Self {
        assert!(upstreams.len() <= PROVIDERS_MAX, "configuration bounds the providers");
        metrics::describe();
        let (quests, wanted) = mpsc::unbounded_channel();
        let asker = |upstream| Asker::new(upstream, Arc::clone(&deps.numbering));
        let inner = Arc::new(Inner {
            askers: upstreams.into_iter().map(asker).collect(),
            memory: Memory::new(config.numbers_max),
            shelf: config.secret.as_ref().map(Shelf::new),
            flights: Flights::new(config.queries_max),
            refreshing: AtomicUsize::new(0),
            quests,
            counted: Counted::new(),
            keys: (deps.dice.next_u64(), deps.dice.next_u64()),
            config,
            deps,
        });
        let mut worker = Tasks::new();
        worker.spawn(worker::run(Arc::clone(&inner), wanted));
        Self {
            inner,
            _worker: Arc::new(worker),
        }
    }

    /// What is known of `number` without asking anybody: what memory holds, or else the list of ported numbers. `None` = a look-up
    /// may find out. An answer with [`Confidence::Low`] says that one would not, as it just failed to.
    ///
    /// Locks and awaits nothing, and allocates no more than the name of the provider. What is stale is asked anew behind.
    pub fn known(&self, number: &Msisdn) -> Option<Answer> {
        self.known_at(number, self.inner.deps.clock.now())
    }

    /// The same for a batch that read the clock once.
    pub fn known_at(&self, number: &Msisdn, now: UnixMs) -> Option<Answer> {
        let known = self.remembered(number, now);
        match &known {
            Some((answer, Age::Stale)) => {
                self.inner.counted.answered(answer.source, true);
                self.inner.refresh(number);
            }
            Some((answer, _)) => self.inner.counted.answered(answer.source, false),
            None => {}
        }
        known.map(|(answer, _)| answer)
    }

    /// What is known of each of `numbers`, in their order, after asking whoever may know for `budget` at the longest. What nobody
    /// said by then is left to the numbering plan ([`Source::Plan`]), and known when somebody says so later.
    ///
    /// Dropping the future costs nobody else the answer. A cost stands with one of those who waited for it.
    pub async fn look_up(&self, numbers: &[Msisdn], budget: Duration) -> Vec<Answer> {
        let until = time::now() + budget;
        let now = self.inner.deps.clock.now();
        let mut answers = vec![plan(now); numbers.len()];
        let mut missing = Vec::new();
        for (at, number) in numbers.iter().enumerate() {
            match self.known_at(number, now) {
                Some(answer) => answers[at] = answer,
                None => missing.push(Missing {
                    at,
                    number: number.clone(),
                }),
            }
        }
        if !missing.is_empty() {
            let missing = self.fetch(missing, &mut answers, until).await;
            self.ask(missing, &mut answers, until).await;
        }
        answers
    }

    /// Forgets what is known of `number` here and in the shared store, as somebody found it to be wrong. The next look-up asks.
    /// Other processes go on for as long as they remember it.
    pub async fn forget(&self, number: &Msisdn) {
        let inner = &self.inner;
        inner.memory.remove(inner.mark(number));
        inner.remove(number).await;
    }

    /// A look-up of `number` as [`Chain::look_up`] does it, step by step.
    pub async fn trace(&self, number: &Msisdn, budget: Duration) -> Trace {
        let (recorder, began) = (Recorder::default(), time::now());
        let answer = self.traced(number, began + budget, &recorder).await;
        Trace {
            steps: recorder.steps(),
            answer,
            took: time::now().duration_since(began),
        }
    }

    /// What memory says, unless that is nothing and the list says more.
    fn remembered(&self, number: &Msisdn, now: UnixMs) -> Option<(Answer, Age)> {
        let inner = &self.inner;
        let seconds = Seconds::of(now);
        let known = inner.memory.get(inner.mark(number), seconds);
        let said = known.map(|(entry, age)| (inner.answer(&entry, Source::Memory, Micros(0), seconds), age));
        match said {
            Some((answer, _)) if answer.confidence == Confidence::Low => {
                let listed = inner.listed(number, now);
                Some((listed.unwrap_or(answer), Age::Fresh))
            }
            None => inner.listed(number, now).map(|answer| (answer, Age::Fresh)),
            known => known,
        }
    }

    /// Fills in what the shared store knows, and returns the rest.
    async fn fetch(&self, missing: Vec<Missing>, answers: &mut [Answer], until: Instant) -> Vec<Missing> {
        let inner = &self.inner;
        let numbers: Vec<_> = missing.iter().map(|missing| &missing.number).collect();
        let found = inner.load(&numbers, until).await;
        let now = inner.now();
        let mut left = Vec::new();
        for (missing, found) in missing.into_iter().zip(found) {
            let Some((entry, age)) = found else {
                left.push(missing);
                continue;
            };
            inner.memory.put(inner.mark(&missing.number), &entry, now);
            inner.counted.answered(Source::Store, age == Age::Stale);
            answers[missing.at] = inner.answer(&entry, Source::Store, Micros(0), now);
            if age == Age::Stale {
                inner.refresh(&missing.number);
            }
        }
        left
    }

    /// Asks the providers, and fills in what they say by `until`.
    async fn ask(&self, missing: Vec<Missing>, answers: &mut [Answer], until: Instant) {
        let mut waiting = self.board(missing, answers, until, None);
        waiting.reverse();
        let mut late = pin!(time::sleep_until(until));
        while let Some(Waiting { at, mut waits }) = waiting.pop() {
            let landed = tokio::select! {
                biased;
                landed = &mut waits => landed.ok(),
                () = &mut late => {
                    waiting.push(Waiting { at, waits });
                    break;
                }
            };
            self.land(landed, &mut answers[at]);
        }
        for Waiting { at, mut waits } in waiting {
            match waits.try_recv() {
                Ok(landed) => self.land(Some(landed), &mut answers[at]),
                Err(_) => self.inner.counted.late(),
            }
        }
    }

    /// Has the providers asked about whatever is not being asked about yet.
    fn board(
        &self,
        missing: Vec<Missing>,
        answers: &mut [Answer],
        until: Instant,
        recorder: Option<Recorder>,
    ) -> Vec<Waiting> {
        let inner = &self.inner;
        let (mut waiting, mut seekers) = (Vec::new(), Vec::new());
        let now = inner.now();
        for Missing { at, number } in missing {
            let mark = inner.mark(&number);
            // What others asked about while the store was asked is known by now.
            if let Some((entry, _)) = inner.memory.get(mark, now) {
                answers[at] = inner.answer(&entry, Source::Memory, Micros(0), now);
                inner.counted.answered(Source::Memory, false);
                continue;
            }
            match inner.flights.board(mark) {
                Boarded::First(ticket, waits) => {
                    seekers.push(Seeker::new(number, ticket));
                    waiting.push(Waiting { at, waits });
                }
                Boarded::Joined(waits) => {
                    inner.counted.joined();
                    waiting.push(Waiting { at, waits });
                }
                Boarded::Full => inner.counted.full(),
            }
        }
        inner.counted.under_way(inner.flights.len());
        if !seekers.is_empty() {
            inner.send(Quest {
                seekers,
                until,
                is_refresh: false,
                recorder,
            });
        }
        waiting
    }

    fn land(&self, landed: Option<Landed>, answer: &mut Answer) {
        let inner = &self.inner;
        let known = landed.and_then(|landed| Some((landed.entry?, landed.cost)));
        if let Some((entry, cost)) = known {
            let source = match entry.confidence() {
                Confidence::High => Source::Provider,
                Confidence::Low => Source::Plan,
            };
            *answer = inner.answer(&entry, source, cost, inner.now());
        } else if let Some(landed) = landed {
            answer.cost = landed.cost;
        }
        inner.counted.answered(answer.source, false);
    }

    async fn traced(&self, number: &Msisdn, until: Instant, recorder: &Recorder) -> Answer {
        let now = self.inner.deps.clock.now();
        let began = time::now();
        if let Some((answer, age)) = self.remembered(number, now) {
            let found = match age {
                Age::Stale => Found::Stale(Box::new(answer.clone())),
                Age::Fresh | Age::Gone => Found::Answer(Box::new(answer.clone())),
            };
            recorder.step(answer.source, found, began);
            return answer;
        }
        recorder.step(Source::Memory, Found::Nothing, began);
        recorder.step(Source::Ported, Found::Nothing, began);
        let mut answers = [plan(now)];
        let missing = vec![Missing {
            at: 0,
            number: number.clone(),
        }];
        let began = time::now();
        let left = self.fetch(missing, &mut answers, until).await;
        let [answer] = &answers;
        if left.is_empty() {
            recorder.step(Source::Store, Found::Answer(Box::new(answer.clone())), began);
            return answer.clone();
        }
        let is_used = self.inner.config.secret.is_some();
        recorder.step(
            Source::Store,
            if is_used { Found::Nothing } else { Found::Absent },
            began,
        );
        self.trace_asking(left, answers, until, recorder).await
    }

    async fn trace_asking(
        &self,
        left: Vec<Missing>,
        mut answers: [Answer; 1],
        until: Instant,
        recorder: &Recorder,
    ) -> Answer {
        let began = time::now();
        let asked = recorder.steps().len();
        let waiting = self.board(left, &mut answers, until, Some(recorder.clone()));
        let [answer] = &mut answers;
        for Waiting { mut waits, .. } in waiting {
            let left = until.saturating_duration_since(time::now());
            match time::timeout(left, &mut waits).await {
                Some(landed) => {
                    if recorder.steps().len() == asked && !self.inner.askers.is_empty() {
                        recorder.step(Source::Provider, Found::Joined, began);
                    }
                    self.land(landed.ok(), answer);
                }
                None => recorder.step(Source::Provider, Found::Late, began),
            }
        }
        if answer.source == Source::Plan {
            recorder.step(Source::Plan, Found::Answer(Box::new(answer.clone())), time::now());
        }
        answer.clone()
    }
}

//! One provider, asked within its limits.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use service::{
    Seldom,
    time::{self, Instant},
};
use sms::Msisdn;
use table::Micros;
use tokio::sync::Semaphore;
use tracing::warn;

use super::{
    breaker::{Breaker, Pass},
    config::Upstream,
};
use crate::{Failure, Numbering, Reply, Terms, metrics::Provided};

/// How long a provider is left alone that is busy and does not say for how long.
const BUSY_PAUSE: Duration = Duration::from_secs(1);

/// Asks a provider, and remembers how it fares.
pub(super) struct Asker {
    pub(super) upstream: Upstream,
    numbering: Arc<dyn Numbering>,
    breaker: Mutex<Breaker>,
    /// When the next number may go, by its rate; `None` = at once.
    next: Mutex<Option<Instant>>,
    calls: Semaphore,
    told: Seldom,
    counted: Provided,
}

/// What became of a call.
#[derive(Debug)]
pub(super) enum Asked {
    /// It was made: a result for each number.
    Answered(Vec<Result<Reply, Failure>>),
    /// It was not.
    Skipped(Skip),
}

/// Why a provider is not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Skip {
    /// It failed of late, or asked to be left alone.
    Breaker,
    /// By its rate it would be asked too late.
    Rate,
    /// So many calls are on their way that it would be asked too late.
    Calls,
}

impl Skip {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Breaker, Self::Rate, Self::Calls];

    /// The word used in reports and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Breaker => "breaker",
            Self::Rate => "rate",
            Self::Calls => "calls",
        }
    }
}

impl Asker {
    pub(super) fn new(upstream: Upstream, numbering: Arc<dyn Numbering>) -> Self {
        let limits = upstream.limits;
        Self {
            breaker: Mutex::new(Breaker::new(limits.breaker)),
            next: Mutex::new(None),
            calls: Semaphore::new(limits.calls_max.max(1) as usize),
            told: Seldom::new(),
            counted: Provided::new(&upstream.provider.terms().name),
            upstream,
            numbering,
        }
    }

    pub(super) fn terms(&self) -> &Terms {
        self.upstream.provider.terms()
    }

    /// Asks about `numbers`, if that begins before `until`.
    pub(super) async fn ask(&self, numbers: &[Msisdn], until: Instant) -> Asked {
        let asked = self.ask_within(numbers, until).await;
        match &asked {
            Asked::Skipped(skip) => self.counted.skipped(*skip, numbers.len()),
            Asked::Answered(results) => self.counted.answered(results),
        }
        asked
    }

    async fn ask_within(&self, numbers: &[Msisdn], until: Instant) -> Asked {
        // Who is left alone has calls to spare, so this is found out before and after the wait for one.
        if lock(&self.breaker).is_closed(time::now()) {
            return Asked::Skipped(Skip::Breaker);
        }
        let left = until.saturating_duration_since(time::now());
        let Some(Ok(_call)) = time::timeout(left, self.calls.acquire()).await else {
            return Asked::Skipped(Skip::Calls);
        };
        let Some(at) = self.turn(numbers.len(), until) else {
            return Asked::Skipped(Skip::Rate);
        };
        time::sleep_until(at).await;
        let pass = lock(&self.breaker).pass(time::now());
        if pass == Pass::Closed {
            return Asked::Skipped(Skip::Breaker);
        }
        let probe = Probe { asker: self, pass };
        let began = time::now();
        let results = self.results(numbers).await;
        self.counted.took(time::now().duration_since(began));
        probe.heard(&results);
        Asked::Answered(results)
    }

    /// A result for each of `numbers`, whatever the provider does.
    async fn results(&self, numbers: &[Msisdn]) -> Vec<Result<Reply, Failure>> {
        let timeout = self.upstream.limits.timeout;
        let all = |failure| vec![Err(failure); numbers.len()];
        let Some(mut results) = time::timeout(timeout, self.upstream.provider.ask(numbers)).await else {
            return all(Failure::Away(format!("no answer in {} ms", timeout.as_millis())));
        };
        if results.len() != numbers.len() {
            let why = format!("{} results for {} numbers", results.len(), numbers.len());
            return all(Failure::Garbled(why));
        }
        for (number, result) in numbers.iter().zip(&mut results) {
            let network = result.as_ref().ok().and_then(|reply| reply.network);
            if network.is_some_and(|network| !self.numbering.may_serve(network, number)) {
                *result = Err(Failure::Garbled(
                    "a network of another country than the number's".to_owned(),
                ));
            }
        }
        results
    }

    /// Counts what an answer cost.
    pub(super) fn paid(&self, cost: Micros) {
        self.counted.paid(cost);
    }

    /// When `count` numbers may go by the rate; `None` = not before `until`, and none of the rate is taken.
    fn turn(&self, count: usize, until: Instant) -> Option<Instant> {
        let now = time::now();
        let Some(rate) = self.upstream.limits.rate else {
            return Some(now);
        };
        let mut next = lock(&self.next);
        let at = next.map_or(now, |next| next.max(now));
        if at > now && at >= until {
            return None;
        }
        let nanos = count as u64 * 1_000_000_000 / u64::from(rate.max(1));
        *next = Some(at + Duration::from_nanos(nanos));
        Some(at)
    }

    fn tell(&self, failure: &Failure) {
        if self.told.is_due(failure.as_str()) {
            let provider = &self.terms().name;
            warn!(%provider, %failure, "a provider of look-ups failed; the chain goes on");
        }
    }
}

/// A call under way. One that is dropped was not heard of, and lets another be the probe.
struct Probe<'a> {
    asker: &'a Asker,
    pass: Pass,
}

impl Probe<'_> {
    /// What the call came to. It fails where no result of it is of use.
    fn heard(mut self, results: &[Result<Reply, Failure>]) {
        let (asker, now) = (self.asker, time::now());
        results
            .iter()
            .filter_map(|result| result.as_ref().err())
            .for_each(|failure| asker.tell(failure));
        let pass = std::mem::replace(&mut self.pass, Pass::Open);
        let mut breaker = lock(&asker.breaker);
        let pause = results.iter().filter_map(|result| match result {
            Err(Failure::Busy { retry_after, .. }) => Some(retry_after.unwrap_or(BUSY_PAUSE)),
            _ => None,
        });
        if let Some(pause) = pause.max() {
            breaker.busy(pass, pause, now);
        } else if results
            .iter()
            .all(|result| matches!(result, Err(failure) if failure.blames_provider()))
        {
            breaker.failed(pass, now);
        } else {
            breaker.well(pass);
        }
    }
}

impl Drop for Probe<'_> {
    fn drop(&mut self) {
        lock(&self.asker.breaker).unprobed(self.pass);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

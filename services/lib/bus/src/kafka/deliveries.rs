//! Whether what is published is kept: brokers may answer every question and yet take no record.

use std::{
    collections::BTreeMap,
    sync::Mutex,
    time::{Duration, Instant},
};

use super::lock;
use crate::Topic;

/// A publish that waits so long for its acknowledgements is in trouble if no other record got one meanwhile.
const STUCK: Duration = Duration::from_secs(5);
/// One that waits so long is in trouble anyway. It is more than a full queue takes to drain.
const LATE: Duration = Duration::from_secs(15);
/// How long a failure counts if nothing was published since. After that it is worth trying again.
const FAILED_MAX: Duration = Duration::from_secs(60);

/// How the publishes of one log fare.
#[derive(Default)]
pub(super) struct Deliveries {
    under_way: Mutex<UnderWay>,
    answers: Mutex<Answers>,
}

#[derive(Default)]
struct UnderWay {
    next: u64,
    /// By number, so that the oldest is the first.
    publishes: BTreeMap<u64, (Topic, Instant)>,
}

/// The last acknowledgement, and the failure since, if there is one.
#[derive(Default)]
struct Answers {
    kept: Option<Instant>,
    failed: Option<Failure>,
}

struct Failure {
    at: Instant,
    words: String,
}

/// What is wrong with the publishes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failing {
    /// The oldest waits for its acknowledgements since so long.
    Late(Topic, Duration),
    /// The last one failed, and why.
    Failed(String),
}

impl Deliveries {
    /// A publish begins; gives its number.
    pub(super) fn begin(&self, topic: &Topic, now: Instant) -> u64 {
        let mut under_way = lock(&self.under_way);
        let number = under_way.next;
        under_way.next += 1;
        under_way.publishes.insert(number, (topic.clone(), now));
        number
    }

    /// A publish is answered, or nobody waits for it any more. A second time does nothing.
    pub(super) fn end(&self, number: u64) {
        lock(&self.under_way).publishes.remove(&number);
    }

    /// A record is safe: whatever failed before is over.
    pub(super) fn kept(&self, now: Instant) {
        *lock(&self.answers) = Answers {
            kept: Some(now),
            failed: None,
        };
    }

    /// A record was given up, for a reason that others would be given up for too.
    pub(super) fn failed(&self, words: String, now: Instant) {
        lock(&self.answers).failed = Some(Failure { at: now, words });
    }

    /// What is wrong at `now`, if anything is.
    pub(super) fn failing(&self, now: Instant) -> Option<Failing> {
        let since = |then: Instant| now.saturating_duration_since(then);
        let is_moving = {
            let answers = lock(&self.answers);
            if let Some(failure) = &answers.failed
                && since(failure.at) < FAILED_MAX
            {
                return Some(Failing::Failed(failure.words.clone()));
            }
            answers.kept.is_some_and(|kept| since(kept) < STUCK)
        };
        let under_way = lock(&self.under_way);
        let (topic, begun) = under_way.publishes.values().next()?;
        let waited = since(*begun);
        let waits_max = if is_moving { LATE } else { STUCK };
        (waited >= waits_max).then(|| Failing::Late(topic.clone(), waited))
    }
}

#[cfg(test)]
mod tests;

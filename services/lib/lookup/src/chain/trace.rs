//! One look-up, step by step, for people.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use service::time::{self, Instant};

use super::asker::{Asked, Skip};
use crate::{Answer, Failure, Provider, Reply, Source};

/// A look-up of one number, step by step.
#[derive(Clone, Debug)]
pub struct Trace {
    /// In the order in which they were taken.
    pub steps: Vec<Step>,
    /// What the chain answers.
    pub answer: Answer,
    /// How long it took.
    pub took: Duration,
}

/// Somebody who was asked.
#[derive(Clone, Debug)]
pub struct Step {
    /// Where.
    pub source: Source,
    /// Which provider; empty = it is none.
    pub provider: String,
    /// What came of it.
    pub found: Found,
    /// From its beginning to its end, waiting for the provider's turn included.
    pub took: Duration,
}

/// What came of asking somebody.
#[derive(Clone, Debug)]
pub enum Found {
    /// An answer.
    Answer(Box<Answer>),
    /// An answer that is too old: it is given and asked anew.
    Stale(Box<Answer>),
    /// A provider's reply.
    Reply(Box<Reply>),
    /// It is not known there.
    Nothing,
    /// It was not asked, as there is none.
    Absent,
    /// It failed; says no number and no secret.
    Failed(String),
    /// The provider was not asked.
    Skipped(Skip),
    /// Somebody else was asking about the number already, and the answer was waited for.
    Joined,
    /// Nobody answered within the budget.
    Late,
}

/// Writes down who was asked. Clones write to one list.
#[derive(Clone, Default)]
pub(super) struct Recorder(Arc<Mutex<Vec<Step>>>);

impl Recorder {
    pub(super) fn step(&self, source: Source, found: Found, began: Instant) {
        self.push(source, "", found, began);
    }

    /// A call for one number.
    pub(super) fn asked(&self, provider: &dyn Provider, asked: &Asked, began: Instant) {
        let found = match asked {
            Asked::Skipped(skip) => Found::Skipped(*skip),
            Asked::Answered(results) => match results.first() {
                Some(Ok(reply)) => Found::Reply(Box::new(reply.clone())),
                Some(Err(failure)) => failed(failure),
                None => Found::Nothing,
            },
        };
        self.push(Source::Provider, &provider.terms().name, found, began);
    }

    pub(super) fn steps(&self) -> Vec<Step> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn push(&self, source: Source, provider: &str, found: Found, began: Instant) {
        let step = Step {
            source,
            provider: provider.to_owned(),
            found,
            took: time::now().duration_since(began),
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(step);
    }
}

fn failed(failure: &Failure) -> Found {
    Found::Failed(failure.to_string())
}

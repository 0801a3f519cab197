//! Saying the same thing now and then, not each time it is found out.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::{time, time::Instant};

/// How often the same thing is said.
const PERIOD: Duration = Duration::from_secs(5);

/// Lets each thing be said at most every five seconds: what is tried again many times a second is not news each time.
#[derive(Debug, Default)]
pub struct Seldom(Mutex<BTreeMap<&'static str, Instant>>);

impl Seldom {
    /// Nothing was said yet.
    pub const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// Whether `what` shall be said now; if so, it counts as said.
    pub fn is_due(&self, what: &'static str) -> bool {
        let now = time::now();
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = said.get(what).is_none_or(|at| now.duration_since(*at) >= PERIOD);
        if is_due {
            said.insert(what, now);
        }
        is_due
    }
}

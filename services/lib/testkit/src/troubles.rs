//! What went wrong in a run, and when: what excuses there are for a carrier's answer that nobody knows.

use std::sync::{Arc, Mutex, PoisonError};

use service::Clock;
use sms::UnixMs;

/// The store forgot everything.
pub(crate) const STORE_LOST: &str = "the store was lost";

/// One thing that went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Its kind, in words.
    pub what: &'static str,
    /// The link it concerns; absent = all of them.
    pub link: Option<String>,
    /// When it began.
    pub from: UnixMs,
    /// When it was over.
    pub until: UnixMs,
}

/// All troubles of a run. Clones are one list.
#[derive(Clone)]
pub(crate) struct Troubles {
    clock: Clock,
    list: Arc<Mutex<Vec<Trouble>>>,
}

impl Troubles {
    pub(crate) fn new(clock: Clock) -> Self {
        let list = Arc::default();
        Self { clock, list }
    }

    /// Notes what lasts from now on for `lasts`.
    pub(crate) fn note(&self, what: &'static str, link: Option<&str>, lasts: std::time::Duration) {
        let from = self.clock.now();
        let trouble = Trouble {
            what,
            link: link.map(str::to_owned),
            from,
            until: from + lasts,
        };
        self.list.lock().unwrap_or_else(PoisonError::into_inner).push(trouble);
    }

    pub(crate) fn all(&self) -> Vec<Trouble> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

//! Requests that wait for their response, and those that were given up but may still get one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::exchange::{Answer, Output};

/// Timed-out requests remembered for a late response; the oldest go first.
const LATE_MAX: usize = 10_000;

#[derive(Debug)]
struct Request {
    tag: u64,
    deadline: Duration,
}

/// What a response belongs to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A request that waits.
    Open(u64),
    /// A request that was given up.
    Late(u64),
    /// None.
    Stray,
}

#[derive(Debug)]
pub(super) struct InFlight {
    window: usize,
    open: BTreeMap<u32, Request>,
    deadlines: BTreeSet<(Duration, u32)>,
    late: BTreeMap<u32, u64>,
}

impl InFlight {
    pub(super) fn new(window: usize) -> Self {
        Self {
            window,
            open: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            late: BTreeMap::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn slots_free(&self) -> usize {
        self.window.saturating_sub(self.open.len())
    }

    pub(super) fn set_window(&mut self, window: usize) {
        self.window = window;
    }

    pub(super) fn knows(&self, sequence: u32) -> bool {
        self.open.contains_key(&sequence) || self.late.contains_key(&sequence)
    }

    pub(super) fn next_deadline(&self) -> Option<Duration> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    pub(super) fn insert(&mut self, sequence: u32, tag: u64, deadline: Duration) {
        self.open.insert(sequence, Request { tag, deadline });
        self.deadlines.insert((deadline, sequence));
    }

    /// Takes the request out that a response with this sequence number answers.
    pub(super) fn take(&mut self, sequence: u32) -> Found {
        if let Some(request) = self.open.remove(&sequence) {
            self.deadlines.remove(&(request.deadline, sequence));
            return Found::Open(request.tag);
        }
        self.late.remove(&sequence).map_or(Found::Stray, Found::Late)
    }

    /// Gives up what waited until `now`; its sequence number stays known, its place in the window is free.
    pub(super) fn expire(&mut self, now: Duration, outputs: &mut Vec<Output>) {
        while let Some(&(deadline, sequence)) = self.deadlines.first().filter(|(deadline, _)| *deadline <= now) {
            self.deadlines.remove(&(deadline, sequence));
            let request = self
                .open
                .remove(&sequence)
                .expect("every deadline belongs to an open request");
            self.late.insert(sequence, request.tag);
            if self.late.len() > LATE_MAX {
                self.late.pop_first();
            }
            outputs.push(Output::Answered {
                tag: request.tag,
                answer: Answer::TimedOut,
            });
        }
    }

    /// Ends every open request, as the session has ended.
    pub(super) fn lose(&mut self, outputs: &mut Vec<Output>) {
        self.deadlines.clear();
        self.late.clear();
        let open = std::mem::take(&mut self.open);
        outputs.extend(open.into_values().map(|Request { tag, .. }| Output::Answered {
            tag,
            answer: Answer::Lost,
        }));
    }
}

//! One breaker: closed while a carrier takes what it is asked, open for a while when it does not, then probing. A state
//! machine without a clock; whoever owns it brings the time.
//!
//! Two signs open it: failures in a row, which tell of a carrier that fails everything within moments, and the share of
//! failures over half a minute, which tells of one that fails every second message. Only answers to orders from after the
//! last change count: what was under way then says nothing new.

use std::time::Duration;

use sms::UnixMs;

/// First ejection. Shorter ones would end before the orders under way are answered.
const EJECTION_MIN: Duration = Duration::from_secs(5);
/// Longest ejection: so long at the most goes by until somebody asks the carrier again. Each is twice the one before it.
const EJECTION_MAX: Duration = Duration::from_secs(300);
/// Who was closed for so long is ejected for the shortest time again.
const CALM: Duration = Duration::from_secs(600);
/// Probes in a row that must be taken before it closes: who fails every second message passes one time in thirty-two.
const PROBES_TAKEN: u32 = 5;
/// Answers are looked back at for this long, and for twice as long at the most.
const WINDOW: Duration = Duration::from_secs(15);
/// A carrier that is probed and was not asked for so long has no messages; it may have left the table.
const UNASKED: Duration = Duration::from_secs(3_600);
/// A carrier that is probed and that this router got no answer from for so long is for other routers to judge: this one may
/// have no messages for it.
const VOUCHED: Duration = Duration::from_secs(10);
/// Share of failures from which on it opens, in percent. Every message that fails costs an attempt and a wait.
const SHARE_PERCENT: u64 = 50;

const _: () =
    assert!(EJECTION_MIN.as_millis() < EJECTION_MAX.as_millis() && EJECTION_MAX.as_millis() <= CALM.as_millis());

/// How much it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// Failures in a row that open it.
    pub(super) run: u32,
    /// Answers within the window from which on their share of failures counts.
    pub(super) answers_min: u64,
}

/// Whether messages may go there, the most of them first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gate {
    /// All.
    Open,
    /// A few, to find out.
    Probing,
    /// None.
    Shut,
}

/// The breaker of a carrier, or of a carrier on one network.
#[derive(Clone, Debug)]
pub(super) struct Breaker {
    limits: Limits,
    state: State,
    /// Since when it stands so.
    since: UnixMs,
    /// Failures in a row while closed, probes taken in a row while probing.
    run: u32,
    /// Answers of this window, and of the one before.
    tallies: [Tally; 2],
    window_began: UnixMs,
    /// Ejections since it was calm last.
    ejections: u32,
    /// When an answer was last counted.
    heard_at: UnixMs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Ejected { until: UnixMs },
    Probing,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    answers: u64,
    failures: u64,
}

impl Breaker {
    /// A breaker that is closed.
    pub(super) fn new(limits: Limits, now: UnixMs) -> Self {
        Self {
            limits,
            state: State::Closed,
            // What was asked before is as good as any: nothing is held against it yet.
            since: UnixMs(0),
            run: 0,
            tallies: [Tally::default(); 2],
            window_began: now,
            ejections: 0,
            heard_at: now,
        }
    }

    /// How it stands at `now`. An ejection that is over leads to probing.
    pub(super) fn gate(&mut self, now: UnixMs) -> Gate {
        self.follow_clock(now);
        if let State::Ejected { until } = self.state
            && now >= until
        {
            self.change(State::Probing, until);
        }
        match self.state {
            State::Closed => Gate::Open,
            State::Probing => Gate::Probing,
            State::Ejected { .. } => Gate::Shut,
        }
    }

    /// Counts the answer, heard at `now`, to an order published at `asked_at`. True = that changed how it stands.
    pub(super) fn hear(&mut self, is_taken: bool, asked_at: UnixMs, now: UnixMs) -> bool {
        let before = self.gate(now);
        if asked_at < self.since {
            return false;
        }
        self.heard_at = now;
        match self.state {
            State::Closed => self.judge(is_taken, now),
            State::Probing if !is_taken => self.eject(now),
            State::Probing => {
                self.run += 1;
                if self.run >= PROBES_TAKEN {
                    self.change(State::Closed, now);
                }
            }
            // Nobody is asked meanwhile, but where nobody else is left.
            State::Ejected { .. } => {}
        }
        self.gate(now) != before
    }

    /// Whether little is forgotten by making it anew at `now`: it was closed and calm, or probed for long without an answer.
    pub(super) fn is_idle(&self, now: UnixMs) -> bool {
        let idle = now.since(self.heard_at.max(self.since));
        match self.state {
            State::Closed => idle >= CALM,
            State::Probing => idle >= UNASKED,
            State::Ejected { .. } => false,
        }
    }

    /// Whether other routers should leave it to this one.
    pub(super) fn is_vouched_for(&mut self, now: UnixMs) -> bool {
        match self.gate(now) {
            Gate::Shut => true,
            Gate::Probing => now.since(self.heard_at.max(self.since)) < VOUCHED,
            Gate::Open => false,
        }
    }

    /// When the ejection ends; absent = there is none.
    #[cfg(test)]
    pub(super) fn ejected_until(&self) -> Option<UnixMs> {
        match self.state {
            State::Ejected { until } => Some(until),
            State::Closed | State::Probing => None,
        }
    }

    /// A wall clock that was set back leaves no instant ahead of it: answers would count for nothing, and an ejection last,
    /// until it gets there again.
    fn follow_clock(&mut self, now: UnixMs) {
        self.since = self.since.min(now);
        self.heard_at = self.heard_at.min(now);
        self.window_began = self.window_began.min(now);
        if let State::Ejected { until } = &mut self.state {
            *until = (*until).min(now + EJECTION_MAX);
        }
    }

    fn judge(&mut self, is_taken: bool, now: UnixMs) {
        let passed = now.since(self.window_began);
        if passed >= WINDOW {
            let before = if passed < WINDOW * 2 {
                self.tallies[0]
            } else {
                Tally::default()
            };
            self.tallies = [Tally::default(), before];
            self.window_began = now;
        }
        self.tallies[0].answers += 1;
        if is_taken {
            self.run = 0;
            return;
        }
        self.tallies[0].failures += 1;
        self.run += 1;
        let [now_, before] = self.tallies;
        let (answers, failures) = (now_.answers + before.answers, now_.failures + before.failures);
        let is_share = answers >= self.limits.answers_min && failures * 100 >= answers * SHARE_PERCENT;
        if self.run >= self.limits.run || is_share {
            self.eject(now);
        }
    }

    fn eject(&mut self, now: UnixMs) {
        if self.state == State::Closed && now.since(self.since) >= CALM {
            self.ejections = 0;
        }
        let span = EJECTION_MIN.saturating_mul(1 << self.ejections.min(16));
        self.ejections += 1;
        let until = now + span.min(EJECTION_MAX);
        self.change(State::Ejected { until }, now);
    }

    fn change(&mut self, state: State, now: UnixMs) {
        self.state = state;
        self.since = now;
        self.run = 0;
        self.tallies = [Tally::default(); 2];
        self.window_began = now;
    }
}

#[cfg(test)]
mod tests;

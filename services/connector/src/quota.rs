//! What a carrier's account bears, divided among the connectors that use it: pure arithmetic over what the store keeps.
//!
//! The account's pace moves by additive increase and multiplicative decrease: halved when the carrier throttles, at most
//! once a second, and raised by a twentieth of the configured rate each second otherwise. It is handed out as leases of one
//! slice: a rate that one connector may use until the slice ends. The leases of a moment together never exceed the pace, so
//! what all connectors send in any time is the pace times that time, and what their buckets can hold.
//!
//! Time is the latest that any member told, so that a clock which is behind takes nothing away from anybody.

mod text;

use std::time::Duration;

use sms::UnixMs;

/// How long a lease lasts.
pub(crate) const SLICE: Duration = Duration::from_millis(100);
/// Members that hold leases at once; the next one has none until one of theirs ends.
const MEMBERS_MAX: usize = 64;
/// What a second without a throttle adds, as a share of the configured rate.
const RAISE: f64 = 0.05;
/// What a throttle leaves.
const CUT: f64 = 0.5;
/// What was on its way is throttled together, and counts once.
const CUT_INTERVAL: Duration = Duration::from_secs(1);
/// Lowest pace, as a share of the configured rate: what an account that is throttled every second comes to anyway.
const FLOOR: f64 = 0.05;
/// How long one word that the carrier is busy as it should be keeps the pace where it is.
const STEADY: Duration = Duration::from_secs(1);
/// A ledger further ahead than this was written by a clock that is wrong, and counts as none.
const AHEAD_MAX: Duration = Duration::from_secs(10);

/// How the carrier took what it was sent of late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Feeling {
    /// It complained of nothing.
    #[default]
    Well,
    /// It is as busy as it should be.
    Busy,
    /// It asked to slow down.
    Throttled,
}

/// What one member asks for.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    /// Its name among the members.
    pub who: String,
    /// The configured rate of the account, in parts a second.
    pub ceiling: u32,
    /// Parts a second that it could use; infinite = all there is.
    pub wants: f64,
    /// How the carrier took what it sent.
    pub feeling: Feeling,
    /// The configured rate before it was raised just now; absent = it was not.
    pub raised_from: Option<u32>,
}

/// What one account bears and who uses it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ledger {
    /// The latest instant that any member told.
    at: UnixMs,
    /// Parts a second that the carrier bears at the moment.
    pace: f64,
    /// When it was cut last; 0 = never.
    cut_at: UnixMs,
    /// Until when it is not raised.
    steady_until: UnixMs,
    members: Vec<Member>,
}

/// One lease.
#[derive(Clone, Debug, PartialEq)]
struct Member {
    name: String,
    wants: f64,
    rate: f64,
    until: UnixMs,
}

impl Ledger {
    /// An account nobody knows anything of: it bears what is configured.
    pub(crate) fn new(ceiling: u32, now: UnixMs) -> Self {
        Self {
            at: now,
            pace: f64::from(ceiling),
            cut_at: UnixMs(0),
            steady_until: UnixMs(0),
            members: Vec::new(),
        }
    }

    /// Parts a second that the carrier bears at the moment.
    pub(crate) fn pace(&self) -> f64 {
        self.pace
    }

    /// Leases as much to the one who asks as is fair and free, in parts a second, from `now` for one slice. A lease that it
    /// has ends.
    pub(crate) fn lease(&mut self, ask: &Ask, now: UnixMs) -> f64 {
        self.adapt(ask, now);
        let now = self.at;
        self.members
            .retain(|member| member.until > now && member.name != ask.who);
        if self.members.len() >= MEMBERS_MAX {
            return 0.0;
        }
        let leased: f64 = self.members.iter().map(|member| member.rate).sum();
        let others = self.members.iter().map(|member| member.wants);
        let rate = fair(self.pace, ask.wants, others).min((self.pace - leased).max(0.0));
        self.members.push(Member {
            name: ask.who.clone(),
            wants: ask.wants,
            rate,
            until: now + SLICE,
        });
        rate
    }

    /// The pace of the account where nobody else can be asked.
    pub(crate) fn alone(&mut self, ask: &Ask, now: UnixMs) -> f64 {
        self.adapt(ask, now);
        self.members.clear();
        self.pace
    }

    /// Moves the pace by what the one who asks saw, and by the time that passed.
    fn adapt(&mut self, ask: &Ask, now: UnixMs) {
        let ceiling = f64::from(ask.ceiling);
        if self.at > now + AHEAD_MAX {
            *self = Self::new(ask.ceiling, now);
        }
        let gone = now.since(self.at);
        self.at = self.at.max(now);
        match ask.feeling {
            Feeling::Throttled if self.at.since(self.cut_at) >= CUT_INTERVAL => {
                self.pace *= CUT;
                self.cut_at = self.at;
            }
            Feeling::Throttled => {}
            Feeling::Busy => self.steady_until = self.at + STEADY,
            Feeling::Well if self.at < self.steady_until => {}
            Feeling::Well => self.pace += gone.as_secs_f64() * ceiling * RAISE,
        }
        // One that bore all it was allowed bears all it is allowed now.
        if ask.raised_from.is_some_and(|before| self.pace >= f64::from(before)) {
            self.pace = ceiling;
        }
        self.pace = self.pace.clamp(ceiling * FLOOR, ceiling);
    }
}

/// What one who `wants` so much has of `pace` beside `others`: who wants less than an equal share has that, the rest share
/// what is left, and if everybody has what he wants, what is over is shared by all.
fn fair(pace: f64, wants: f64, others: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = others.chain([wants]).collect();
    all.sort_by(f64::total_cmp);
    let (mut left, mut sharing) = (pace, all.len() as f64);
    for want in &all {
        if *want * sharing >= left {
            return wants.min(left / sharing);
        }
        left -= want;
        sharing -= 1.0;
    }
    wants + left / all.len() as f64
}

#[cfg(test)]
mod tests;

//! Where new messages went lately, by lane, account and how their numbers begin, and how long those have waited that nobody
//! takes.
//!
//! Kept is not how long messages waited but where they went: at every look the wait is that of the carriers just then. So it
//! shrinks while a queue is worked off, also when ingest lets nothing more through that could tell.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    time::Duration,
};

use journey::{Attempt, CONGESTED_MAX, Congestion, Head, Waiting};
use sms::{AccountId, CarrierName, Lane, Message, UnixMs};

use crate::{delay, place::Placed};

/// Carriers of one head that are told apart; of more of them the one least used is forgotten.
const CARRIERS_MAX: usize = 4;
/// Weight of one message among those before it: the last hundred count for nearly all.
const WEIGHT: f64 = 1.0 / 32.0;
/// In this time without a new message, half is forgotten of what is known of those that nobody takes. So where ingest refuses
/// all of them a few get through before long, and show how things stand.
const HALF_LIFE: Duration = Duration::from_secs(60);
/// Whoever waits comes back within two minutes: where nobody did for so long, nobody waits.
const WAITERS_GONE: Duration = Duration::from_secs(150);
/// Heads without a message for so long are forgotten: longer than any queue at which ingest refuses everything.
const KEPT: Duration = Duration::from_secs(3_600);
/// Heads that are known at once, of some 250 octets each. Beyond half of it those are forgotten that were not written to for
/// longest; while there is no room what goes to others is not counted.
const CELLS_MAX: usize = 20_000;
/// Accounts that would wait for numbers of one head until it is said of everybody, where there is more to say than one word
/// holds: what so many have in common is not the route of one.
const SHARED_MIN: usize = 16;
/// Share of the messages of one head that nobody takes from which on they count: with fewer there are carriers for new ones.
const NEARLY_ALL: f64 = 0.9;

/// What is known, by lane, head and account: what one account can be offered says nothing of the others.
#[derive(Debug, Default)]
pub(super) struct Heads(BTreeMap<Key, Cell>);

type Key = (Lane, Head, AccountId);

/// Numbers that begin alike, in one lane and of one account.
#[derive(Debug, Default)]
struct Cell {
    /// Carriers that new messages went to, with their shares. All shares make one, or less while few messages were counted.
    carriers: Vec<(CarrierName, f64)>,
    /// Share of new messages that nobody takes, as of `new_at`.
    held: f64,
    /// When a new message was counted last.
    new_at: UnixMs,
    waiters: Waiters,
    /// When any was.
    counted_at: UnixMs,
}

/// Messages that wait because all carriers left for them are down or busy.
#[derive(Debug, Default)]
struct Waiters {
    /// How long they have waited so far, in seconds: their mean.
    age: f64,
    /// How many they are, in seconds of waiting.
    weight: f64,
    heard_at: UnixMs,
}

impl Heads {
    /// Counts one message that was placed at `now`; `is_new` = it was just accepted.
    pub(super) fn count(&mut self, placed: &Placed, is_new: bool, now: UnixMs) {
        match placed {
            Placed::Order(order) if is_new => {
                if let Some(cell) = self.cell(&order.message, now) {
                    cell.went_to(&order.carrier, now);
                }
            }
            Placed::Wait(waiting, (_, delay)) if is_held_back(waiting) => {
                if let Some(cell) = self.cell(&waiting.message, now) {
                    cell.waits(waiting, *delay, is_new, now);
                }
            }
            Placed::Park(waiting) if is_held_back(waiting) => {
                let (_, shortest) = delay::that_fits(Duration::ZERO);
                if let Some(cell) = self.cell(&waiting.message, now) {
                    cell.waits(waiting, shortest, is_new, now);
                }
            }
            _ => {}
        }
    }

    /// Where `message` is counted; `None` = there is no room for one more.
    fn cell(&mut self, message: &Message, now: UnixMs) -> Option<&mut Cell> {
        let is_full = self.0.len() >= CELLS_MAX;
        let key = (message.class.lane(), Head::of(&message.to), message.account.clone());
        let cell = match self.0.entry(key) {
            Entry::Vacant(_) if is_full => return None,
            entry => entry.or_default(),
        };
        cell.counted_at = now;
        Some(cell)
    }

    /// Forgets heads that nobody writes to any more, and sooner where there are many.
    pub(super) fn forget(&mut self, now: UnixMs) {
        let mut kept = KEPT;
        self.0.retain(|_, cell| now.since(cell.counted_at) < kept);
        while self.0.len() > CELLS_MAX / 2 && kept > Duration::from_secs(1) {
            kept /= 2;
            self.0.retain(|_, cell| now.since(cell.counted_at) < kept);
        }
    }

    /// Where a message accepted now would wait for `least` and longer, the longest wait first. `wait` says how long an order
    /// would wait at a carrier; `None` = not known.
    pub(super) fn congested(
        &self,
        now: UnixMs,
        least: Duration,
        wait: impl Fn(&CarrierName, Lane) -> Option<Duration>,
    ) -> Vec<Congestion> {
        let mut congested = Vec::new();
        for ((lane, head, account), cell) in &self.0 {
            let wait = cell.wait(now, |carrier| wait(carrier, *lane));
            if wait >= least {
                congested.push(Congestion {
                    lane: *lane,
                    account: Some(account.clone()),
                    head: *head,
                    wait,
                });
            }
        }
        if congested.len() > CONGESTED_MAX {
            congested = shared(congested);
        }
        // Stable, so that equal waits keep their order.
        congested.sort_by_key(|one| std::cmp::Reverse(one.wait));
        congested.truncate(CONGESTED_MAX);
        congested
    }
}

impl Cell {
    fn went_to(&mut self, carrier: &CarrierName, now: UnixMs) {
        self.fade(now);
        let known = self.carriers.iter_mut().find(|(name, _)| name == carrier);
        if let Some((_, share)) = known {
            *share += WEIGHT;
            return;
        }
        if self.carriers.len() >= CARRIERS_MAX {
            let shares = self.carriers.iter().map(|(_, share)| *share).enumerate();
            let least = shares.min_by(|one, other| one.1.total_cmp(&other.1));
            self.carriers.swap_remove(least.map_or(0, |(place, _)| place));
        }
        self.carriers.push((carrier.clone(), WEIGHT));
    }

    fn waits(&mut self, waiting: &Waiting, delay: Duration, is_new: bool, now: UnixMs) {
        if is_new {
            self.fade(now);
            self.held += WEIGHT;
        }
        let age = now.since(waiting.message.accepted_at);
        self.waiters.add(age, delay, now);
    }

    /// Makes room for one more message.
    fn fade(&mut self, now: UnixMs) {
        self.held = self.held(now) * (1.0 - WEIGHT);
        self.new_at = now;
        self.carriers.iter_mut().for_each(|(_, share)| *share *= 1.0 - WEIGHT);
    }

    /// How long a message accepted at `now` would wait, by where those before it went.
    fn wait(&self, now: UnixMs, wait: impl Fn(&CarrierName) -> Option<Duration>) -> Duration {
        let seconds = |carrier| wait(carrier).unwrap_or_default().as_secs_f64();
        let queued = self.carriers.iter().map(|(carrier, share)| share * seconds(carrier));
        let mut wait = queued.sum::<f64>();
        let taken: f64 = self.carriers.iter().map(|(_, share)| share).sum();
        if self.held >= NEARLY_ALL * (self.held + taken) {
            wait += self.held(now) * self.waiters.age(now);
        }
        Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX)
    }

    fn held(&self, now: UnixMs) -> f64 {
        self.held * left(now.since(self.new_at))
    }
}

impl Waiters {
    /// One that has waited for `age` waits for `delay` more. It counts by that time: who is seldom seen stands for many.
    fn add(&mut self, age: Duration, delay: Duration, now: UnixMs) {
        let delay = delay.as_secs_f64();
        self.weight = self.weight * left(now.since(self.heard_at)) + delay;
        self.age += (age.as_secs_f64() - self.age) * delay / self.weight;
        self.heard_at = now;
    }

    fn age(&self, now: UnixMs) -> f64 {
        if now.since(self.heard_at) < WAITERS_GONE {
            self.age
        } else {
            0.0
        }
    }
}

/// Says it once of everybody, with the shortest wait of them, where many accounts would wait. `congested` is in the order of
/// [`Key`].
fn shared(congested: Vec<Congestion>) -> Vec<Congestion> {
    let same = |one: &Congestion, other: &Congestion| (one.lane, one.head) == (other.lane, other.head);
    let mut said = Vec::new();
    for accounts in congested.chunk_by(same) {
        let shortest = accounts.iter().min_by_key(|one| one.wait);
        match shortest.filter(|_| accounts.len() >= SHARED_MIN) {
            Some(shortest) => said.push(Congestion {
                account: None,
                ..shortest.clone()
            }),
            None => said.extend_from_slice(accounts),
        }
    }
    said
}

/// Share that is not forgotten after `span`.
fn left(span: Duration) -> f64 {
    (-span.as_secs_f64() / HALF_LIFE.as_secs_f64()).exp2()
}

/// Whether `waiting` waits for carriers that are down or busy, and for nothing else: a message that spent an attempt may wait
/// for those it was offered to before.
fn is_held_back(waiting: &Waiting) -> bool {
    let is_spent = |attempt: &Attempt| attempt.spent;
    waiting.again && !waiting.attempts.iter().any(is_spent)
}

#[cfg(test)]
mod tests;

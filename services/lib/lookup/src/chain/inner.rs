//! What all clones of a chain share.

use std::{hash::Hasher as _, sync::atomic::AtomicUsize, time::Duration};

use siphasher::sip::SipHasher13;
use sms::{Msisdn, UnixMs};
use table::Micros;
use tokio::sync::mpsc;

use super::{
    asker::Asker,
    config::{ChainConfig, ChainDeps},
    entry::{By, Entry, Seconds},
    flights::Flights,
    memory::{Mark, Memory},
    quest::Quest,
    shelf::Shelf,
};
use crate::{Answer, Confidence, Reach, Reply, Seen, Source, TTL_MAX, metrics::Counted};

/// Of a time to live, so many thousandths more or less.
const JITTER_PERMILLE: u64 = 100;

pub(super) struct Inner {
    pub(super) config: ChainConfig,
    pub(super) deps: ChainDeps,
    /// In the order in which they are asked.
    pub(super) askers: Vec<Asker>,
    pub(super) memory: Memory,
    /// `None` = the shared store is not used.
    pub(super) shelf: Option<Shelf>,
    pub(super) flights: Flights,
    /// Stale numbers that are asked about.
    pub(super) refreshing: AtomicUsize,
    pub(super) quests: mpsc::UnboundedSender<Quest>,
    pub(super) counted: Counted,
    /// Of the marks of this process.
    pub(super) keys: (u64, u64),
}

impl Inner {
    pub(super) fn mark(&self, number: &Msisdn) -> Mark {
        let mut hasher = SipHasher13::new_with_keys(self.keys.0, self.keys.1);
        hasher.write(number.digits().as_bytes());
        Mark(hasher.finish())
    }

    pub(super) fn now(&self) -> Seconds {
        Seconds::of(self.deps.clock.now())
    }

    /// What is kept of a provider's reply.
    pub(super) fn entry(&self, by: By, reply: &Reply) -> Entry {
        let ttls = &self.config.ttls;
        let own = if reply.reach == Reach::Dead {
            ttls.dead
        } else if reply.network.is_some() {
            ttls.network
        } else {
            ttls.nothing
        };
        let ttl = match reply.ttl {
            // Who says for how long is not to be asked later than that.
            Some(ttl) => self.shortened(ttl.min(TTL_MAX)),
            None => self.jittered(own),
        };
        let asked_at = self.now();
        let expires_at = asked_at.plus(ttl);
        Entry {
            network: reply.network,
            ported: reply.ported,
            reach: reply.reach,
            roaming: reply.roaming,
            by,
            asked_at,
            expires_at,
            reach_until: asked_at.plus(self.jittered(ttls.reach)).min(expires_at),
        }
    }

    /// That nobody knows.
    pub(super) fn entry_of_nobody(&self, ttl: Duration) -> Entry {
        let reply = Reply::default();
        let entry = self.entry(By::default(), &reply);
        let expires_at = entry.asked_at.plus(self.jittered(ttl));
        Entry {
            expires_at,
            reach_until: expires_at,
            ..entry
        }
    }

    /// What `entry` says at `now`.
    pub(super) fn answer(&self, entry: &Entry, source: Source, cost: Micros, now: Seconds) -> Answer {
        let holds = entry.is_dead() || now < entry.reach_until;
        let by = usize::from(entry.by.0)
            .checked_sub(1)
            .and_then(|at| self.askers.get(at));
        Answer {
            network: entry.network,
            ported: entry.ported,
            reach: if holds { entry.reach } else { Reach::Unknown },
            roaming: entry.roaming.filter(|_| holds),
            source,
            provider: by.map_or_else(String::new, |asker| asker.terms().name.clone()),
            cost,
            asked_at: entry.asked_at.ms(),
            expires_at: entry.expires_at.ms(),
            confidence: entry.confidence(),
        }
    }

    /// What the list of ported numbers says, for as long as it stands.
    pub(super) fn listed(&self, number: &Msisdn, now: UnixMs) -> Option<Answer> {
        let network = self.deps.numbering.moved(number)?;
        Some(Answer {
            network: Some(network),
            ported: Some(true),
            expires_at: UnixMs(now.0 + millis(self.config.ttls.network)),
            source: Source::Ported,
            confidence: Confidence::High,
            ..plan(now)
        })
    }

    pub(super) fn learn(&self, number: &Msisdn, entry: &Entry) {
        let planned = self.deps.numbering.planned(number);
        let answer = self.answer(entry, Source::Provider, Micros(0), entry.asked_at);
        if let Some(seen) = Seen::of(&answer, planned) {
            self.deps.portability.learn(number.digits(), planned, seen);
        }
    }

    /// `ttl` in seconds, a tenth more or less, at least one.
    fn jittered(&self, ttl: Duration) -> u32 {
        self.drawn(ttl, 1_000 - JITTER_PERMILLE, 2 * JITTER_PERMILLE)
    }

    /// `ttl` in seconds, up to a tenth less, at least one.
    fn shortened(&self, ttl: Duration) -> u32 {
        self.drawn(ttl, 1_000 - JITTER_PERMILLE, JITTER_PERMILLE)
    }

    fn drawn(&self, ttl: Duration, permille: u64, more: u64) -> u32 {
        let permille = permille + self.deps.dice.below(more + 1);
        let ms = millis(ttl.min(TTL_MAX)) * permille / 1_000;
        u32::try_from(ms / 1_000).unwrap_or(u32::MAX).max(1)
    }
}

/// What is known where nobody knows: the numbering plan decides.
pub(super) const fn plan(now: UnixMs) -> Answer {
    Answer {
        network: None,
        ported: None,
        reach: Reach::Unknown,
        roaming: None,
        source: Source::Plan,
        provider: String::new(),
        cost: Micros(0),
        asked_at: now,
        expires_at: now,
        confidence: Confidence::Low,
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

//! How carriers stand, from what their connectors say every second: who is up, and how long an order waits where.
//!
//! The `carriers` topic keeps the last word of every connector, so a router that starts late knows before it decides its
//! first message. What was heard lies behind arc-swap: a batch takes one [`Snapshot`] and never waits. Beside it stand
//! hints: carriers whose orders came back for want of a link a moment ago; and breakers, for those whose links are up and
//! that fail what they are asked.

mod breaker;
pub(crate) mod breakers;
mod health;
mod listen;
pub(crate) mod reach;
pub(crate) mod speak;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;
use bus::Stored;
use journey::{CarrierReport, CarrierWord, Ejection, LinkState, OrderAnswer};
use signalbox_proto::{record, topics};
use sms::{CarrierName, Class, Lane, UnixMs};
use table::{Network, Standing, Standings};

use crate::{metrics, outbox};
use breakers::{Breakers, Ejected};
use health::{Carrier, Word};

pub(crate) use listen::{catch_up, follow};

/// A connector that said nothing for so long says nothing about its carriers.
const FRESH: Duration = Duration::from_secs(10);
/// Without a word of anybody for so long it is the log or this router that hears nothing, not a carrier that is silent.
const SILENCE: Duration = Duration::from_secs(3);

/// From this wait on it is counted which messages go to a carrier: long before the wait is worth a word.
const BUSY: Duration = Duration::from_secs(30);
const _: () = assert!(BUSY.as_secs() < journey::WAIT_SAID_MIN.as_secs());

/// What this router knows of the carriers.
#[derive(Default)]
pub(crate) struct Carriers {
    known: ArcSwap<Known>,
    /// Carriers whose link was gone, each with the instant until which that is held against it.
    hints: ArcSwap<BTreeMap<CarrierName, UnixMs>>,
    /// Carriers whose topics exist.
    reached: ArcSwap<BTreeSet<CarrierName>>,
    breakers: Breakers,
}

/// What was heard so far.
#[derive(Clone, Debug, Default)]
struct Known {
    carriers: BTreeMap<CarrierName, Arc<Carrier>>,
    /// Since when words come without a silence between them; absent = none came live.
    listening_since: Option<UnixMs>,
    /// When the last one came.
    heard_at: UnixMs,
    /// Whether words came for so long that every connector must have spoken. Stays: a carrier nobody spoke of then has none.
    has_heard_all: bool,
    /// Whether an order would wait for [`BUSY`] anywhere.
    is_busy: bool,
}

/// How the carriers stand at one instant; for one batch. As [`Standings`] it refuses whoever is not surely up.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    known: Arc<Known>,
    hints: Arc<BTreeMap<CarrierName, UnixMs>>,
    reached: Arc<BTreeSet<CarrierName>>,
    ejected: Arc<Ejected>,
    now: UnixMs,
}

/// The same, but it refuses only who is surely down, and nobody for failing: for messages that nobody else is left for.
#[derive(Debug)]
pub(crate) struct Lenient<'a>(&'a Snapshot);

/// What is known of a carrier's links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    /// One is up, or nobody said a word about it and we have not listened for long enough to hold that against it.
    Up,
    /// Its link was lost less than a second ago, its orders came back a moment ago, or it is silent and we have not listened
    /// for long enough to hold that against it.
    Doubtful,
    /// None is up, its topics do not exist, or we have listened for long enough and nobody ever spoke of it.
    Down,
}

impl Carriers {
    /// How they stand at `now`.
    pub(crate) fn snapshot(&self, now: UnixMs) -> Snapshot {
        Snapshot {
            known: self.known.load_full(),
            hints: self.hints.load_full(),
            reached: self.reached.load_full(),
            ejected: self.breakers.ejected(),
            now,
        }
    }

    /// Those of `names` whose topics are not known to exist.
    fn without_topics<'a>(&self, names: impl Iterator<Item = &'a CarrierName>) -> Vec<CarrierName> {
        let reached = self.reached.load();
        names.filter(|name| !reached.contains(*name)).cloned().collect()
    }

    /// Notes that the topics of `names` exist.
    fn have_topics(&self, names: &[CarrierName]) {
        self.reached.rcu(|reached| {
            let mut reached = BTreeSet::clone(reached);
            reached.extend(names.iter().cloned());
            reached
        });
    }

    /// Notes that an order came back from `carrier` because its link was gone; held against it for `hint`.
    pub(crate) fn went_down(&self, carrier: &CarrierName, now: UnixMs, hint: Duration) {
        self.hints.rcu(|hints| {
            let mut hints = BTreeMap::clone(hints);
            hints.retain(|_, until| *until > now);
            hints.insert(carrier.clone(), now + hint);
            hints
        });
    }

    /// Notes that `carrier` took something.
    pub(crate) fn came_up(&self, carrier: &CarrierName) {
        if self.hints.load().contains_key(carrier) {
            self.hints.rcu(|hints| {
                let mut hints = BTreeMap::clone(hints);
                hints.remove(carrier);
                hints
            });
        }
    }

    /// Takes what a carrier answered, heard at `now`.
    pub(crate) fn answered(&self, answer: &OrderAnswer, now: UnixMs) {
        self.breakers.hear(answer, now);
    }

    /// Whom this router ejects by the answers it heard itself.
    pub(crate) fn ejected_here(&self, now: UnixMs) -> Vec<Ejection> {
        self.breakers.own(now)
    }

    /// The name of this run among routers, made by `draw` when it is asked for first. Words under it are our own.
    pub(crate) fn run(&self, draw: impl FnOnce() -> String) -> String {
        self.breakers.run(draw)
    }

    /// Takes what connectors and routers said, heard at `now`. `is_live` = just now; else they were said before we
    /// listened, and their age is that of the record.
    fn learn(&self, records: &[Stored], now: UnixMs, is_live: bool) {
        let mut known = Known::clone(&self.known.load());
        let mut is_of_connector = false;
        for stored in records {
            // Clocks of other machines are not ours: what is heard live is said now.
            let at = if is_live {
                now
            } else {
                UnixMs(stored.stored_at_ms).min(now)
            };
            match record::carrier_word_from_bytes(&stored.value) {
                Ok(CarrierWord::Link(report)) => {
                    is_of_connector = true;
                    self.learn_of_link(&mut known, *report, at, now);
                }
                // How much other routers have before them is for ingest to know.
                Ok(CarrierWord::Router(said)) => self.breakers.told(said.ejections, at, now),
                Err(error) => {
                    // The next word comes within a second, so that nothing is lost with one.
                    outbox::found_dead(topics::carriers().as_str(), error.fault(), &error.to_string());
                }
            }
        }
        if is_live && is_of_connector {
            let was_silent = now.since(known.heard_at) > SILENCE;
            known.listening_since = known.listening_since.filter(|_| !was_silent).or(Some(now));
            known.heard_at = now;
            known.has_heard_all |= known.listening_since.is_some_and(|since| now.since(since) >= FRESH);
        }
        let mut waits = known.carriers.values().flat_map(|carrier| carrier.waits());
        known.is_busy = waits.any(|wait| wait.is_some_and(|wait| wait >= BUSY));
        self.known.store(Arc::new(known));
    }

    fn learn_of_link(&self, known: &mut Known, report: CarrierReport, at: UnixMs, now: UnixMs) {
        let name = report.carrier.clone();
        let is_up = report.state == LinkState::Up;
        let carrier = known.carriers.entry(name.clone()).or_default();
        let came_up = Arc::make_mut(carrier).hear(Word::new(report, at), now);
        if is_up && came_up {
            self.came_up(&name);
        }
    }

    /// Those of `names` that count as down because nobody ever spoke of them.
    fn unheard<'a>(&self, names: impl Iterator<Item = &'a CarrierName>) -> Vec<&'a CarrierName> {
        let known = self.known.load();
        match known.has_heard_all {
            true => names.filter(|name| !known.carriers.contains_key(*name)).collect(),
            false => Vec::new(),
        }
    }

    /// Shows everything to the metrics. Those of `named`, the carriers that may get orders, of which nobody ever spoke are down: no
    /// connector serves them.
    fn show<'a>(&self, named: impl Iterator<Item = &'a CarrierName>, now: UnixMs) {
        let snapshot = self.snapshot(now);
        for name in named.filter(|name| !snapshot.known.carriers.contains_key(*name)) {
            metrics::carrier_up(name.as_str(), false);
        }
        for (name, carrier) in &snapshot.known.carriers {
            metrics::carrier_up(name.as_str(), carrier.level(now, true) == Level::Up);
            for (lane, wait) in Lane::ALL.iter().zip(carrier.waits()) {
                let wait = wait.filter(|_| carrier.level(now, true) == Level::Up);
                metrics::carrier_backlog(name.as_str(), lane.as_str(), wait);
            }
        }
    }
}

impl Snapshot {
    /// What is known of the links of `name`, whose words are in `carrier`.
    fn level(&self, name: &CarrierName, carrier: Option<&Arc<Carrier>>) -> Level {
        if !self.reached.contains(name) {
            return Level::Down;
        }
        let level = match carrier {
            Some(carrier) => carrier.level(self.now, self.is_listening()),
            // No connector would read its orders, and none would answer them.
            None if self.known.has_heard_all => Level::Down,
            None => Level::Up,
        };
        let is_hinted = || self.hints.get(name).is_some_and(|until| self.now < *until);
        if level == Level::Up && is_hinted() {
            Level::Doubtful
        } else {
            level
        }
    }

    /// Whether an order would have to wait for a while anywhere.
    pub(crate) fn is_busy(&self) -> bool {
        self.known.is_busy
    }

    /// How long an order would wait at `name`, whose links are up; `None` = they are not, or it is not known.
    pub(crate) fn wait(&self, name: &CarrierName, lane: Lane) -> Option<Duration> {
        let carrier = self.known.carriers.get(name);
        let is_up = self.level(name, carrier) == Level::Up;
        carrier.filter(|_| is_up)?.waits()[lane as usize]
    }

    /// The same for messages that nobody else is left for.
    pub(crate) fn lenient(&self) -> Lenient<'_> {
        Lenient(self)
    }

    /// Notes that an order for `network` goes to `carrier`.
    pub(crate) fn asked(&self, carrier: &CarrierName, network: Option<Network>) {
        self.ejected.asked(carrier, network);
    }

    /// Whether words came for long enough, and come still, for the silence of one connector to mean something.
    fn is_listening(&self) -> bool {
        let known = &self.known;
        known
            .listening_since
            .is_some_and(|since| self.now.since(since) >= FRESH)
            && self.now.since(known.heard_at) <= SILENCE
    }

    fn standing_unless(&self, name: &CarrierName, class: Class, is_refused: impl Fn(Level) -> bool) -> Standing {
        let carrier = self.known.carriers.get(name);
        if is_refused(self.level(name, carrier)) {
            return Standing::DOWN;
        }
        Standing {
            circuit_open: false,
            expected_wait: carrier.and_then(|carrier| carrier.waits()[class.lane() as usize]),
        }
    }
}

impl Standings for Snapshot {
    fn standing(&self, carrier: &CarrierName, class: Class) -> Standing {
        self.standing_on(carrier, None, class)
    }

    fn standing_on(&self, carrier: &CarrierName, network: Option<Network>, class: Class) -> Standing {
        if self.ejected.lets(carrier, network) {
            self.standing_unless(carrier, class, |level| level != Level::Up)
        } else {
            Standing::DOWN
        }
    }
}

impl Standings for Lenient<'_> {
    fn standing(&self, carrier: &CarrierName, class: Class) -> Standing {
        self.0.standing_unless(carrier, class, |level| level == Level::Down)
    }
}

#[cfg(test)]
mod tests;

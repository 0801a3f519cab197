//! Asking about numbers: one provider after the other, until each number is known or nobody is left.
//!
//! A quest goes on when those who wanted to know have given up: the call under way fills the caches. No further provider is asked
//! for a number that nobody waits for any more.

use std::sync::atomic::Ordering::Relaxed;

use futures::{
    StreamExt as _,
    future::{BoxFuture, FutureExt as _},
    stream::FuturesUnordered,
};
use service::time::Instant;
use sms::Msisdn;
use table::Micros;

use super::{
    Inner,
    asker::Asked,
    entry::{By, Entry},
    flights::{Landed, Ticket},
    trace::Recorder,
};
use crate::{Failure, Reach, Reply};

/// Numbers that are asked about together.
pub(super) struct Quest {
    pub(super) seekers: Vec<Seeker>,
    /// Who would be asked later than this is not.
    pub(super) until: Instant,
    /// Nobody waits for them: what is known of them is stale.
    pub(super) is_refresh: bool,
    /// Somebody wants to know who was asked.
    pub(super) recorder: Option<Recorder>,
}

/// A number, and what was found out so far.
pub(super) struct Seeker {
    number: Msisdn,
    ticket: Ticket,
    /// What asking cost so far.
    cost: Micros,
    /// What somebody said who does not know the network.
    hint: Option<(By, Reply)>,
    /// Somebody answered, and does not know.
    is_unknown: bool,
    /// Somebody failed.
    has_failed: bool,
    /// Somebody was not asked, who may know.
    is_open: bool,
}

/// What a stage came to.
struct Stage {
    /// Whom to ask next.
    next: usize,
    left: Vec<Seeker>,
    /// What is to be written to the shared store.
    found: Vec<(Msisdn, Entry)>,
}

/// Sees to it that whoever waits is told, also if asking ends early.
struct Landing<'a> {
    inner: &'a Inner,
    tickets: Vec<Ticket>,
    is_refresh: bool,
}

impl Seeker {
    pub(super) fn new(number: Msisdn, ticket: Ticket) -> Self {
        Self {
            number,
            ticket,
            cost: Micros(0),
            hint: None,
            is_unknown: false,
            has_failed: false,
            is_open: false,
        }
    }
}

type Stages<'a> = FuturesUnordered<BoxFuture<'a, Option<Stage>>>;

impl Quest {
    /// Asks. Everybody who waits for one of the numbers is told as soon as it is known.
    pub(super) async fn run(mut self, inner: &Inner) {
        let seekers = std::mem::take(&mut self.seekers);
        let _landing = Landing {
            inner,
            tickets: seekers.iter().map(|seeker| seeker.ticket).collect(),
            is_refresh: self.is_refresh,
        };
        let mut stages = Stages::new();
        self.begin(inner, 0, seekers, &mut stages);
        while let Some(ended) = stages.next().await {
            let Some(stage) = ended else { continue };
            if !stage.found.is_empty() {
                stages.push(inner.store(stage.found).map(|()| None).boxed());
            }
            self.begin(inner, stage.next, stage.left, &mut stages);
        }
    }

    /// Has the provider at `at` asked, in as many calls as it takes.
    fn begin<'a>(&'a self, inner: &'a Inner, at: usize, mut seekers: Vec<Seeker>, stages: &mut Stages<'a>) {
        // Nobody was asked yet: whoever is here wanted to know just now.
        if at > 0 && !self.is_refresh {
            seekers = inner.still_wanted(seekers);
        }
        let Some(asker) = inner.askers.get(at) else {
            let found = seekers.into_iter().filter_map(|seeker| inner.give_up(seeker)).collect();
            stages.push(inner.store(found).map(|()| None).boxed());
            return;
        };
        while !seekers.is_empty() {
            let rest = seekers.split_off(asker.terms().numbers_max.clamp(1, seekers.len()));
            stages.push(self.stage(inner, at, std::mem::replace(&mut seekers, rest)).boxed());
        }
    }

    async fn stage(&self, inner: &Inner, at: usize, seekers: Vec<Seeker>) -> Option<Stage> {
        let asker = &inner.askers[at];
        let numbers: Vec<_> = seekers.iter().map(|seeker| seeker.number.clone()).collect();
        let began = service::time::now();
        let asked = asker.ask(&numbers, self.until).await;
        if let Some(recorder) = &self.recorder {
            recorder.asked(asker.upstream.provider.as_ref(), &asked, began);
        }
        let next = at + 1;
        let (mut left, mut found) = (Vec::new(), Vec::new());
        match asked {
            Asked::Skipped(_) => {
                left = seekers;
                left.iter_mut().for_each(|seeker| seeker.is_open = true);
            }
            Asked::Answered(results) => {
                for (seeker, result) in seekers.into_iter().zip(results) {
                    match inner.judge(at, seeker, result) {
                        Ok(known) => found.push(known),
                        Err(seeker) => left.push(seeker),
                    }
                }
            }
        }
        Some(Stage { next, left, found })
    }
}

impl Inner {
    /// Takes what the provider at `at` says of a number: it is known then, or the next one is to be asked.
    fn judge(&self, at: usize, mut seeker: Seeker, result: Result<Reply, Failure>) -> Result<(Msisdn, Entry), Seeker> {
        let terms = self.askers[at].terms();
        let mut reply = match result {
            Ok(reply) => reply,
            Err(_) => {
                seeker.has_failed = true;
                return Err(seeker);
            }
        };
        let cost = reply.cost.unwrap_or(terms.price);
        self.askers[at].paid(cost);
        seeker.cost = Micros(seeker.cost.0.saturating_add(cost.0));
        // Whoever only knows the country knows no more than the numbering plan.
        reply.network = reply.network.filter(|network| network.has_mnc());
        if reply.reach == Reach::Dead && !terms.is_authoritative {
            reply.reach = Reach::Unknown;
        }
        let by = By(u8::try_from(at + 1).expect("providers are counted"));
        if reply.network.is_none() && reply.reach != Reach::Dead {
            seeker.is_unknown = true;
            let says_something = reply.ported.is_some() || reply.reach != Reach::Unknown || reply.roaming.is_some();
            seeker.hint = seeker.hint.or(says_something.then_some((by, reply)));
            return Err(seeker);
        }
        let entry = self.entry(by, &reply);
        self.learn(&seeker.number, &entry);
        Ok(self.found(seeker, entry))
    }

    /// Nobody is left to ask, or nobody waits. What is to be written to the shared store: only what everybody was asked about, as
    /// the rest passes.
    fn give_up(&self, seeker: Seeker) -> Option<(Msisdn, Entry)> {
        let is_whole = !seeker.has_failed && !seeker.is_open;
        let ttls = &self.config.ttls;
        let nobody = self.entry_of_nobody(if is_whole { ttls.nothing } else { ttls.failure });
        let entry = match &seeker.hint {
            Some((by, reply)) => {
                let hint = self.entry(*by, reply);
                Entry {
                    expires_at: hint.expires_at.min(nobody.expires_at),
                    ..hint
                }
            }
            None if seeker.has_failed || seeker.is_unknown => nobody,
            None => {
                self.land(&seeker, None);
                return None;
            }
        };
        // What is known and stale is better than that; it is asked anew as much later.
        let (now, mark) = (self.now(), seeker.ticket.mark);
        if let Some((known, _)) = self.memory.get(mark, now).filter(|(known, _)| known.network.is_some()) {
            let known = known.held_until(entry.expires_at);
            self.memory.put(mark, &known, now);
            self.land(&seeker, Some(known));
            return None;
        }
        let found = self.found(seeker, entry);
        is_whole.then_some(found)
    }

    fn found(&self, seeker: Seeker, entry: Entry) -> (Msisdn, Entry) {
        self.memory.put(seeker.ticket.mark, &entry, self.now());
        self.land(&seeker, Some(entry));
        (seeker.number, entry)
    }

    fn land(&self, seeker: &Seeker, entry: Option<Entry>) {
        let cost = seeker.cost;
        self.flights.land(seeker.ticket, Landed { entry, cost });
    }

    /// Those of `seekers` that somebody waits for; the others are seen off.
    fn still_wanted(&self, seekers: Vec<Seeker>) -> Vec<Seeker> {
        let (wanted, left): (Vec<_>, Vec<_>) = seekers
            .into_iter()
            .partition(|seeker| self.flights.is_wanted(seeker.ticket));
        for mut seeker in left {
            // What was found out is kept for the next who wants to know, if not for long.
            seeker.is_open = true;
            _ = self.give_up(seeker);
        }
        wanted
    }
}

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        let nothing = Landed {
            entry: None,
            cost: Micros(0),
        };
        for ticket in &self.tickets {
            self.inner.flights.land(*ticket, nothing);
        }
        if self.is_refresh {
            self.inner.refreshing.fetch_sub(self.tickets.len(), Relaxed);
        }
    }
}

//! The way in for messages from handsets, of every kind of link: repeats are told, parts are gathered, and what is whole is
//! safe on the log before its carrier hears that it was taken.
//!
//! What is known of a message stands in the store under a hash of what tells it from others (`name.rs`), and changes by
//! compare-and-swap alone: parts may come by several binds and processes, in any order and twice. Whoever completes a message
//! publishes it; what is left behind by the dead, or incomplete in time, is found by the due index and published by whoever
//! looks first (`keep.rs`).

mod desk;
mod keep;
mod name;
mod open;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bus::Record;
use bytes::Bytes;
use service::{Deps, Seldom};
use signalbox_proto::{keys, record, topics};
use sms::{
    Carriers, Concatenation, GATHER_SETTLES, GatherRules, GatherStage, GatherStep, Gathering, InboundPart, Told, UnixMs,
};
use store::{Applied, Commit, Due, Key, Op, StoreError, Versioned};
use tracing::{error, warn};

use crate::metrics;
use open::Open;

pub(crate) use desk::{Came, start};

/// What comes again within this time after it was published is a repeat, unless the link says otherwise.
pub(crate) const REPEATS_DEFAULT: Duration = Duration::from_secs(120);
/// The same where the carrier names its messages, so that no two of a sender can be taken for one.
const REPEATS_NAMED: Duration = Duration::from_secs(24 * 3_600);
/// How long the parts of a long message are waited for, unless the link says otherwise.
pub(crate) const PARTS_WITHIN_DEFAULT: Duration = Duration::from_secs(300);
/// Largest part that is kept to be joined with others, in octets: what a `short_message` holds. A larger one is published by
/// itself.
const PART_OCTETS_MAX: usize = 255;
/// How often a part is folded anew because another was faster.
const ROUNDS_MAX: usize = 300;
/// What is known stays so long if nobody looks for it: as long as the log keeps records.
const KEPT: Duration = topics::RETENTION_DEFAULT;

/// What is wrong with the store is met by every message.
static TOLD: Seldom = Seldom::new();

/// Long messages of one carrier that may wait for parts in one process, unless the link says otherwise.
pub(crate) const WAITING_MAX_DEFAULT: usize = 10_000;

/// How messages that come over a link are gathered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InboundRules {
    /// For how long parts and repeats are told.
    pub gather: GatherRules,
    /// Long messages of one carrier that may wait for parts in one process; beyond them the oldest is published as it is.
    pub waiting_max: usize,
}

/// The rules of a link that says nothing of them.
pub(crate) const RULES_DEFAULT: InboundRules = InboundRules {
    gather: GatherRules {
        repeats: REPEATS_DEFAULT,
        within: PARTS_WITHIN_DEFAULT,
    },
    waiting_max: WAITING_MAX_DEFAULT,
};

/// The way in. Cheap to clone; clones count what is open together.
#[derive(Clone)]
pub(crate) struct Inbound {
    deps: Deps,
    open: Arc<Mutex<Open>>,
}

impl std::fmt::Debug for Inbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inbound").finish_non_exhaustive()
    }
}

/// A part on its way, and the key of its message.
struct Way<'a> {
    key: Key,
    part: &'a InboundPart,
    digest: u64,
    is_alone: bool,
    rules: InboundRules,
    is_safe: bool,
}

/// What is to be written of one message, and the parts that are safe with it.
struct Plan {
    key: Key,
    expected: Option<u64>,
    gathering: Gathering,
    /// Whether it is to be published once it is written.
    inbound: Option<Box<sms::Inbound>>,
    parts: Vec<usize>,
    waiting_max: usize,
}

/// What one look at what is known made of the parts.
#[derive(Default)]
struct Round {
    plans: Vec<Plan>,
    /// Parts that are there already.
    repeats: Vec<usize>,
    /// Parts that are to be folded again.
    again: Vec<usize>,
    /// Messages that are to be published before that.
    clashes: Vec<(Key, Versioned)>,
}

impl Inbound {
    /// The way in of one process.
    pub(crate) fn new(deps: Deps) -> Self {
        Self {
            deps,
            open: Arc::default(),
        }
    }

    /// Takes what came over the link of `carriers`, in the order in which it came, and says of each part whether it is safe: then it may be
    /// answered as taken, and is never asked for again. What is not safe shall come again.
    pub(crate) async fn take(&self, carriers: &Carriers, parts: &[InboundPart], rules: InboundRules) -> Vec<bool> {
        let mut ways: Vec<Way<'_>> = parts.iter().map(|part| Way::of(carriers, part, rules)).collect();
        let mut left: Vec<usize> = (0..ways.len()).collect();
        for _ in 0..ROUNDS_MAX {
            if left.is_empty() {
                break;
            }
            left = match self.round(carriers, &mut ways, &left).await {
                Ok(again) => again,
                Err(error) => {
                    if TOLD.is_due("take") {
                        warn!(carrier = %carriers.first(), %error, "inbound messages are not safe, the carrier is asked to send them again");
                    }
                    break;
                }
            };
        }
        let unsafe_parts = ways.iter().filter(|way| !way.is_safe).count();
        metrics::inbound(carriers.first().as_str(), "refused", unsafe_parts);
        ways.into_iter().map(|way| way.is_safe).collect()
    }

    /// Folds the parts `left` once, and says which are to be folded again.
    async fn round(&self, carriers: &Carriers, ways: &mut [Way<'_>], left: &[usize]) -> Result<Vec<usize>, StoreError> {
        let groups = by_key(ways, left);
        let keys = groups.iter().map(|(key, _)| key.clone()).collect();
        let found = self.deps.store.get(keys).await?;
        let mut round = Round::default();
        for ((key, parts), found) in groups.into_iter().zip(found) {
            self.fold(carriers, ways, (key, parts), found, &mut round);
        }
        for (key, versioned) in std::mem::take(&mut round.clashes) {
            metrics::inbound(carriers.first().as_str(), "clash", 1);
            self.close(key, &versioned).await?;
        }
        self.carry_out(carriers, ways, round).await
    }

    /// Folds the parts of one message into what was `found` of it, until it is to be published.
    fn fold(
        &self,
        carriers: &Carriers,
        ways: &[Way<'_>],
        (key, parts): (Key, Vec<usize>),
        found: Option<Versioned>,
        round: &mut Round,
    ) {
        let now = self.deps.clock.now();
        let mut known = found.as_ref().and_then(|found| read(&found.value));
        let mut plan: Option<Plan> = None;
        let expected = found.as_ref().map(|found| found.version);
        let mut parts = parts.into_iter();
        for index in parts.by_ref() {
            let told = ways[index].told(carriers);
            let (gathering, inbound) =
                match Gathering::step(known.as_ref(), told, now, || self.deps.dice.message_id(now)) {
                    GatherStep::Keep(gathering) => (gathering, None),
                    GatherStep::Publish(gathering, inbound) => (gathering, Some(inbound)),
                    GatherStep::Repeat => {
                        metrics::inbound(carriers.first().as_str(), "repeat", 1);
                        match &mut plan {
                            Some(plan) => plan.parts.push(index),
                            None => round.repeats.push(index),
                        }
                        continue;
                    }
                    GatherStep::Busy => continue,
                    GatherStep::Clash => {
                        round.again.push(index);
                        // What is known has parts of this very call: they are written first, and looked at again.
                        if let (None, Some(found)) = (&plan, &found) {
                            round.clashes.push((key.clone(), found.clone()));
                        }
                        break;
                    }
                };
            let is_whole = inbound.is_some();
            let plan = plan.get_or_insert_with(|| Plan {
                key: key.clone(),
                expected,
                gathering: gathering.clone(),
                inbound: None,
                parts: Vec::new(),
                waiting_max: ways[index].rules.waiting_max,
            });
            plan.parts.push(index);
            plan.gathering = gathering.clone();
            plan.inbound = inbound;
            known = Some(gathering);
            if is_whole {
                break;
            }
        }
        round.again.extend(parts);
        round.plans.extend(plan);
    }

    /// Writes what was planned, publishes what is whole, and waits until both are safe.
    async fn carry_out(
        &self,
        carriers: &Carriers,
        ways: &mut [Way<'_>],
        round: Round,
    ) -> Result<Vec<usize>, StoreError> {
        let Round {
            plans,
            repeats,
            mut again,
            ..
        } = round;
        let ops = plans
            .iter()
            .map(|plan| write(&plan.key, plan.expected, &plan.gathering));
        let mut ops: Vec<Op> = ops.collect();
        // What is there already may have been written by another and not be safe yet; it is once this is.
        ops.extend((!repeats.is_empty()).then(|| self.barrier()));
        if ops.is_empty() {
            return Ok(again);
        }
        let (applied, commit) = self.deps.store.apply(ops).await?;
        let mut written = Vec::new();
        for (plan, applied) in plans.into_iter().zip(applied) {
            match applied {
                Applied::Written(version) => written.push((plan, version)),
                _ => again.extend(plan.parts),
            }
        }
        let whole = written.iter().filter_map(|(plan, _)| plan.inbound.as_deref());
        let is_published = self.publish(whole, commit).await?;
        repeats.into_iter().for_each(|index| ways[index].is_safe = true);
        let now = self.deps.clock.now();
        let (mut done, mut evicted) = (Vec::new(), Vec::new());
        for (plan, version) in written {
            let is_whole = plan.inbound.is_some();
            evicted.extend(self.enter(&plan, is_whole));
            if is_whole && !is_published {
                continue;
            }
            plan.parts.iter().for_each(|index| ways[*index].is_safe = true);
            if let Some(inbound) = &plan.inbound {
                count(inbound);
                done.push(write(&plan.key, Some(version), &plan.gathering.done(now)));
            } else if plan.gathering.stage == GatherStage::Open {
                metrics::inbound(carriers.first().as_str(), "part", plan.parts.len());
            }
        }
        self.note(done).await;
        for key in evicted {
            metrics::inbound(carriers.first().as_str(), "evicted", 1);
            self.close_early(key).await;
        }
        Ok(again)
    }

    fn barrier(&self) -> Op {
        Op::Put {
            key: Key::new("barrier", "inbound"),
            value: Bytes::new(),
            expires_at_ms: self.deps.clock.now().0 + 1_000,
        }
    }

    /// Publishes messages once what is known of them is written, and waits until that and they are safe. False = they are not.
    async fn publish<'a>(
        &self,
        whole: impl Iterator<Item = &'a sms::Inbound>,
        written: Commit,
    ) -> Result<bool, StoreError> {
        let records: Vec<Record> = whole
            .map(|inbound| Record::new(name::record_key(&inbound.to), record::inbound_to_bytes(inbound)))
            .collect();
        if records.is_empty() {
            written.await?;
            return Ok(true);
        }
        let published = match self.deps.bus.publish(&topics::inbound(), records).await {
            Ok(published) => published,
            Err(error) => {
                self.unpublished(&error);
                return Ok(false);
            }
        };
        let (written, published) = futures::join!(written, published);
        if let Err(error) = &published {
            self.unpublished(error);
        }
        written?;
        Ok(published.is_ok())
    }

    fn unpublished(&self, error: &bus::PublishError) {
        if TOLD.is_due("publish") {
            warn!(%error, "inbound messages are not safe on the log, and are published again");
        }
    }

    /// Counts what is open of this process; the keys of messages that are to make room.
    fn enter(&self, plan: &Plan, is_whole: bool) -> Vec<Key> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if is_whole || plan.gathering.stage != GatherStage::Open {
            open.leave(&plan.gathering, &plan.key);
            return Vec::new();
        }
        open.enter(&plan.gathering, &plan.key, plan.waiting_max)
    }

    /// Notes what needs not be safe: should it be lost, it is found out once more.
    async fn note(&self, ops: Vec<Op>) {
        if ops.is_empty() {
            return;
        }
        if let Err(error) = self.deps.store.apply(ops).await
            && TOLD.is_due("done")
        {
            warn!(%error, "cannot note that inbound messages were published, they may be published again");
        }
    }
}

impl<'a> Way<'a> {
    fn of(carriers: &Carriers, part: &'a InboundPart, rules: InboundRules) -> Self {
        let is_alone = part.place.is_none() || part.octets.len() > PART_OCTETS_MAX;
        let gather = match is_alone && !part.name.is_empty() {
            true => GatherRules {
                repeats: REPEATS_NAMED.max(rules.gather.repeats),
                ..rules.gather
            },
            false => rules.gather,
        };
        Self {
            key: keys::inbound(carriers.first(), name::of(part, is_alone)),
            part,
            digest: name::digest(part),
            is_alone,
            rules: InboundRules { gather, ..rules },
            is_safe: false,
        }
    }

    fn told<'b>(&'b self, carriers: &'b Carriers) -> Told<'b> {
        Told {
            carriers,
            part: self.part,
            is_alone: self.is_alone,
            digest: self.digest,
            rules: self.rules.gather,
        }
    }
}

/// The parts `left` by the message they are of, in the order in which those came.
fn by_key(ways: &[Way<'_>], left: &[usize]) -> Vec<(Key, Vec<usize>)> {
    let mut at = std::collections::BTreeMap::new();
    let mut groups: Vec<(Key, Vec<usize>)> = Vec::new();
    for index in left {
        let key = &ways[*index].key;
        let group = *at.entry(key).or_insert_with(|| {
            groups.push((key.clone(), Vec::new()));
            groups.len() - 1
        });
        groups[group].1.push(*index);
    }
    groups
}

/// What is known in `value`; `None` = it cannot be read, and is written anew.
fn read(value: &Bytes) -> Option<Gathering> {
    match record::gathering_from_bytes(value) {
        Ok(gathering) => Some(gathering),
        Err(invalid) => {
            metrics::dead("store/inbound", invalid.fault().as_str());
            if TOLD.is_due("unreadable") {
                error!(%invalid, "what the store knows of an inbound message cannot be read: parts of it that came may be lost");
            }
            None
        }
    }
}

fn write(key: &Key, expected: Option<u64>, gathering: &Gathering) -> Op {
    let expires_at = match gathering.stage {
        GatherStage::Done => gathering.since + gathering.rules.repeats,
        GatherStage::Publishing if gathering.parts.is_empty() => {
            gathering.since + gathering.rules.repeats.max(GATHER_SETTLES)
        }
        GatherStage::Publishing | GatherStage::Open => gathering.began_at + gathering.rules.within + KEPT,
    };
    Op::Swap {
        key: key.clone(),
        expected,
        value: Some(record::gathering_to_bytes(gathering)),
        expires_at_ms: expires_at.0,
        due: gathering.due_at().map(due),
    }
}

fn due(at: UnixMs) -> Due {
    Due {
        partition: keys::INBOUND_DUE,
        second: at.second_ceil(),
    }
}

/// Counts a message that is on the log.
fn count(inbound: &sms::Inbound) {
    let carrier = inbound.carriers.first().as_str();
    metrics::inbound(
        carrier,
        if inbound.missing.is_empty() {
            "complete"
        } else {
            "incomplete"
        },
        1,
    );
    metrics::inbound_missing(carrier, inbound.missing.len());
}

/// The place that `place` names, if it is one among several: a message of one part stands alone.
pub(crate) fn among_several(place: Concatenation) -> Option<Concatenation> {
    (place.total > 1).then_some(place)
}

#[cfg(test)]
mod tests;

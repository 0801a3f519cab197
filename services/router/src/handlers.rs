//! What is done with accepted messages, answers and receipts.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bus::Batch;
use futures::{FutureExt, future::BoxFuture};
use journey::{CODE_TAKEN_BACK, Correlation, Event, Input, OrderAnswer, OrderNumber, Outcome};
use signalbox_proto::{keys, record};
use sms::{Lane, Message, MessageId, RecordKey, UnixMs};
use store::{Key, Op, StoreError};

use crate::{
    Error,
    case::{Case, Loaded, Settled},
    desk::Desk,
    intake::{After, Handle, Turn, records},
    ledger::{self, Entered},
    metrics,
    outbox::{self, Outbox},
    place::{Ask, Decisions, Placed, put_off, waits_on},
    states,
};

/// How long a carrier's ids are kept after the last instant at which a receipt counts.
const CORRELATIONS_KEPT: std::time::Duration = std::time::Duration::from_secs(24 * 3_600);

/// How far the clock of who accepted a message may be ahead of ours and the log's, and still be believed.
pub(crate) const AHEAD_MAX: std::time::Duration = std::time::Duration::from_secs(60);

/// Messages of one lane that were answered OK: each gets its first order.
pub(crate) struct Accepted(pub(crate) Lane);
/// What connectors say about orders.
pub(crate) struct Outcomes;
/// Receipts that found their order.
pub(crate) struct Receipts;

/// What a batch comes to before it is written.
#[derive(Default)]
pub(crate) struct Work {
    pub(crate) outbox: Outbox,
    pub(crate) asks: Vec<Ask>,
    pub(crate) waits: Vec<journey::Waiting>,
    /// Messages that waited for a look-up between two orders.
    looked_up: Vec<Ask>,
    cases: BTreeMap<MessageId, Case>,
    /// Whether an order was answered that a router had claimed before.
    is_taken_back: bool,
}

impl Handle for Accepted {
    fn lane(&self) -> Option<Lane> {
        Some(self.0)
    }

    fn handle<'a>(&'a self, desk: &'a Arc<Desk>, read: &'a [Batch], _: Turn) -> BoxFuture<'a, Result<After, Error>> {
        async move {
            let mut work = Work::new(desk);
            let now = desk.now();
            for (topic, stored) in records(read) {
                match record::accepted_from_bytes(&stored.value) {
                    Ok(mut message) => {
                        message.accepted_at = believed(message.accepted_at, UnixMs(stored.stored_at_ms), now);
                        work.outbox.read(topic, stored, message.id);
                        work.asks.push(Ask::first(message));
                    }
                    Err(error) => work.outbox.dead(topic, stored, &error),
                }
            }
            work.finish(desk).await
        }
        .boxed()
    }
}

impl Handle for Outcomes {
    const OWNS_TIMERS: bool = true;

    fn handle<'a>(&'a self, desk: &'a Arc<Desk>, read: &'a [Batch], turn: Turn) -> BoxFuture<'a, Result<After, Error>> {
        async move {
            let mut work = Work::new(desk);
            let (now, mut is_old) = (desk.now(), false);
            for (topic, stored) in records(read) {
                match record::outcome_from_bytes(&stored.value) {
                    Ok(answer) => {
                        if turn == Turn::First {
                            hear(desk, &answer, now);
                        }
                        work.outbox.read(topic, stored, answer.order.message);
                        is_old |= desk.epochs.is_from_before(answer.returned.message.accepted_at);
                        work.answer(answer);
                    }
                    Err(error) => work.outbox.dead(topic, stored, &error),
                }
            }
            if work.is_taken_back || is_old {
                // A router claimed the order: what it ended must not go on because the answer carries all that is needed. Nor is what
                // an answer from before a loss led to ordered again, as the store knows once it is rebuilt.
                work.load(desk).await?;
            }
            work.finish(desk).await
        }
        .boxed()
    }
}

impl Handle for Receipts {
    fn handle<'a>(&'a self, desk: &'a Arc<Desk>, read: &'a [Batch], _: Turn) -> BoxFuture<'a, Result<After, Error>> {
        async move {
            let mut work = Work::new(desk);
            for (topic, stored) in records(read) {
                match record::receipt_from_bytes(&stored.value) {
                    Ok(receipt) => {
                        let (message, key) = (receipt.order.message, receipt.order.key);
                        work.outbox.read(topic, stored, message);
                        work.case(message, key).inputs.push(Input::Receipt(Box::new(receipt)));
                    }
                    Err(error) => work.outbox.dead(topic, stored, &error),
                }
            }
            work.recall(desk);
            work.load(desk).await?;
            work.finish(desk).await
        }
        .boxed()
    }
}

impl Work {
    /// Nothing as yet.
    pub(crate) fn new(desk: &Desk) -> Self {
        Self {
            outbox: Outbox::new(desk.tracer()),
            ..Self::default()
        }
    }

    pub(crate) fn case(&mut self, message: MessageId, key: RecordKey) -> &mut Case {
        self.cases.entry(message).or_insert_with(|| Case::new(message, key))
    }

    /// Takes a message that comes back from a look-up.
    pub(crate) fn looked_up(&mut self, ask: Ask) {
        // One that nobody was asked about counts as new only now.
        if ask.attempts.is_empty() {
            self.asks.push(ask);
        } else {
            self.looked_up.push(ask);
        }
    }

    fn answer(&mut self, answer: OrderAnswer) {
        self.is_taken_back |= matches!(&answer.outcome, Outcome::LinkDown { cause } if cause.code == CODE_TAKEN_BACK);
        let beside = correlations(&answer);
        let case = self.case(answer.order.message, answer.order.key);
        case.beside.extend(beside);
        case.inputs.push(Input::Answered(Box::new(answer)));
    }

    /// Takes the states that this router wrote a moment ago for what the store holds. Whoever wrote since makes the swap
    /// fail that follows, and that tells what is there.
    fn recall(&mut self, desk: &Desk) {
        let recalled = desk.remembered.take(desk.epochs.number(), self.cases.keys().copied());
        for (case, state) in self.cases.values_mut().zip(recalled) {
            case.loaded = state.map(Loaded::new).map(Box::new);
        }
    }

    /// Reads the states of all cases that have none yet, with one call.
    pub(crate) async fn load(&mut self, desk: &Arc<Desk>) -> Result<(), Error> {
        load(desk, self.cases.values_mut()).await
    }

    /// Forgets cases whose state is gone, and takes the key of their records from the state of the others.
    pub(crate) fn drop_absent(&mut self) {
        self.cases
            .retain(|_, case| match case.loaded.as_deref().and_then(Loaded::key) {
                Some(key) => {
                    case.key = key;
                    true
                }
                None => false,
            });
    }

    /// Leaves messages from before a loss of the store to the orders that stood on the log by then: what comes again from before
    /// it may have one, and a second, for another carrier, might be sent as well. Gives back those of which nobody can say so
    /// before the store is rebuilt: they wait, and are decided anew.
    async fn leave_ordered(&mut self, desk: &Arc<Desk>) -> Result<Vec<Placed>, Error> {
        let (old, states) = loop {
            let old = self.old_orders(desk);
            if old.is_empty() {
                return Ok(Vec::new());
            }
            if desk.epochs.are_unknown() {
                return Ok(self.hold_back(desk));
            }
            let keys: Vec<Key> = old.iter().map(|(message, _)| keys::state(*message)).collect();
            match states::read(desk.store(), keys).await {
                Ok(states) => break (old, states),
                Err(StoreError::Lost) => desk.epochs.lost(desk.now()),
                Err(error) => ledger::wait_for_store(desk, error).await?,
            }
        };
        let mut ordered = BTreeSet::new();
        for ((message, number), loaded) in old.into_iter().zip(states) {
            let Some(state) = loaded.and_then(|loaded| loaded.state) else {
                continue;
            };
            if state.has_ordered(number) {
                ordered.insert((message, number));
            }
            // Whoever ended it may have died before it said so.
            if let Some(ended) = state.ended {
                self.outbox.event(&Event::Ended(ended));
            }
        }
        let is_left = |message: &Message, number| !ordered.contains(&(message.id, number));
        self.asks.retain(|ask| is_left(&ask.message, ask.number));
        self.looked_up.retain(|ask| is_left(&ask.message, ask.number));
        self.waits.retain(|waiting| is_left(&waiting.message, waiting.number));
        Ok(Vec::new())
    }

    /// The orders that are to be made for messages from before a loss of the store.
    fn old_orders(&self, desk: &Desk) -> Vec<(MessageId, OrderNumber)> {
        let asks = self.asks.iter().chain(&self.looked_up);
        let asks = asks.map(|ask| (&ask.message, ask.number));
        let all = asks.chain(self.waits.iter().map(|waiting| (&waiting.message, waiting.number)));
        all.filter(|(message, _)| desk.epochs.is_from_before(message.accepted_at))
            .map(|(message, number)| (message.id, number))
            .collect()
    }

    /// Takes out messages from before a loss of the store, to wait.
    fn hold_back(&mut self, desk: &Desk) -> Vec<Placed> {
        let now = desk.now();
        let is_old = |message: &Message| desk.epochs.is_from_before(message.accepted_at);
        let asks = self.asks.extract_if(.., |ask| is_old(&ask.message));
        let asks = asks.chain(self.looked_up.extract_if(.., |ask| is_old(&ask.message)));
        let waits = self.waits.extract_if(.., |waiting| is_old(&waiting.message));
        let held = asks.map(|ask| ask.held_back(now));
        held.chain(waits.map(|waiting| waits_on(Box::new(waiting), now)))
            .collect()
    }

    /// Enters the cases into the store, decides what is to be asked on one table, and says what is left: publishing,
    /// once the store is safe.
    pub(crate) async fn finish(mut self, desk: &Arc<Desk>) -> Result<After, Error> {
        let epoch = desk.epochs.number();
        let held_back = self.leave_ordered(desk).await?;
        let mut entered = ledger::enter(desk, self.cases.into_values().collect()).await?;
        let (table, now) = (desk.table.snapshot(), desk.now());
        learn(desk, &entered, now);
        let mut confirms = Vec::new();
        let unasked = {
            let carriers = desk.carriers.snapshot(now);
            let figures = desk.figures.summary();
            let lookups = desk.config.lookups.as_ref();
            let mut decisions = Decisions::new(&table, &carriers, &figures, lookups, now);
            let new = self.asks.len();
            let mut placed: Vec<_> = self.asks.into_iter().map(|ask| decisions.place(ask)).collect();
            placed.extend(self.looked_up.into_iter().map(|ask| decisions.place(ask)));
            placed.extend(self.waits.into_iter().map(|waiting| decisions.place_waiting(waiting)));
            for settled in entered.settled {
                let nexts = tell(&mut self.outbox, &mut confirms, settled);
                placed.extend(nexts.into_iter().map(|next| decisions.place_next(next)));
            }
            decisions.copies.iter().for_each(|copy| self.outbox.accepted(copy));
            desk.gauge.count(&placed, new, &carriers, now);
            if !desk.epochs.is_settled(now) {
                // Their orders may be with connectors that have not put their claims back, and the lane waits for nobody.
                placed = placed.into_iter().map(|placed| put_off(placed, now)).collect();
            }
            placed.extend(held_back);
            send(&mut self.outbox, placed, now)
        };
        if !unasked.is_empty() {
            let ended = ledger::enter(desk, unasked).await?;
            learn(desk, &ended, now);
            entered.commits.extend(ended.commits);
            for settled in ended.settled {
                tell(&mut self.outbox, &mut confirms, settled);
            }
        }
        let desk = desk.clone();
        if entered.commits.is_empty() {
            // Published in the order in which batches were read; only safety is waited for beside the next batch.
            let sent = self.outbox.publish(&desk, epoch).await?;
            return Ok(async move { outbox::safe(&desk, sent, epoch).await }.boxed());
        }
        let after = async move {
            let is_patient = self.outbox.is_patient();
            for commit in entered.commits {
                if is_patient {
                    commit.patiently().await
                } else {
                    commit.await
                }?;
            }
            // What a lost store held may come out otherwise: then nobody must hear of it.
            desk.epochs.check(epoch)?;
            let sent = self.outbox.publish(&desk, epoch).await?;
            outbox::safe(&desk, sent, epoch).await?;
            if !confirms.is_empty() {
                // One that lost changed the state meanwhile, and set its timer.
                ledger::apply(&desk, confirms).await?;
            }
            Ok(())
        };
        Ok(after.boxed())
    }
}

/// Reads the states of those among `cases` that have none yet, with one call.
async fn load(desk: &Arc<Desk>, cases: impl Iterator<Item = &mut Case>) -> Result<(), Error> {
    let mut missing: Vec<&mut Case> = cases.filter(|case| case.loaded.is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let keys: Vec<Key> = missing.iter().map(|case| keys::state(case.message)).collect();
    let states = loop {
        match states::read(desk.store(), keys.clone()).await {
            Ok(states) => break states,
            Err(error) => ledger::wait_for_store(desk, error).await?,
        }
    };
    for (case, state) in missing.iter_mut().zip(states) {
        case.loaded = state.map(Box::new);
    }
    Ok(())
}

/// When a message was accepted that is said to have been `accepted_at`, which the log took at `stored_at` and which is read
/// `now`. Where both speak against an instant to come, it lives no longer than if it had been accepted when they say.
fn believed(accepted_at: UnixMs, stored_at: UnixMs, now: UnixMs) -> UnixMs {
    let present = now.max(stored_at);
    if accepted_at > present + AHEAD_MAX {
        present
    } else {
        accepted_at
    }
}

/// Learns how the carrier stands from its answer, heard at `now`.
fn hear(desk: &Desk, answer: &OrderAnswer, now: UnixMs) {
    metrics::outcome(answer.outcome.as_str());
    desk.carriers.answered(answer, now);
    match &answer.outcome {
        // An order that a router took back says nothing about the link.
        Outcome::LinkDown { cause } if cause.code == CODE_TAKEN_BACK => {}
        Outcome::LinkDown { .. } => desk
            .carriers
            .went_down(&answer.order.carrier, now, desk.config.link_down_hint),
        Outcome::Accepted { .. } => {
            desk.carriers.came_up(&answer.order.carrier);
            if let Some(price) = &answer.returned.price {
                metrics::cost(answer.order.carrier.as_str(), price.cost_micros);
            }
        }
        _ => {}
    }
}

/// Counts what became of attempts.
fn learn(desk: &Desk, entered: &Entered, now: UnixMs) {
    let facts = entered.settled.iter().flat_map(|settled| &settled.facts);
    desk.figures.count(facts, now);
}

/// Puts what is told into the outbox; gives back what is to be asked.
fn tell(outbox: &mut Outbox, confirms: &mut Vec<Op>, settled: Settled) -> Vec<journey::Next> {
    for event in &settled.tells {
        outbox.event(event);
    }
    for _ in 0..settled.duplicates {
        metrics::duplicate();
    }
    for (key, dead) in &settled.dead {
        outbox.put_dead(key.0, dead);
    }
    confirms.extend(settled.confirm);
    settled.nexts
}

/// Puts orders and waits into the outbox; gives back the messages that no carrier is asked about any more.
fn send(outbox: &mut Outbox, placed: Vec<Placed>, now: UnixMs) -> Vec<Case> {
    let mut unasked = Vec::new();
    let mut case = |message: &Message, input| {
        let mut case = Case::new(message.id, message.key);
        case.inputs.push(input);
        unasked.push(case);
    };
    for placed in placed {
        match placed {
            Placed::Order(order) => outbox.order(&order),
            Placed::Wait(waiting, delay) => outbox.wait(waiting, delay, now),
            Placed::LookUp(waiting) => outbox.look_up(waiting, now),
            Placed::Park(waiting) => case(&waiting.message.clone(), Input::Parked(waiting)),
            Placed::DeadEnd(dead_end) => case(&dead_end.message.clone(), Input::DeadEnd(dead_end)),
        }
    }
    unasked
}

/// Index entries by which receipts of what the carrier took are found.
pub(crate) fn correlations(answer: &OrderAnswer) -> Vec<Op> {
    let Outcome::Accepted { remote_ids } = &answer.outcome else {
        return Vec::new();
    };
    if !answer.returned.receipt {
        return Vec::new();
    }
    let terms = &answer.returned.terms;
    let expires = (terms.deadline + terms.grace).max(answer.at) + CORRELATIONS_KEPT;
    let segments = u8::try_from(remote_ids.len()).unwrap_or(u8::MAX);
    let entry = |(segment, remote_id): (u8, &String)| {
        let correlation = Correlation {
            order: answer.order.clone(),
            segment,
            segments,
            trace: answer.returned.message.trace.clone(),
        };
        Op::Put {
            key: keys::correlation(&answer.order.carrier, remote_id),
            value: record::correlation_to_bytes(&correlation),
            expires_at_ms: expires.0,
        }
    };
    // A part without an id cannot be found by one: its key would be that of every such part of the carrier.
    let named = (0..=u8::MAX)
        .zip(remote_ids)
        .filter(|(_, remote_id)| !remote_id.is_empty());
    named.map(entry).collect()
}

//! What one batch holds about one message, folded until nothing is left to ask the store.

use std::time::Duration;

use bytes::Bytes;
use journey::{Event, Input, Known, Next, OrderNumber, State, Terms, fold};
use signalbox_proto::{
    keys,
    record::{self, DeadRecord, Fault, Invalid},
};
use sms::{MessageId, RecordKey, UnixMs};
use store::{Applied, Op, Versioned};

use crate::{
    aside,
    desk::Desk,
    figures::{Fact, facts},
};

/// How long states and claims outlive the last instant at which their message may change.
pub(crate) const KEPT: Duration = Duration::from_secs(24 * 3_600);
/// How long receipts wait in the store for the answer that carries their message: as long as the log keeps records.
const STUB_KEPT: Duration = Duration::from_secs(49 * 3_600);

/// A state as the store has it.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    pub(crate) state: Option<State>,
    pub(crate) version: u64,
    pub(crate) octets: Bytes,
    /// Why there is no state, if there is none.
    pub(crate) invalid: Option<Invalid>,
}

/// The inputs of one message in one batch.
pub(crate) struct Case {
    pub(crate) message: MessageId,
    pub(crate) key: RecordKey,
    pub(crate) inputs: Vec<Input>,
    /// Index entries written together with the state, the first time.
    pub(crate) beside: Vec<Op>,
    /// Boxed, as batches hand hundreds of cases from hand to hand.
    pub(crate) loaded: Option<Box<Loaded>>,
    known: Known,
    /// How far the inputs were folded when one of them asked for a claim.
    folded: Option<Box<Folded>>,
}

/// Inputs folded so far.
#[derive(Default)]
struct Folded {
    inputs: usize,
    state: Option<State>,
    is_kept: bool,
    settled: Settled,
}

/// What is left to do once the store has it all.
#[derive(Default)]
pub(crate) struct Settled {
    pub(crate) nexts: Vec<Next>,
    pub(crate) tells: Vec<Event>,
    pub(crate) duplicates: usize,
    /// What was learnt about carriers.
    pub(crate) facts: Vec<Fact>,
    /// To be applied once `nexts` and `tells` are published: moves the timer that led to them.
    pub(crate) confirm: Option<Op>,
    /// What came for a state that cannot be read, to be put aside.
    pub(crate) dead: Vec<(RecordKey, DeadRecord)>,
}

/// What a case needs of the store next.
pub(crate) enum Step {
    /// This operation; its result goes to [`Case::applied`].
    Ask(Op, Settled),
    Done(Settled),
}

impl Loaded {
    pub(crate) fn new(there: Versioned) -> Self {
        let (state, invalid) = match record::state_from_bytes(&there.value) {
            Ok(state) => (Some(state), None),
            Err(invalid) => (None, Some(invalid)),
        };
        Self {
            state,
            version: there.version,
            octets: there.value,
            invalid,
        }
    }

    /// The key of the message's records, if the state knows it.
    pub(crate) fn key(&self) -> Option<RecordKey> {
        let state = self.state.as_ref()?;
        let message = match (&state.body, &state.ended) {
            (Some(body), _) => &body.message,
            (None, ended) => &ended.as_ref()?.message,
        };
        Some(message.key)
    }
}

impl Case {
    pub(crate) fn new(message: MessageId, key: RecordKey) -> Self {
        let (inputs, beside) = (Vec::new(), Vec::new());
        Self {
            message,
            key,
            inputs,
            beside,
            loaded: None,
            known: Known::default(),
            folded: None,
        }
    }

    /// Folds all inputs over what the store is thought to hold.
    pub(crate) fn step(&mut self, desk: &Desk, now: UnixMs) -> Step {
        let invalid = self.loaded.as_ref().and_then(|loaded| loaded.invalid.clone());
        // What one input says is not what became of the message: that is on the log, and the mend reads all of it.
        if let Some(invalid) = invalid {
            if invalid.fault() != Fault::Newer {
                desk.damaged(self.message);
            }
            let dead = aside::records(&self.inputs, &invalid, now).map(|dead| (self.key, dead));
            return Step::Done(Settled {
                dead: dead.collect(),
                ..Settled::default()
            });
        }
        let before = self.loaded.as_ref().and_then(|loaded| loaded.state.as_ref());
        // One that knows of no order was made again from the log, before the first order of its message stood there.
        let knows_orders = |state: &State| state.body.is_some() && state.issued > OrderNumber::default();
        let is_kept = before.is_some_and(|state| knows_orders(state) || state.ended.is_some());
        let known = Known {
            is_kept,
            in_doubt: before.is_some_and(|state| is_in_doubt(desk, state)),
            ..self.known.clone()
        };
        // Inputs before the one that asked for a claim are not folded again: they did not know of it.
        let mut folded = self.folded.take().map_or_else(
            || Folded {
                state: before.cloned(),
                ..Folded::default()
            },
            |folded| *folded,
        );
        for (at, input) in self.inputs.iter().enumerate().skip(folded.inputs) {
            // With a single input, starting over from what is loaded is the same, and cheaper.
            let prior = if self.inputs.len() > 1 {
                folded.state.clone()
            } else {
                None
            };
            let (state, actions) = fold(folded.state.take(), input, now, &known);
            if let Some(number) = actions.claim {
                let claim = self.claim(number, &state, now);
                self.folded = (at > 0).then(|| Box::new(Folded { state: prior, ..folded }));
                return Step::Ask(claim, Settled::default());
            }
            folded.inputs = at + 1;
            folded.is_kept |= actions.keep;
            folded.state = if actions.keep { Some(state) } else { prior };
            folded.settled.nexts.extend(actions.next.map(|next| *next));
            folded.settled.tells.extend(actions.tell);
            folded.settled.duplicates += usize::from(actions.is_duplicate);
        }
        let mut settled = folded.settled;
        settled.tells.dedup();
        match folded.state {
            Some(state) if folded.is_kept => self.write(desk, &state, settled, now),
            _ => Step::Done(settled),
        }
    }

    /// Writes `state`, if it is new. The due entry of a timer stays in place until what it led to is published.
    fn write(&self, desk: &Desk, state: &State, mut settled: Settled, now: UnixMs) -> Step {
        settled
            .nexts
            .retain(|next| state.ended.is_none() && state.is_in_flight() && state.issued == next.number);
        settled.nexts.dedup_by_key(|next| next.number);
        let before = self.loaded.as_ref().and_then(|loaded| loaded.state.as_ref());
        let is_new = before != Some(state);
        if is_new {
            settled.facts = facts(before, state);
        }
        let is_timer = self.inputs.contains(&Input::Timer);
        if is_timer && !(settled.nexts.is_empty() && settled.tells.is_empty()) {
            settled.confirm = Some(self.swap(desk, state, state.timer, now));
            // Due at once: should the router die before it has published, the next look does.
            return if is_new {
                Step::Ask(self.swap(desk, state, Some(now), now), settled)
            } else {
                Step::Done(settled)
            };
        }
        if is_new || is_timer {
            return Step::Ask(self.swap(desk, state, state.timer, now), settled);
        }
        Step::Done(settled)
    }

    fn swap(&self, desk: &Desk, state: &State, timer: Option<UnixMs>, now: UnixMs) -> Op {
        Op::Swap {
            key: keys::state(self.message),
            expected: self.loaded.as_ref().map(|loaded| loaded.version),
            value: Some(record::state_to_bytes(state)),
            expires_at_ms: expiry(state, now).0,
            due: timer.map(|at| desk.due(self.key, at)),
        }
    }

    fn claim(&self, number: OrderNumber, state: &State, now: UnixMs) -> Op {
        Op::Claim {
            key: keys::claim(self.message, number),
            owner: Bytes::from_static(keys::ROUTER_OWNER),
            expires_at_ms: expiry(state, now).0,
        }
    }

    /// Whether `op` claims an order that was published under an epoch which is lost, perhaps, so that whoever has it must
    /// get the time to say so first.
    pub(crate) fn calls_off_too_soon(&self, op: &Op, desk: &Desk, now: UnixMs) -> bool {
        let Op::Claim { key, .. } = op else { return false };
        let state = self.loaded.as_ref().and_then(|loaded| loaded.state.as_ref());
        let body = state.and_then(|state| state.body.as_ref().map(|body| (state, body)));
        body.is_some_and(|(state, body)| {
            keys::number_of_claim(key).is_some_and(|number| number <= state.issued)
                && !desk.epochs.may_call_off(body.message.accepted_at, now)
        })
    }

    /// Takes the result of the operation asked for. True = done with the store.
    pub(crate) fn applied(&mut self, op: &Op, applied: Applied, settled: &mut Settled) -> bool {
        match (op, applied) {
            (Op::Claim { key, .. }, applied) => {
                let number = keys::number_of_claim(key).expect("claims asked for name their order");
                let is_won = matches!(applied, Applied::Claimed | Applied::Reclaimed);
                self.known.claims.insert(number, is_won);
                false
            }
            (_, Applied::Conflict(there)) => {
                self.loaded = there.map(Loaded::new).map(Box::new);
                self.folded = None;
                false
            }
            (_, Applied::Written(version)) => {
                if let Some(Op::Swap { expected, .. }) = &mut settled.confirm {
                    *expected = Some(version);
                }
                true
            }
            (_, other) => unreachable!("the store answers a swap as a swap, not with {other:?}"),
        }
    }
}

/// Whether orders of the message of `state` may have been started under an epoch that is lost.
fn is_in_doubt(desk: &Desk, state: &State) -> bool {
    let body = state.body.as_ref();
    body.is_some_and(|body| desk.epochs.doubts(body.message.accepted_at))
}

/// How long what concerns a message with `terms` is kept.
pub(crate) fn kept_until(terms: &Terms, now: UnixMs) -> UnixMs {
    (terms.deadline + terms.grace).max(now) + KEPT
}

/// How long a state and its claims are kept.
pub(crate) fn expiry(state: &State, now: UnixMs) -> UnixMs {
    match (&state.body, &state.ended) {
        (Some(body), _) => kept_until(&body.terms, now),
        (None, Some(ended)) => {
            let message = &ended.message;
            let deadline = message.accepted_at + message.ttl.unwrap_or(message.class.deadline_default());
            deadline.max(ended.ended_at) + message.class.grace() + KEPT
        }
        (None, None) => now + STUB_KEPT,
    }
}

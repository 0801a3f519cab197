//! Claims: which fetched orders become ours to send.

use std::{collections::BTreeMap, sync::Arc};

use futures::FutureExt;
use journey::{CODE_TAKEN_BACK, Cause, Outcome};
use service::time::{self, Instant};
use sms::{Lane, UnixMs};
use store::{Applied, Op};
use tracing::debug;

use super::{Airborne, BULK_WAIT_MIN, Item, LinkState, OrderKey, Pump, conduct::CODE_STOPPED};
use crate::{
    Incarnation,
    aside::Fate,
    claims::{self, Ruling},
    flight::Flight,
    metrics,
    parts::Ready,
};

/// Orders of one call to the store.
const CLAIM_BATCH_MAX: usize = 500;
/// Calls to the store under way at once; what comes meanwhile goes into the next one.
const CLAIM_CALLS_MAX: usize = 4;
/// Outcomes that may wait for the log before nothing more is claimed.
const OUTBOX_MAX: usize = 10_000;
/// Cause of an order that nobody sent for want of a link.
const CODE_NO_LINK: &str = "no_link";

const _: () = assert!(
    CLAIM_BATCH_MAX <= store::OPS_MAX,
    "a batch of claims is one call to the store"
);

/// An order whose claim is under way, or was found elsewhere.
#[derive(Debug)]
pub(super) struct Pending {
    pub ready: Box<Ready>,
    pub key: OrderKey,
    /// Window slots it holds.
    slots: u32,
    /// Rate tokens it holds.
    tokens: u32,
    /// When it was claimed at the earliest.
    since: UnixMs,
}

/// A batch of claims with the store's word; `None` = the store was lost.
pub(super) struct Claimed {
    pending: Vec<Pending>,
    applied: Option<Vec<Applied>>,
}

/// An order from the moment it is to be claimed until its outcome is safe.
#[derive(Debug)]
pub(super) struct Hand {
    /// Its records in the log.
    pub items: Vec<Item>,
    /// The claim in the store, whoever made it; absent = none yet.
    pub claim: Option<Op>,
    /// A claim of ours that the store was lost before it said anything of. Nothing was sent on it, and others may have seen it
    /// and put it back: it is made again, as another of ours would find it and be taken for a repeat.
    pub unsaid: Option<Op>,
}

/// What there is room for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Room {
    None,
    /// What is reserved for urgent orders.
    Urgent,
    Any,
}

impl Pump {
    /// Claims as many waiting orders as there are slots and tokens for. With the link down orders need neither: they are
    /// claimed to be answered.
    pub(super) fn start_claims(&mut self, now: Instant, wall: UnixMs) {
        let is_down = self.is_down(now);
        let may_claim = self.claiming.len() < CLAIM_CALLS_MAX
            && self.outbox.len() < OUTBOX_MAX
            && (self.state == LinkState::Up || is_down)
            && !self.is_held()
            && self.lease.is_held(wall)
            && !self.epochs.is_paused();
        if !may_claim {
            return;
        }
        if !is_down && self.is_all_bulk() && !self.bucket.holds(BULK_WAIT_MIN) {
            return;
        }
        let mut batch = Vec::new();
        while batch.len() < CLAIM_BATCH_MAX {
            let room = self.room(is_down);
            if room == Room::Any
                && let Some((ready, key)) = self.epochs.take_deferred(wall)
            {
                batch.push(self.reserve(ready, key, is_down, wall));
                continue;
            }
            let next = match room {
                Room::Any => self.waiting.pop(),
                Room::Urgent => self.waiting.pop_urgent(),
                Room::None => None,
            };
            let Some((ready, item)) = next else { break };
            if !self.left_queue(item) {
                continue;
            }
            let key = Self::key_of(&ready.order, item);
            if let Some(hand) = self.hands.get_mut(&key) {
                // The same order came twice while the first is in hand: it is done when that one is.
                hand.items.push(item);
                metrics::dropped(ready.order.carrier.as_str(), "repeat");
                continue;
            }
            let hand = Hand {
                items: vec![item],
                claim: None,
                unsaid: None,
            };
            self.hands.insert(key, hand);
            if self
                .epochs
                .doubt
                .waits(&ready.origin, ready.order.message.accepted_at, wall)
            {
                self.epochs.defer(ready, key);
                continue;
            }
            batch.push(self.reserve(ready, key, is_down, wall));
        }
        if !batch.is_empty() {
            debug!(link = %self.settings.link, orders = batch.len(), "claiming");
            self.claim(batch);
        }
    }

    /// Which order may be claimed next, to be sent or to be handed back.
    fn room(&self, is_down: bool) -> Room {
        let has_room = |lane: Lane| match is_down {
            true => self.returns.is_open(lane),
            false => self.window.free(lane) > 0 && self.bucket.is_open(lane),
        };
        match (has_room(Lane::Bulk), has_room(Lane::Urgent)) {
            (true, _) => Room::Any,
            (false, true) => Room::Urgent,
            (false, false) => Room::None,
        }
    }

    fn reserve(&mut self, ready: Box<Ready>, key: OrderKey, is_down: bool, wall: UnixMs) -> Pending {
        let lane = ready.order.class().lane();
        let tokens = if is_down {
            self.returns.take(1, lane);
            0
        } else {
            u32::try_from(ready.parts.len()).unwrap_or(u32::MAX)
        };
        let slots = tokens.min(self.window.slots_max());
        self.window.take(slots);
        self.bucket.take(tokens, lane);
        Pending {
            ready,
            key,
            slots,
            tokens,
            since: wall,
        }
    }

    /// Whether `pending` may be claimed a moment later: nobody reads on it, and the link is held up by its rate rather than by
    /// slots, which are taken meanwhile.
    fn is_patient(&self, pending: &[Pending]) -> bool {
        let is_bulk = |pending: &Pending| pending.ready.order.class().lane() == Lane::Bulk;
        self.window.free(Lane::Bulk) >= self.window.slots_max() / 2 && pending.iter().all(is_bulk)
    }

    fn claim(&mut self, pending: Vec<Pending>) {
        let (incarnation, call) = (self.lease.incarnation(), self.lease.next_call());
        let mut ops = Vec::with_capacity(pending.len());
        for pending in &pending {
            let fresh = || claims::claim(&pending.ready.order, incarnation, call);
            let hand = self.hands.get_mut(&pending.key);
            let claim = match hand {
                Some(hand) => {
                    let claim = hand.unsaid.take().unwrap_or_else(fresh);
                    hand.claim.insert(claim).clone()
                }
                None => fresh(),
            };
            ops.push(claim);
        }
        let is_patient = self.is_patient(&pending);
        let applied = claims::apply(Arc::clone(&self.store), ops, is_patient);
        self.claiming
            .push(applied.map(|applied| Claimed { pending, applied }).boxed());
    }

    /// The claims of a batch are safe.
    pub(super) fn on_claimed(&mut self, claimed: Claimed) {
        let (now, wall) = (time::now(), self.clock.now());
        let Some(applied) = claimed.applied else {
            return self.unclaim(claimed.pending);
        };
        for (pending, applied) in claimed.pending.into_iter().zip(applied) {
            self.window.give(pending.slots);
            self.note_holder(pending.key, &applied);
            let carrier = pending.ready.order.carrier.clone();
            let ruling = claims::ruling(&applied, &carrier, self.lease.incarnation());
            if ruling == Ruling::Go {
                self.start_flight(pending, now, wall);
                continue;
            }
            self.bucket.give(pending.tokens);
            match ruling {
                Ruling::Elsewhere { incarnation } if Incarnation::is_caretaker(&incarnation) => {
                    self.hand_back(pending, wall);
                }
                Ruling::Elsewhere { incarnation } => {
                    metrics::dropped(carrier.as_str(), "elsewhere");
                    self.aside.put(pending, incarnation, now);
                }
                Ruling::TakenBack => {
                    metrics::dropped(carrier.as_str(), "taken_back");
                    self.report_unsent(pending, CODE_TAKEN_BACK, wall);
                }
                ruling => {
                    metrics::dropped(carrier.as_str(), if ruling == Ruling::Twin { "twin" } else { "repeat" });
                    self.done(pending.key);
                }
            }
        }
    }

    /// Answers an order that a caretaker claimed, whether that one lives or not: it sends nothing, so what it says is known,
    /// and said twice it does no harm. What it has not said yet may never get out.
    fn hand_back(&mut self, pending: Pending, wall: UnixMs) {
        metrics::dropped(pending.ready.order.carrier.as_str(), "handed_back");
        self.report_unsent(pending, CODE_NO_LINK, wall);
    }

    /// Reports an order that whoever holds its claim never sent. A run that died may have, before its claim was forgotten and
    /// this one made: then nobody knows.
    fn report_unsent(&mut self, pending: Pending, code: &str, wall: UnixMs) {
        let outcome = match self.epochs.doubt.holds(&pending.ready.origin) {
            true => Outcome::Unknown { since: wall },
            false => Outcome::LinkDown {
                cause: Cause::new(code, ""),
            },
        };
        self.report(*pending.ready, pending.key, outcome, wall);
    }

    /// Keeps in mind who holds a claim that we did not win: should the store forget it, it is theirs again.
    fn note_holder(&mut self, key: OrderKey, applied: &Applied) {
        if let (Applied::Held { owner: holder }, Some(hand)) = (applied, self.hands.get_mut(&key))
            && let Some(Op::Claim { owner, .. }) = &mut hand.claim
        {
            *owner = holder.clone();
        }
    }

    /// The store was lost before it said what became of these claims: nothing of them was sent, and they are claimed anew.
    fn unclaim(&mut self, pending: Vec<Pending>) {
        self.lease.suspect();
        self.epochs.suspect();
        for Pending {
            ready,
            key,
            slots,
            tokens,
            since: _,
        } in pending
        {
            self.window.give(slots);
            self.bucket.give(tokens);
            if self.is_draining {
                self.hands.remove(&key);
                continue;
            }
            if let Some(hand) = self.hands.get_mut(&key) {
                hand.unsaid = hand.claim.take();
            }
            self.epochs.defer(ready, key);
        }
    }

    /// Sends an order that is ours, or answers it where it cannot be sent any more.
    fn start_flight(&mut self, pending: Pending, now: Instant, wall: UnixMs) {
        let Pending {
            ready,
            key,
            tokens,
            since,
            slots: _,
        } = pending;
        let answer = if self.epochs.doubt.holds(&ready.origin) {
            // Nobody who lives put a claim on it. A run that died may have sent it before its claim was forgotten.
            metrics::dropped(ready.order.carrier.as_str(), "doubtful");
            Some(Outcome::Unknown { since: wall })
        } else if wall >= ready.order.terms.deadline {
            Some(Outcome::Next {
                cause: Cause::new("deadline", ""),
            })
        } else if let Some(cause) = &ready.unfit {
            Some(Outcome::Next { cause: cause.clone() })
        } else if !self.is_open() {
            Some(Outcome::LinkDown {
                cause: Cause::new(CODE_STOPPED, ""),
            })
        } else if self.is_down(now) {
            Some(Outcome::LinkDown {
                cause: Cause::new(CODE_NO_LINK, ""),
            })
        } else {
            None
        };
        if let Some(outcome) = answer {
            self.bucket.give(tokens);
            return self.report(*ready, key, outcome, wall);
        }
        let id = self.flight_next;
        self.flight_next += 1;
        self.airborne.insert(
            id,
            Airborne {
                flight: Flight::new(*ready),
                key,
                prepaid: tokens,
                since,
                is_queued: false,
            },
        );
        self.queue(id);
    }

    /// Leases were looked at: orders whose owner is gone are unknown.
    pub(super) fn on_looked(&mut self, lives: &BTreeMap<String, bool>) {
        let (now, wall) = (time::now(), self.clock.now());
        for (pending, fate) in self.aside.take_settled(lives, now) {
            match fate {
                Fate::Orphaned => {
                    self.report(*pending.ready, pending.key, Outcome::Unknown { since: wall }, wall);
                }
                Fate::Answered => self.done(pending.key),
            }
        }
    }
}

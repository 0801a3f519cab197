//! A store that was lost, as a pump meets it: see [`crate::epochs`].

use std::{collections::VecDeque, ops::Range};

use service::time;
use store::{Applied, Op};
use tokio::sync::{mpsc, oneshot};
use tracing::warn;

use super::{OrderKey, Pump, Safe};
use crate::{
    claims::{self, Ruling},
    epochs::{Doubt, Word},
    link::Verdict,
    parts::Ready,
};
use journey::{CODE_TAKEN_BACK, Cause, Outcome};
use sms::UnixMs;

/// What a pump knows of the store's epochs.
pub(super) struct Epochs {
    words: Option<mpsc::UnboundedReceiver<Word>>,
    pause: Option<Pause>,
    pub(super) doubt: Doubt,
    /// Orders in hand that are not claimed: they wait until whoever started them had the time to say so.
    deferred: VecDeque<Deferred>,
    /// Those among them that a run before ours may have started.
    inherited: VecDeque<Deferred>,
    /// Claims of orders answered since the store was seen to be there: a rebuild may not know of them.
    answered: VecDeque<(UnixMs, Op)>,
}

/// An order that waits to be claimed.
type Deferred = (Box<Ready>, OrderKey);

/// How far a pause has come.
enum Pause {
    /// A claim found the store lost; the keeper of the lease was told.
    Suspected,
    /// Claims may be under way.
    Begun(oneshot::Sender<Vec<Op>>),
    /// What is claimed again, in order; `None` = of an order that was answered.
    Quiet(Vec<Option<OrderKey>>),
}

impl Epochs {
    pub(super) fn new(words: mpsc::UnboundedReceiver<Word>, doubt: Doubt) -> Self {
        Self {
            words: Some(words),
            pause: None,
            doubt,
            deferred: VecDeque::new(),
            inherited: VecDeque::new(),
            answered: VecDeque::new(),
        }
    }

    pub(super) fn is_paused(&self) -> bool {
        self.pause.is_some()
    }

    /// Nothing more is claimed until the keeper of the lease has looked.
    pub(super) fn suspect(&mut self) {
        self.pause.get_or_insert(Pause::Suspected);
    }

    /// The next word; waits for ever once there is none to come. Cancel-safe.
    pub(super) async fn word(&mut self) -> Word {
        if let Some(words) = &mut self.words {
            match words.recv().await {
                Some(word) => return word,
                None => self.words = None,
            }
        }
        std::future::pending().await
    }

    /// Hears no more words, and leaves nobody waiting for an answer.
    pub(super) fn leave(&mut self) {
        self.words = None;
        self.pause = None;
    }

    /// Lets an order wait.
    pub(super) fn defer(&mut self, ready: Box<Ready>, key: OrderKey) {
        match ready.origin.is_inherited() {
            true => self.inherited.push_back((ready, key)),
            false => self.deferred.push_back((ready, key)),
        }
    }

    /// Whether an order waits.
    pub(super) fn is_deferring(&self) -> bool {
        !self.deferred.is_empty() || !self.inherited.is_empty()
    }

    /// The next order whose wait is over.
    pub(super) fn take_deferred(&mut self, now: UnixMs) -> Option<Deferred> {
        let doubt = self.doubt;
        // Others may have had the partition since it was deferred; those behind it need not wait for as long.
        let is_late = |(ready, _): &Deferred| ready.origin.is_inherited();
        while self.deferred.front().is_some_and(is_late) {
            self.inherited.extend(self.deferred.pop_front());
        }
        let mut queues = [&mut self.deferred, &mut self.inherited].into_iter();
        let is_over = |queue: &&mut VecDeque<Deferred>| {
            let first = queue.front();
            first.is_some_and(|(ready, _)| !doubt.waits(&ready.origin, ready.order.message.accepted_at, now))
        };
        queues.find(is_over)?.pop_front()
    }

    /// Gives up on what waits of these intakes.
    pub(super) fn forget_deferred_of(&mut self, intakes: &Range<usize>) -> Vec<OrderKey> {
        let mut forgotten = Vec::new();
        for queue in [&mut self.deferred, &mut self.inherited] {
            queue.retain(|(_, key)| {
                let is_of_them = intakes.contains(&key.2);
                forgotten.extend(is_of_them.then_some(*key));
                !is_of_them
            });
        }
        forgotten
    }

    /// Gives up on what waits.
    pub(super) fn forget_deferred(&mut self) -> impl Iterator<Item = OrderKey> {
        let waited = std::mem::take(&mut self.deferred).into_iter();
        let all = waited.chain(std::mem::take(&mut self.inherited));
        all.map(|(_, key)| key)
    }

    /// Remembers the claim of an order that was answered, and forgets those answered before `confirmed`.
    pub(super) fn answered(&mut self, claim: Op, now: UnixMs, confirmed: UnixMs) {
        self.answered.push_back((now, claim));
        while self.answered.front().is_some_and(|(at, _)| *at < confirmed) {
            self.answered.pop_front();
        }
    }
}

impl Pump {
    pub(super) fn on_word(&mut self, word: Word) {
        match word {
            Word::Pause(quiet) => self.epochs.pause = Some(Pause::Begun(quiet)),
            Word::Resume(applied, doubt) => self.resume(applied, doubt),
        }
    }

    /// Hands over what is to be claimed again, once no call to the store is under way that might still be heard there.
    pub(super) fn fall_quiet(&mut self) {
        if !self.claiming.is_empty() || self.aside.is_looking() {
            return;
        }
        match self.epochs.pause.take() {
            Some(Pause::Begun(quiet)) => {
                let mut again: Vec<_> = self
                    .hands
                    .iter()
                    .filter_map(|(key, hand)| Some((Some(*key), hand.claim.clone()?)))
                    .collect();
                again.sort_by_key(|(key, _)| *key);
                again.extend(self.epochs.answered.iter().map(|(_, claim)| (None, claim.clone())));
                let (keys, claims) = again.into_iter().unzip();
                self.epochs.pause = Some(Pause::Quiet(keys));
                let _ = quiet.send(claims);
            }
            other => self.epochs.pause = other,
        }
    }

    fn resume(&mut self, applied: Vec<Applied>, doubt: Doubt) {
        let Some(Pause::Quiet(keys)) = self.epochs.pause.take() else {
            return;
        };
        self.epochs.doubt = doubt;
        let wall = self.clock.now();
        self.aside.wait_until(time::now() + doubt.ends_in(wall));
        for (key, applied) in keys.into_iter().zip(applied) {
            if let (Some(key), Applied::Held { .. }) = (key, &applied) {
                self.lose_claim(key, &applied, wall);
            }
        }
    }

    /// Somebody else claimed an order of ours before we could put our claim back: no more of it is sent.
    fn lose_claim(&mut self, key: OrderKey, applied: &Applied, wall: UnixMs) {
        let Some((id, airborne)) = self.airborne.iter_mut().find(|(_, airborne)| airborne.key == key) else {
            return;
        };
        let id = *id;
        let carrier = airborne.flight.order().carrier.clone();
        let ruling = claims::ruling(applied, &carrier, self.lease.incarnation());
        if ruling == Ruling::Repeat {
            return;
        }
        warn!(link = %self.settings.link, %carrier, "an order was claimed by somebody else after the store was lost");
        if airborne.flight.is_unsent() {
            let mut airborne = self.airborne.remove(&id).expect("it was just found");
            self.bucket.give(airborne.prepaid);
            match ruling {
                Ruling::TakenBack => {
                    let cause = Cause::new(CODE_TAKEN_BACK, "");
                    let (spans, order) = (airborne.flight.take_spans(), airborne.flight.order().clone());
                    self.publish(order, Outcome::LinkDown { cause }, None, wall, Safe::Order(key), spans);
                }
                _ => self.done(key),
            }
            return;
        }
        let claimed = Verdict::Unsent {
            code: "claimed_elsewhere",
        };
        airborne.flight.abandon(&claimed, wall);
        self.bucket.give(std::mem::take(&mut airborne.prepaid));
        self.step(id, time::now(), wall);
    }
}

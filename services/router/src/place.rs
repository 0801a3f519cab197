//! What becomes of a message that needs a carrier: an order, a wait, or an end. Total: there is always an answer.

use std::time::Duration;

use journey::{
    Attempt, CODE_DEADLINE, Cause, DeadEnd, EndState, Mask, Next, OnUnknown, Order, OrderNumber, Price, Terms, Waiting,
};
use sms::{CarrierName, Content, Message, Msisdn, Sender, UnixMs};
use table::{Action, Candidate, Decision, Query, Standings, Table};

use crate::{
    carriers::Snapshot,
    copies,
    delay::{self, Delay},
    figures::Summary,
    lookups::LookUps,
    told::Told,
    tried::{AGAIN_AFTER, Tried},
};

mod telling;

use telling::Telling;

/// Wait until carriers tried before may be asked again, from the second round on.
const AGAIN_LATER: Duration = Duration::from_secs(30);
/// Longest wait for a carrier that is down or busy; shorter for young messages, so that whoever waits for a long time costs
/// little and still loses no more than a quarter of the time waited.
const BETTER_TIMES_MAX: Duration = Duration::from_secs(120);

/// A message that needs a carrier.
pub(crate) struct Ask {
    pub(crate) message: Message,
    pub(crate) number: OrderNumber,
    pub(crate) attempts: Vec<Attempt>,
    /// The carrier to stay with if the table allows.
    pub(crate) stay: Option<CarrierName>,
    /// Whether it waited for carriers tried before.
    pub(crate) again: bool,
    /// What was said about its network; absent = nobody was asked yet.
    pub(crate) told: Option<Told>,
    /// Whether what is known of its network was wrong.
    pub(crate) look_again: bool,
}

/// What becomes of it.
pub(crate) enum Placed {
    Order(Box<Order>),
    Wait(Box<Waiting>, Delay),
    /// A wait that ends with the deadline, because no delay topic ends before it.
    Park(Box<Waiting>),
    /// A wait until it is known who serves the recipient.
    LookUp(Box<Waiting>),
    DeadEnd(Box<DeadEnd>),
}

/// What one batch is decided on, with the buffers it needs.
pub(crate) struct Decisions<'a> {
    pub(crate) table: &'a Table,
    pub(crate) carriers: &'a Snapshot,
    pub(crate) figures: &'a Summary,
    /// Who may be asked which network serves a number; absent = nobody.
    pub(crate) lookups: Option<&'a LookUps>,
    pub(crate) now: UnixMs,
    /// Copies of the messages whose first order was made.
    pub(crate) copies: Vec<Message>,
    decision: Decision<'a>,
    /// Overwritten where the worth of a look-up is weighed.
    scratch: Decision<'a>,
}

impl Ask {
    /// A message nobody was asked about yet.
    pub(crate) fn first(message: Message) -> Self {
        Self {
            message,
            number: OrderNumber::FIRST,
            attempts: Vec::new(),
            stay: None,
            again: false,
            told: None,
            look_again: false,
        }
    }

    fn dead_end(self, state: EndState, cause: Cause, table: &str, policy: String) -> Placed {
        Placed::DeadEnd(Box::new(DeadEnd {
            message: self.message,
            number: self.number,
            attempts: self.attempts,
            state,
            cause,
            table: table.to_owned(),
            policy,
        }))
    }

    /// A message that comes back from a wait.
    pub(crate) fn waited(waiting: Waiting) -> Self {
        let Waiting {
            message,
            number,
            attempts,
            stay,
            again,
            look_again,
            ..
        } = waiting;
        Self {
            message,
            number,
            attempts,
            stay,
            again,
            told: None,
            look_again,
        }
    }

    /// The message between two orders, with nothing to do before `until`.
    fn waiting(self, until: UnixMs, deadline: UnixMs, again: bool) -> Box<Waiting> {
        Box::new(Waiting {
            message: self.message,
            number: self.number,
            attempts: self.attempts,
            until,
            deadline,
            stay: self.stay,
            again,
            look_again: self.look_again,
        })
    }

    /// The message, to be decided anew once it has waited: what of it was ordered nobody can say for now.
    pub(crate) fn held_back(self, now: UnixMs) -> Placed {
        let (deadline, again) = (Terms::of_class(&self.message).deadline, self.again);
        waits_on(self.waiting(now, deadline, again), now)
    }

    fn wait(self, span: Duration, now: UnixMs, deadline: UnixMs, again: bool) -> Placed {
        let waiting = self.waiting(now + span, deadline, again);
        let delay = delay::that_fits(span);
        match now + delay.1 < deadline {
            true => Placed::Wait(waiting, delay),
            false => Placed::Park(waiting),
        }
    }
}

impl<'a> Decisions<'a> {
    pub(crate) fn new(
        table: &'a Table,
        carriers: &'a Snapshot,
        figures: &'a Summary,
        lookups: Option<&'a LookUps>,
        now: UnixMs,
    ) -> Self {
        Self {
            table,
            carriers,
            figures,
            lookups,
            now,
            copies: Vec::new(),
            decision: Decision::new(),
            scratch: Decision::new(),
        }
    }

    /// What becomes of the order that a fold asked for.
    pub(crate) fn place_next(&mut self, next: Next) -> Placed {
        let deadline = next.terms.deadline;
        let Next {
            message,
            number,
            attempts,
            after,
            stay,
            look_again,
            ..
        } = next;
        let ask = Ask {
            message,
            number,
            attempts,
            stay,
            again: false,
            told: None,
            look_again,
        };
        match after {
            Duration::ZERO => self.place(ask),
            after => ask.wait(after, self.now, deadline, false),
        }
    }

    /// What becomes of a message that comes back from a wait.
    pub(crate) fn place_waiting(&mut self, waiting: Waiting) -> Placed {
        let (now, until, deadline) = (self.now, waiting.until, waiting.deadline);
        let again = waiting.again;
        let ask = Ask::waited(waiting);
        if until > now && deadline > now {
            return ask.wait(until.since(now), now, deadline, again);
        }
        self.place(ask)
    }

    /// What becomes of `ask` by the table in force.
    pub(crate) fn place(&mut self, mut ask: Ask) -> Placed {
        let (mut tried, mut action) = self.decide_rounds(&ask, None);
        let told = match self.tell(&mut ask, &tried) {
            Telling::Nothing => None,
            Telling::Told(told) => Some(told),
            Telling::LookUp { deadline } => {
                let again = ask.again;
                return Placed::LookUp(ask.waiting(self.now, deadline, again));
            }
        };
        if let Some(told) = told.as_ref().filter(|told| told.is_news()) {
            (tried, action) = self.decide_rounds(&ask, Some(told));
            if action != Action::Reject && self.ends_dead(told) {
                return self.dead_number(ask, told);
            }
        }
        // A recipient that policies set is another's number.
        ask.told = told.filter(|_| self.decision.to.is_none());
        let policy = self.decision.policy.unwrap_or_default().to_owned();
        let version = self.table.version();
        match action {
            Action::Reject => {
                let reason = self.decision.reason.unwrap_or_default();
                let cause = Cause::new("rejected", telling::with_cost(reason, ask.told.as_ref()));
                ask.dead_end(EndState::Rejected, cause, version, policy)
            }
            Action::NoRoute => {
                let cause = Cause::new("no_route", telling::with_cost("", ask.told.as_ref()));
                ask.dead_end(EndState::Rejected, cause, version, policy)
            }
            Action::Route | Action::Wait => self.within_terms(ask, action, policy, &tried),
        }
    }

    /// Decides among the carriers of the first round that has one, where the message waited for those tried before.
    fn decide_rounds(&mut self, ask: &Ask, told: Option<&Told>) -> (Tried, Action) {
        let mut tried = Tried::new(&ask.attempts, self.now);
        let mut action = self.decide_round(ask, &tried, told);
        while action == Action::Wait && ask.again && tried.next_round() {
            action = self.decide_round(ask, &tried, told);
        }
        (tried, action)
    }

    /// Decides among the carriers of this round.
    fn decide_round(&mut self, ask: &Ask, tried: &Tried, told: Option<&Told>) -> Action {
        let carriers = self.carriers;
        let action = self.decide(ask, tried, carriers, told);
        let held_back = self.decision.held_back;
        if action == Action::Wait && held_back.circuit_open > 0 && held_back.saturated == 0 {
            // Who is not surely down is asked all the same where nobody else is left, be it to come later.
            return self.decide(ask, tried, &carriers.lenient(), told);
        }
        action
    }

    /// Runs the walk for `ask`, leaving out the carriers of this round and those that `standings` refuse.
    fn decide(&mut self, ask: &Ask, tried: &Tried, standings: &dyn Standings, told: Option<&Told>) -> Action {
        let tried = tried.carriers();
        let query = self.query(ask, &tried, standings, told);
        self.table.decide(&query, &mut self.decision);
        self.decision.action
    }

    fn query<'q>(
        &self,
        ask: &'q Ask,
        tried: &'q [CarrierName],
        standings: &'q dyn Standings,
        told: Option<&Told>,
    ) -> Query<'q>
    where
        'a: 'q,
    {
        let message = &ask.message;
        let text = match &message.content {
            Content::Text(text) => Some(text.as_str()),
            Content::Binary { .. } => None,
        };
        Query {
            to: message.to.digits(),
            from: message.from.as_str(),
            account: message.account.as_str(),
            class: message.class,
            encoding: message.encoding,
            segments: message.segments,
            text,
            at: self.now,
            network: told.and_then(|told| told.served),
            ported: told.and_then(|told| told.ported),
            roll: roll(message, ask.number),
            tried,
            standings: Some(standings),
            figures: Some(self.figures),
            accepted_at: Some(message.accepted_at),
            ttl: message.ttl,
        }
    }

    /// An order or a wait, unless it is too late or the route allows no further attempt.
    fn within_terms(&mut self, ask: Ask, action: Action, policy: String, tried: &Tried) -> Placed {
        let terms = terms(&ask.message, &self.decision.terms);
        let version = self.table.version();
        if self.now >= terms.deadline {
            return ask.dead_end(EndState::Expired, Cause::new(CODE_DEADLINE, ""), version, policy);
        }
        let spent = ask.attempts.iter().filter(|attempt| attempt.spent).count();
        if spent >= terms.attempts_max as usize {
            let last = ask
                .attempts
                .iter()
                .rev()
                .find(|attempt| attempt.spent)
                .map(|attempt| attempt.answer.clone());
            let cause = last.map_or_else(|| Cause::new("", ""), |answer| Cause::new(answer.code, answer.detail));
            return ask.dead_end(EndState::Failed, cause, version, policy);
        }
        if action == Action::Wait {
            let held_back = self.decision.held_back;
            let span = if held_back.circuit_open + held_back.saturated > 0 {
                better_times(self.now.since(ask.message.accepted_at))
            } else if tried.round() <= 1 {
                AGAIN_AFTER
            } else {
                AGAIN_LATER
            };
            let left = terms.deadline.since(self.now);
            return ask.wait(span.min(left), self.now, terms.deadline, true);
        }
        if ask.number == OrderNumber::FIRST {
            // Made again with the same ids should the message be delivered again, so that claims keep each to one.
            let numbers = self.decision.copies.iter().copied();
            self.copies.extend(copies::of(&ask.message, numbers));
        }
        let candidates = &self.decision.candidates;
        let held = ask
            .stay
            .as_ref()
            .and_then(|stay| candidates.iter().find(|candidate| candidate.carrier == stay));
        let candidate = held.or(candidates.first()).expect("a route has a candidate");
        let network = self.decision.network;
        self.carriers.asked(candidate.carrier, network);
        let order = Order {
            network: network.map(|network| network.to_string()).unwrap_or_default(),
            looked_up: ask.told.as_ref().map(|told| Box::new(told.looked_up.clone())),
            mask: mask(&self.decision, candidate),
            ..order(ask, candidate, terms, version, policy, self.now)
        };
        Placed::Order(Box::new(order))
    }
}

/// How long a message of this age waits for a carrier that is down or busy.
fn better_times(age: Duration) -> Duration {
    delay::that_fits((age / 4).min(BETTER_TIMES_MAX)).1
}

/// A message that waits some more, and is decided anew.
pub(crate) fn waits_on(waiting: Box<Waiting>, now: UnixMs) -> Placed {
    let span = better_times(now.since(waiting.message.accepted_at));
    Placed::Wait(waiting, delay::that_fits(span))
}

/// What becomes of `placed` while the store cannot say that nobody has its order: what would end waits, and is decided anew.
pub(crate) fn put_off(placed: Placed, now: UnixMs) -> Placed {
    match placed {
        Placed::DeadEnd(dead_end) => {
            let DeadEnd {
                message,
                number,
                attempts,
                ..
            } = *dead_end;
            let ask = Ask {
                number,
                attempts,
                ..Ask::first(message)
            };
            ask.held_back(now)
        }
        Placed::Park(waiting) => Placed::Wait(waiting, delay::that_fits(Duration::ZERO)),
        placed => placed,
    }
}

/// What the carrier sees instead of what was asked. The table checks senders and numbers when it is read; one that is none
/// after all goes out as asked.
fn mask(decision: &Decision<'_>, candidate: &Candidate<'_>) -> Mask {
    Mask {
        from: candidate.from.and_then(|from| Sender::new(from).ok()),
        to: decision.to.and_then(|to| Msisdn::new(to).ok()),
        content: decision
            .text
            .map(|text| (Content::Text(text.to_owned()), decision.encoding, decision.segments)),
    }
}

/// An order for `candidate` as asked, its network not known.
fn order(ask: Ask, candidate: &Candidate<'_>, terms: Terms, table: &str, policy: String, now: UnixMs) -> Order {
    let price = Price {
        unit_micros: candidate.unit.0,
        currency: candidate.currency.to_owned(),
        cost_micros: candidate.cost.0,
    };
    Order {
        receipt: candidate.receipts && ask.message.receipt,
        message: ask.message,
        number: ask.number,
        carrier: candidate.carrier.clone(),
        network: String::new(),
        looked_up: None,
        price: Some(price),
        mask: Mask::default(),
        terms,
        table: table.to_owned(),
        policy,
        issued_at: now,
        attempts: ask.attempts,
    }
}

fn terms(message: &Message, route: &table::Terms) -> Terms {
    Terms {
        attempts_max: route.attempts,
        deadline: message.accepted_at + message.ttl.unwrap_or(route.deadline),
        grace: message.class.grace(),
        on_unknown: match route.on_unknown {
            table::OnUnknown::Resend => OnUnknown::Resend,
            table::OnUnknown::Wait => OnUnknown::Wait,
            table::OnUnknown::Fail => OnUnknown::Fail,
        },
        receipt_within: route.receipt_within,
        spill_after: route.spill_after,
    }
}

/// The die of a weighted route. The order number is part of it, so that a redelivery repeats its choice and a later
/// attempt may choose anew.
fn roll(message: &Message, number: OrderNumber) -> u64 {
    let (high, low) = message.id.0.as_u64_pair();
    let mut mixed = high ^ low.rotate_left(32) ^ u64::from(number.0).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    // Finalizer of SplitMix64: every input bit reaches every output bit.
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

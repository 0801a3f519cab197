//! What happens to a message, one event at a time.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use sms::{CarrierName, Message, UnixMs};

use crate::{
    Attempt, Cause, EndState, Event, LateReceipt, OrderAnswer, OrderNumber, Outcome, ReceiptRecord, SegmentReceipt,
    State, TerminalEvent, Terms, Waiting, join, settle,
};

/// Code of the cause with which a connector hands back an order that came too late. It spends no attempt.
pub const CODE_DEADLINE: &str = "deadline";

/// Code of the cause with which a connector hands back, as `LinkDown`, an order that a router holds the claim of. The message
/// has ended or is with another carrier; should the router have died before it wrote so, the answer brings it back.
pub const CODE_TAKEN_BACK: &str = "taken_back";

/// Finished orders kept in the history of a message; beyond it the oldest that spent nothing are left out, and the gap
/// shows in the numbers.
pub const ATTEMPTS_KEPT_MAX: usize = 32;

/// Something that happened to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A connector answered an order.
    Answered(Box<OrderAnswer>),
    /// A carrier sent a receipt.
    Receipt(Box<ReceiptRecord>),
    /// The next order cannot be published: the table has no way, or it is too late.
    DeadEnd(Box<DeadEnd>),
    /// The next order waits, and its wait ends with the deadline.
    Parked(Box<Waiting>),
    /// The state's timer is due.
    Timer,
}

/// Why an order was not published, and how its message ends if no other carrier has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadEnd {
    /// The message.
    pub message: Message,
    /// The order that is not published.
    pub number: OrderNumber,
    /// Finished orders.
    pub attempts: Vec<Attempt>,
    /// How it ends.
    pub state: EndState,
    /// Why.
    pub cause: Cause,
    /// Table version that said so; empty = none was asked.
    pub table: String,
    /// Policy that said so; empty = the defaults.
    pub policy: String,
}

/// What the router knows beside the state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Orders it tried to claim for itself, and whether it won: what it won is never sent.
    pub claims: BTreeMap<OrderNumber, bool>,
    /// Whether the store holds a state with the message. Every order published since is in that state's `issued`; without
    /// it, an earlier run may have published the next order without a trace.
    pub is_kept: bool,
    /// Whether orders of this message that were published may have been started under a claim that is lost: then a claim
    /// that is won says that nobody sends them any more, and not that nobody did.
    pub in_doubt: bool,
}

/// What is to be done, beside writing the state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actions {
    /// Claim this order for the router and fold again with the result; nothing else may be done before.
    pub claim: Option<OrderNumber>,
    /// Ask a carrier, if `tell` is absent.
    pub next: Option<Box<Next>>,
    /// Publish this event. For a message that ended, the one its state holds.
    pub tell: Option<Event>,
    /// Whether the state must be in the store before anything else is done.
    pub keep: bool,
    /// An order that should have been taken out of use is with a carrier already: the recipient may get it twice.
    pub is_duplicate: bool,
}

/// The next order, before it is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    /// The message as asked.
    pub message: Message,
    /// Number of the order.
    pub number: OrderNumber,
    /// Finished orders, oldest first.
    pub attempts: Vec<Attempt>,
    /// Rules of the route that made the last order.
    pub terms: Terms,
    /// Not before this span has passed; zero = now.
    pub after: Duration,
    /// The carrier to stay with if the table allows; absent = any that was not tried.
    pub stay: Option<CarrierName>,
    /// Whether a carrier said that the number is unknown there, so that the network is to be looked up again.
    pub look_again: bool,
}

/// What `input` makes of `state`, and what is to be done about it.
///
/// `known.claims` holds the results of claims that earlier actions asked for. Folding the same input again leads to the
/// same state and asks for the same again, so whoever crashed in between may start over.
pub fn fold(state: Option<State>, input: &Input, now: UnixMs, known: &Known) -> (State, Actions) {
    let mut state = state.unwrap_or_default();
    if let Some(ended) = &state.ended {
        let tell = after_the_end(ended, input);
        state.timer = None;
        return (
            state,
            Actions {
                tell,
                keep: true,
                ..Actions::default()
            },
        );
    }
    let hold = match input {
        Input::Answered(answer) => {
            join::join_answer(&mut state, answer);
            hold_of(answer)
        }
        Input::Receipt(receipt) => {
            join::join_receipt(&mut state, receipt);
            None
        }
        Input::DeadEnd(dead_end) => {
            match known.claims.get(&dead_end.number) {
                None => {
                    return (
                        state,
                        Actions {
                            claim: Some(dead_end.number),
                            ..Actions::default()
                        },
                    );
                }
                // A connector has this very order: an earlier run published it, and its answer carries on.
                Some(false) => return (state, Actions::default()),
                Some(true) => join::join_dead_end(&mut state, dead_end),
            }
            None
        }
        Input::Parked(waiting) => {
            join::join_parked(&mut state, waiting);
            None
        }
        Input::Timer => None,
    };
    take_out(&mut state, known);
    let moment = settle::Moment {
        now,
        known,
        hold,
        may_be_sent: known.in_doubt && state.has_lost_track(),
    };
    settle::settle(state, input, &moment)
}

/// Takes the orders out of use whose claims are won. One beyond an order in flight was claimed in the belief that this one had
/// been answered, which is not known as yet: it says nothing of what is in flight.
fn take_out(state: &mut State, known: &Known) {
    let won = known
        .claims
        .iter()
        .filter_map(|(number, is_won)| is_won.then_some(*number));
    for number in won {
        if number <= state.issued || !state.is_in_flight() {
            state.issued = state.issued.max(number);
            state.closed = state.closed.max(number);
        }
    }
}

fn hold_of(answer: &OrderAnswer) -> Option<Duration> {
    match answer.outcome {
        Outcome::Hold { retry_after, .. } => Some(retry_after),
        _ => None,
    }
}

/// What is told when something comes after the end: the end again, unless it is a receipt that says something new.
fn after_the_end(ended: &Arc<TerminalEvent>, input: &Input) -> Option<Event> {
    let Input::Receipt(receipt) = input else {
        return Some(Event::Ended(Arc::clone(ended)));
    };
    let is_known = ended
        .attempts
        .iter()
        .filter(|attempt| attempt.number == receipt.order.number)
        .any(|attempt| {
            attempt
                .receipts
                .iter()
                .any(|heard| heard.segment == receipt.segment && heard.receipt == receipt.receipt)
        });
    if is_known {
        return Some(Event::Ended(Arc::clone(ended)));
    }
    receipt.receipt.state.is_final().then(|| {
        Event::Late(Box::new(LateReceipt {
            order: receipt.order.clone(),
            receipt: heard(receipt),
            account: ended.message.account.clone(),
            reference: ended.message.reference.clone(),
            ended: ended.state,
            copy_of: ended.message.copy_of,
        }))
    })
}

pub(crate) fn heard(receipt: &ReceiptRecord) -> SegmentReceipt {
    SegmentReceipt {
        segment: receipt.segment,
        receipt: receipt.receipt.clone(),
        at: receipt.at,
    }
}

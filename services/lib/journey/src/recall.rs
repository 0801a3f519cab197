//! What a lost state is made of again: the facts that stand on the log, joined. Nothing is decided and nothing ends here:
//! what a fold decides depends on the time and on claims, and neither is what it was. Whatever is left to do is done by
//! the timer, or by an input that was not acked and comes again.

use std::sync::Arc;

use sms::Message;

use crate::{
    Body, Order, OrderAnswer, OrderNumber, ReceiptRecord, State, TerminalEvent, Terms, Waiting,
    ending::without_content, join, settle::timer_of, standing::Standing,
};

/// Something that the log says about a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// It was answered OK.
    Accepted(Box<Message>),
    /// An order was published.
    Ordered(Box<Order>),
    /// It waits, or waited, between two orders.
    Waits(Box<Waiting>),
    /// An order was answered.
    Answered(Box<OrderAnswer>),
    /// A carrier sent a receipt.
    Receipt(Box<ReceiptRecord>),
    /// It ended.
    Ended(Arc<TerminalEvent>),
}

/// What `fact` adds to `state`. Facts may come twice and in any order. An end on the log stands, whatever else is known.
pub fn recall(state: Option<State>, fact: &Fact) -> State {
    let mut state = state.unwrap_or_default();
    if let Fact::Ended(event) = fact {
        return State {
            issued: event
                .attempts
                .last()
                .map_or(state.issued, |last| last.number.max(state.issued)),
            closed: state.closed,
            ended: Some(event.clone()),
            ..State::default()
        };
    }
    if state.ended.is_some() {
        return state;
    }
    match fact {
        Fact::Accepted(message) => {
            body(&mut state, message, &Terms::of_class(message));
        }
        Fact::Ordered(order) => ordered(&mut state, order),
        Fact::Waits(waiting) => waits(&mut state, waiting),
        Fact::Answered(answer) => join::join_answer(&mut state, answer),
        Fact::Receipt(receipt) => join::join_receipt(&mut state, receipt),
        Fact::Ended(_) => unreachable!("an end was taken above"),
    }
    timer_of(state)
}

/// Gives the state its message, if it has none.
fn body<'a>(state: &'a mut State, message: &Message, terms: &Terms) -> &'a mut Body {
    state.body.get_or_insert_with(|| Body {
        message: without_content(message),
        has_content: false,
        terms: terms.clone(),
    })
}

fn ordered(state: &mut State, order: &Order) {
    join::join_attempts(state, &order.attempts);
    let is_latest = state.highest_asked() < order.number && state.issued <= order.number;
    state.issued = state.issued.max(order.number);
    state.ordered = state.ordered.max(order.number);
    if state.parked == order.number {
        state.parked = OrderNumber::default();
    }
    let body = body(state, &order.message, &order.terms);
    if is_latest {
        body.terms = order.terms.clone();
    }
    // An order that followed one that is worth waiting for did so because that one was silent for too long.
    let terms = body.terms.clone();
    let Some(within) = terms.receipt_within else { return };
    for (_, progress) in state.orders.range_mut(..order.number) {
        let is_past = |progress: &crate::Progress| {
            let asked = progress.asked.as_ref();
            asked.is_some_and(|asked| asked.answer.at + within <= order.issued_at)
        };
        if progress.standing(&terms) == Standing::Live && is_past(progress) {
            progress.silent = true;
        }
    }
}

fn waits(state: &mut State, waiting: &Waiting) {
    let has_terms = state.body.is_some() && !state.orders.is_empty();
    join::join_attempts(state, &waiting.attempts);
    if state.issued < waiting.number {
        // Nobody has been asked yet: it can be called off at the deadline, and was not sent.
        state.issued = waiting.number;
        state.parked = waiting.number;
    }
    let body = body(state, &waiting.message, &Terms::of_class(&waiting.message));
    if !has_terms {
        body.terms.deadline = waiting.deadline;
    }
}
